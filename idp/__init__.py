"""Jingban: an OpenID provider for people who act for organisations."""

__version__ = "0.1.0"
