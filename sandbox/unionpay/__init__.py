"""Stand-in for UnionPay's check of a card holder by name, document, card number and reserved phone."""

from sandbox.unionpay.app import create_app

__all__ = ["create_app"]
