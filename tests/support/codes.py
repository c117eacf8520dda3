"""SMS codes in tests of use cases: what was sent, read where a worker would read it."""

import json

from sqlalchemy import select

from idp import clock
from idp.notify import outbox, sms_codes
from idp.notify.model import OutboxMessage, Quota
from idp.notify.sms_codes import Asked, Proof
from idp.store.db import db, release, transaction


def sent_to(phone: str) -> list[str]:
    """Return the codes that were sent to `phone`, the newest last."""
    messages = db.session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.kind == outbox.SMS)
        .order_by(OutboxMessage.created_at)
        .execution_options(populate_existing=True)
    )
    payloads = [json.loads(message.payload) for message in messages]
    release()  # an open read would keep showing this moment on SQLite
    params = [payload["params"] for payload in payloads if payload["phone"] == phone]
    return [each["code"] for each in params if "code" in each]


def changes_told(phone: str) -> list[str]:
    """Return what `phone` was told of changes to its account's factors, the first first."""
    messages = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at))
    payloads = [json.loads(message.payload) for message in messages if message.kind == outbox.SMS]
    release()
    return [each["params"]["change"] for each in payloads if each["phone"] == phone and "change" in each["params"]]


def send(asked: Asked, address: str = "192.0.2.1") -> str:
    """Let a code be sent and return it."""
    sms_codes.send(asked, address=address)
    return sent_to(asked.phone)[-1]


def proof(purpose: str, phone: str, browser_id: str = "browser") -> Proof:
    """Return the proof of somebody who has the phone and typed the code."""
    asked = Asked(purpose, phone, browser_id)
    return sms_codes.check(asked, send(asked))


def forget_waits() -> None:
    """End the wait for another code, as a minute does."""
    with transaction() as session:
        for row in session.scalars(select(Quota).where(Quota.key.startswith("sms:resend:"))):
            row.window_ends_at = clock.now()


def wrong(code: str) -> str:
    """Return six digits that are not `code`."""
    return f"{(int(code) + 1) % 1_000_000:06}"
