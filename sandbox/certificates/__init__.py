"""Stand-in for a licensed certification authority (电子认证机构), and for the middleware of a USB token."""

from sandbox.certificates.app import create_app

__all__ = ["create_app"]
