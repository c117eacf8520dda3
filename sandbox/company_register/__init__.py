"""Stand-in for the market-regulation register of legal entities (市场监管法人库)."""

from sandbox.company_register.app import create_app

__all__ = ["create_app"]
