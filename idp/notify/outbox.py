"""Putting a message into the outbox, in the transaction that decided it. `idp.notify.worker` delivers."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from idp import clock, ids
from idp.notify.model import OutboxMessage

SMS = "sms"
BACKCHANNEL_LOGOUT = "backchannel_logout"


HEAD_START = timedelta(seconds=5)
"""So long workers leave a message alone that its maker tries to deliver itself; then they take it over."""


def enqueue(
    session: Session, kind: str, payload: dict[str, Any], *, give_up_after: timedelta, tried_at_once: bool = False
) -> str:
    """Store a message of `kind` that is due at once, and return its id, by which a receiver knows it again.

    `tried_at_once`: the caller goes on with `worker.deliver_now`, and no worker takes the message from it.
    """
    now = clock.now()
    message = OutboxMessage(
        id=ids.new_id("m_"),
        kind=kind,
        payload=json.dumps(payload, ensure_ascii=False),
        due_at=now + HEAD_START if tried_at_once else now,
        give_up_at=now + give_up_after,
        created_at=now,
    )
    session.add(message)
    return message.id
