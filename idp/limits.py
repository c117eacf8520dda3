"""How often one address may do what costs or tells something: sign in, register, ask for SMS.

These limits slow a machine down; what must never be exceeded (guesses at a password, SMS to a phone) is counted in
the database. Counters stand in Redis, or in each worker's memory without one. When Redis is away the workers count
alone: a limit is then looser, never gone, and nobody is locked out.

A view calls `sign_in()`, `registration()`, `authorize()` or `sms()` before it does the work, and shows TooOften in its
form, so that nothing typed is lost.
"""

from collections.abc import Callable

from flask import Flask, g
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address

from idp.errors import DomainError
from idp.settings import Settings, settings

_limiter = Limiter(get_remote_address, in_memory_fallback_enabled=True, swallow_errors=False)


class TooOften(DomainError):
    """Too many requests of a kind from this address."""

    code = "too_often"
    status = 429


def init_app(app: Flask, configured: Settings) -> None:
    """Count where the settings say."""
    redis_url = configured.redis_url
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage(redis_url),
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1} if redis_url else {},
        RATELIMIT_STRATEGY="moving-window",
    )
    _limiter.init_app(app)


def _storage(redis_url: str) -> str:
    if not redis_url:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url


def sign_in() -> None:
    """Count a sign-in from this address. Raises TooOften."""
    _raising_ours(_count_sign_in)


def registration() -> None:
    """Count a registration, or a check at UnionPay, from this address. Raises TooOften."""
    _raising_ours(_count_registration)


def authorize() -> None:
    """Count a request of a portal or a device that is stored until a person sees to it. Raises TooOften."""
    _raising_ours(_count_authorize)


def sms() -> None:
    """Count a request for an SMS code from this address. Raises TooOften."""
    _raising_ours(_count_sms)


def _raising_ours(count: Callable[[], None]) -> None:
    g.counting = True
    try:
        count()
    except RateLimitExceeded:
        raise TooOften from None
    finally:
        g.counting = False


@_limiter.request_filter
def _nothing_to_count() -> bool:
    """Spare all other requests the search for limits that the extension makes before each."""
    return not g.get("counting", False)


@_limiter.shared_limit(lambda: settings().limit_sign_in, scope="sign_in")
def _count_sign_in() -> None: ...


@_limiter.shared_limit(lambda: settings().limit_registration, scope="registration")
def _count_registration() -> None: ...


@_limiter.shared_limit(lambda: settings().limit_authorize, scope="authorize")
def _count_authorize() -> None: ...


@_limiter.shared_limit(lambda: settings().limit_sms, scope="sms")
def _count_sms() -> None: ...
