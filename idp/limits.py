"""How often one address may do what costs or tells something: sign in, register, ask for SMS.

These limits slow a machine down; what must never be exceeded (guesses at a password, SMS to a phone) is counted in
the database. Counters stand in Redis, or in each worker's memory without one. When Redis is away the workers count
alone: a limit is then looser, never gone, and nobody is locked out.

A view calls `sign_in()`, `registration()`, `authorize()` or `sms()` before it does the work, and shows TooOften in its
form, so that nothing typed is lost.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from flask import Flask, g
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from limits.storage import MemoryStorage
from limits.storage.memory import Entry

from idp.errors import DomainError
from idp.settings import Settings, settings

_limiter = Limiter(get_remote_address, in_memory_fallback_enabled=True, swallow_errors=False)


class ProcessStorage(MemoryStorage):
    """The memory of this process. What it extends starts a thread at every count to look for what has expired.

    Here whoever counts looks, once in a while.
    """

    STORAGE_SCHEME = ["process"]  # noqa: RUF012 - what it extends has a list
    SWEEP_SECONDS = 60.0

    def __init__(self, uri: str | None = None, **_options: Any) -> None:
        super().__init__(uri)  # the options are for Redis
        self._lock = threading.Lock()
        self._swept_at = time.time()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` events at `key`, unless more than `limit` of them would be within `expiry` seconds."""
        now = time.time()
        with self._lock:
            if not 0 <= now - self._swept_at < self.SWEEP_SECONDS:
                self._sweep(now)
            events = self.events.setdefault(key, [])
            oldest_that_counts = limit - amount
            if oldest_that_counts < 0:
                return False
            if oldest_that_counts < len(events) and events[oldest_that_counts].atime >= now - expiry:
                return False
            events[:0] = [Entry(expiry)] * amount  # the newest first
            return True

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        for key, events in list(self.events.items()):
            del events[bisect_left(events, -now, key=lambda event: -event.expiry) :]
            if not events:
                del self.events[key]


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
        return "process://"
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
