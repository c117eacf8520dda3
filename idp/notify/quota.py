"""Counters in a window of time, each claimed by one conditional statement: never one more than allowed."""

from datetime import timedelta

from idp import clock
from idp.store import hot

DAY = timedelta(days=1)

CLAIM = hot.Statement(
    "INSERT INTO quota (key, used, window_ends_at) VALUES (:key, 1, :ends_at) "
    "ON CONFLICT (key) DO UPDATE SET "
    "used = CASE WHEN quota.window_ends_at <= :now THEN 1 ELSE quota.used + 1 END, "
    "window_ends_at = CASE WHEN quota.window_ends_at <= :now THEN :ends_at ELSE quota.window_ends_at END "
    "WHERE quota.window_ends_at <= :now OR quota.used < :allowed "
    "RETURNING used"
)
WINDOW = hot.Statement("SELECT window_ends_at FROM quota WHERE key = :key")
GIVE_BACK = hot.Statement("UPDATE quota SET used = used - 1 WHERE key = :key AND used > 0")


def claim(on: hot.Executor, key: str, *, allowed: int, window: timedelta) -> bool:
    """Use one of the `allowed` in this window of `key`; False when none is left. The first use opens the window."""
    now = clock.millis()
    ends_at = now + window // timedelta(milliseconds=1)
    return on.one(CLAIM, key=key, now=now, ends_at=ends_at, allowed=allowed) is not None


def seconds_left(on: hot.Executor, key: str) -> int:
    """Return how many seconds the window of `key` is open yet, rounded up; 0 when it is over."""
    row = on.one(WINDOW, key=key)
    return max(0, -((clock.millis() - row[0]) // 1000)) if row else 0


def give_back(on: hot.Executor, key: str) -> None:
    """Take back one use: what it was claimed for did not take place."""
    on.run(GIVE_BACK, key=key)
