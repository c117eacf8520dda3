"""Delivers the outbox: claims a due message, hands it to the handler of its kind, retries with back-off.

A claim is one conditional UPDATE that moves `claimed_until` ahead, so two workers never hold one message, and a
worker that dies (kill -9 included) gives its message back by doing nothing. A message may therefore arrive twice
when a worker dies between delivery and its note of it; it carries its id, and receivers know it again by that
(the SMS gateway's `message_id`, the logout token's `jti`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import or_, select, update

from idp import clock
from idp.audit.log import Entry, record
from idp.notify.model import OutboxMessage
from idp.store.db import transaction

CLAIM_FOR = timedelta(seconds=30)
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=10)

Handler = Callable[[str, dict[str, Any]], None]

log = structlog.get_logger()
_handlers: dict[str, Handler] = {}


class Delivery(StrEnum):
    """What came of one try. The values are states of a message."""

    DONE = "delivered"
    WAITING = "waiting"
    GIVEN_UP = "given_up"


class Permanent(Exception):
    """Raised by a handler when trying again is of no use; `reason` is a stable code without personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker holds until `CLAIM_FOR` has passed. `attempt` counts from 1 and names the claim."""

    id: str
    kind: str
    payload: dict[str, Any]
    attempt: int
    give_up_at: datetime


def register(kind: str, handler: Handler) -> None:
    """Let `handler(message_id, payload)` deliver messages of `kind`. It raises anything to be tried again."""
    _handlers[kind] = handler


def claim(message_id: str | None = None) -> Claimed | None:
    """Claim `message_id`, due or not, or the message that has been due longest; None when there is none to be had."""
    now = clock.now()
    free = [
        OutboxMessage.state == "waiting",
        or_(OutboxMessage.claimed_until.is_(None), OutboxMessage.claimed_until < now),
        OutboxMessage.due_at <= now if message_id is None else OutboxMessage.id == message_id,
    ]
    # SKIP LOCKED lets PostgreSQL workers pass each other; SQLite has one writer at a time anyway.
    due = (
        select(OutboxMessage.id).where(*free).order_by(OutboxMessage.due_at).limit(1).with_for_update(skip_locked=True)
    )
    with transaction() as session:
        row = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == due.scalar_subquery(), *free)
            .values(claimed_until=now + CLAIM_FOR, attempts=OutboxMessage.attempts + 1)
            .returning(
                OutboxMessage.id,
                OutboxMessage.kind,
                OutboxMessage.payload,
                OutboxMessage.attempts,
                OutboxMessage.give_up_at,
            )
        ).one_or_none()
    if row is None:
        return None
    return Claimed(row[0], row[1], json.loads(row[2]), row[3], row[4])


def deliver(message: Claimed) -> Delivery:
    """Hand a claimed message to its handler, note what came of it, and return that."""
    try:
        _handlers[message.kind](message.id, message.payload)
    except Permanent as error:
        return _finish(message, Delivery.GIVEN_UP, error.reason)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the message is tried again
        return _retry_later(message, type(error).__name__)
    return _finish(message, Delivery.DONE, None)


def deliver_one() -> bool:
    """Claim and deliver one due message. Returns False when there was none."""
    message = claim()
    if message is None:
        return False
    deliver(message)
    return True


def deliver_now(message_id: str) -> Delivery:
    """Try one message at once, so that a page can say how it went; what still waits, the worker goes on with."""
    message = claim(message_id)
    return Delivery.WAITING if message is None else deliver(message)


def _wait_after(attempt: int) -> timedelta:
    """Return 1 s, 2 s, 4 s … up to 10 minutes."""
    doublings = min(attempt - 1, 20)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _retry_later(message: Claimed, error: str) -> Delivery:
    now = clock.now()
    due = now + _wait_after(message.attempt)
    if due >= message.give_up_at:
        return _finish(message, Delivery.GIVEN_UP, error)
    log.warning("outbox.retry", kind=message.kind, message=message.id, attempt=message.attempt, error=error)
    with transaction() as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message.id, OutboxMessage.attempts == message.attempt)
            .values(claimed_until=None, due_at=due, last_error=error[:100])
        )
    return Delivery.WAITING


def _finish(message: Claimed, state: Delivery, error: str | None) -> Delivery:
    """Close a message, if this claim still holds it: after a lost claim another worker has the say."""
    with transaction() as session:
        closed = session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.id == message.id,
                OutboxMessage.attempts == message.attempt,
                OutboxMessage.state == "waiting",
            )
            .values(state=state, finished_at=clock.now(), claimed_until=None, last_error=error)
            .returning(OutboxMessage.id)
        ).one_or_none()
        if closed is not None and state is Delivery.GIVEN_UP:
            details = {"kind": message.kind, "message": message.id, "error": error}
            record(session, Entry("outbox.given_up", outcome="failed", details=details))
    return state
