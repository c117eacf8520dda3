"""The one clock. Everything that asks for the time asks here, so that tests can move it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

# Days are those of mainland China. It has kept one offset since 1991, so no time zone database is needed.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

_source: Callable[[], datetime] | None = None


def now() -> datetime:
    """Return the current time, aware, in UTC, to the microsecond."""
    if _source is not None:
        return _source()
    return datetime.now(UTC)


def timestamp() -> int:
    """Return the current time as whole seconds since 1970, as JWT claims want it (RFC 7519 §2, NumericDate)."""
    return int(now().timestamp())


def replace(source: Callable[[], datetime] | None) -> None:
    """Let `source` tell the time from now on; None gives it back to the machine's clock. For tests."""
    global _source  # noqa: PLW0603 - the one clock is one by intent
    _source = source


def millis() -> int:
    """Return the current time as milliseconds since 1970, as the database keeps it."""
    return int(now().timestamp() * 1000)


def today() -> date:
    """Return the day that it is in China."""
    return now().astimezone(CHINA).date()


def start_of(day: date) -> datetime:
    """Return the moment at which `day` begins in China, aware."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)
