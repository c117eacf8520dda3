"""One throttle for guesses, which counts before it checks: parallel guesses never exceed the limit (P9, DESIGN 8).

    failures = throttle.count(key)      # refused here when locked
    …check the password…                # slow, outside of any transaction
    throttle.forget(session, key)       # it was right: the row of wrong ones is over

A guess is counted and, if it is the last one allowed, the lock is set, in one statement that commits before the check
begins. A process that dies in between has counted one guess too many, never one too few.
"""

import math

from sqlalchemy.orm import Session

from idp import clock
from idp.errors import DomainError
from idp.store import hot

LIMIT = 5
LOCK_MINUTES = 60
_MINUTE_MS = 60_000

COUNT = hot.Statement(
    "INSERT INTO attempts (key, failures, locked_until, last_at) VALUES (:key, 1, NULL, :now) "
    "ON CONFLICT (key) DO UPDATE SET "
    "failures = CASE WHEN attempts.locked_until IS NULL THEN attempts.failures + 1 ELSE 1 END, "
    "locked_until = CASE WHEN attempts.locked_until IS NULL AND attempts.failures + 1 >= :limit "
    "THEN CAST(:locked_until AS BIGINT) ELSE NULL END, "
    "last_at = :now "
    "WHERE attempts.locked_until IS NULL OR attempts.locked_until <= :now "
    "RETURNING failures"
)
LOCKED_UNTIL = hot.Statement("SELECT locked_until FROM attempts WHERE key = :key")
FORGET = hot.Statement("DELETE FROM attempts WHERE key = :key")


class TooManyFailures(DomainError):
    """Five wrong in a row: locked for an hour; fact `minutes` that are left, rounded up (P9)."""

    code = "too_many_failures"
    status = 429

    def __init__(self, minutes: int) -> None:
        super().__init__(minutes=minutes)


def count(key: str) -> int:
    """Count one guess at `key` and return how many there were in a row, this one included: 1 … LIMIT.

    Raises TooManyFailures while locked. After the hour counting begins anew.
    """
    now = clock.millis()
    row = hot.reader().one(COUNT, key=key, now=now, limit=LIMIT, locked_until=now + LOCK_MINUTES * _MINUTE_MS)
    if row is not None:
        return int(row[0])
    locked = hot.reader().one(LOCKED_UNTIL, key=key)
    # Asked for anew: whoever waited here while another set the lock has an older time than the lock.
    left = (locked[0] or 0) - clock.millis() if locked else 0
    raise TooManyFailures(max(1, math.ceil(left / _MINUTE_MS)))


def demand_open(session: Session, key: str) -> None:
    """Raise TooManyFailures while `key` is locked; nothing is counted."""
    locked = hot.within(session).one(LOCKED_UNTIL, key=key)
    left = (locked[0] or 0) - clock.millis() if locked else 0
    if left > 0:
        raise TooManyFailures(math.ceil(left / _MINUTE_MS))


def tries_left(failures: int) -> int:
    """Return how many guesses are left after `failures` wrong ones; at 0 the key is locked."""
    return max(0, LIMIT - failures)


def forget(session: Session, key: str) -> None:
    """End the row of wrong guesses at `key`: it was right, or an administrator unlocks."""
    hot.within(session).run(FORGET, key=key)
