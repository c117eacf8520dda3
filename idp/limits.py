"""How often one address may do what costs or tells something: sign in, ask for SMS, register.

These limits slow a machine down; what must never be exceeded (guesses at a password, SMS to a phone) is counted in
the database. Counters stand in Redis, or in each worker's memory without one. When Redis is away the workers count
alone: a limit is then looser, never gone, and nobody is locked out.
"""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from idp.settings import Settings, settings

limiter = Limiter(get_remote_address, in_memory_fallback_enabled=True, swallow_errors=False)


def init_app(app: Flask, settings: Settings) -> None:
    """Count where the settings say."""
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage(settings.redis_url),
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1} if settings.redis_url else {},
        RATELIMIT_STRATEGY="moving-window",
    )
    limiter.init_app(app)


def sign_in() -> str:
    """Return the limit of sign-ins from one address."""
    return settings().limit_sign_in


def registration() -> str:
    """Return the limit of registrations, and of checks at UnionPay, from one address."""
    return settings().limit_registration


def sms() -> str:
    """Return the limit of SMS codes asked for from one address."""
    return settings().limit_sms


def _storage(redis_url: str) -> str:
    if not redis_url:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url
