"""Stand-in for an SMS provider: takes messages like the real one, and shows them in an inbox page."""

from sandbox.sms_gateway.app import create_app

__all__ = ["create_app"]
