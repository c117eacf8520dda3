"""The portal's one clock, replaceable in tests. Moments are whole seconds since 1970, days are those of China."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

_source: Callable[[], float] = time.time


def now() -> int:
    """Return the current time in whole seconds since 1970."""
    return int(_source())


def today() -> date:
    """Return the day that it is in China."""
    return local(now()).date()


def local(moment: int) -> datetime:
    """Return `moment` (seconds since 1970) as a time in China."""
    return datetime.fromtimestamp(moment, UTC).astimezone(CHINA)


def replace(source: Callable[[], float] | None) -> None:
    """Let `source` tell the time (seconds since 1970); None gives it back to the machine. For tests."""
    global _source  # noqa: PLW0603 - the one clock is one by intent
    _source = source or time.time
