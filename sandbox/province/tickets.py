"""Secrets that stand for something for a short while: codes, access tokens, signed-in browsers, QR codes."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Tickets(Generic[T]):
    """Values by a secret that is made for each, for `seconds`. Safe for parallel requests."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def issue(self, value: T) -> str:
        """Keep `value` and return its secret."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            now = self._clock()
            for gone in [known for known, (until, _) in self._kept.items() if until <= now]:
                del self._kept[gone]
            self._kept[secret] = (now + self.seconds, value)
        return secret

    def look(self, secret: str) -> T | None:
        """Return what `secret` stands for, or None if it is unknown, used or too old."""
        with self._lock:
            until, value = self._kept.get(secret, (0.0, None))
            return value if until > self._clock() else None

    def claim(self, secret: str) -> T | None:
        """Return like `look`, once: of parallel claims one gets the value."""
        with self._lock:
            until, value = self._kept.pop(secret, (0.0, None))
            return value if until > self._clock() else None
