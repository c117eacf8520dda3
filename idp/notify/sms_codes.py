"""Codes by SMS (DESIGN 8): 6 digits, 5 minutes, 5 tries, bound to purpose, phone and browser, used once.

    sent = sms_codes.send(asked)                    # quota, code and SMS in one transaction, then handed over at once
    proof = sms_codes.check(asked, typed)           # counts a wrong try; commits by itself
    with transaction() as session:
        sms_codes.use(session, proof)               # of parallel requests with the right code one gets through
        …

A right code that is checked costs no try and stays good until it is used: a form that comes back for another reason
need not be started anew. Only a keyed hash of the code is kept.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.errors import DomainError
from idp.notify import outbox, quota, worker
from idp.notify.model import SmsCode
from idp.notify.worker import Delivery
from idp.settings import settings
from idp.store import hot
from idp.store.base import vault
from idp.store.db import transaction

DIGITS = 6
TRIES = 5
LIFETIME = timedelta(minutes=5)
RESEND_AFTER = timedelta(seconds=60)
PREFIX_LENGTH = 10  # +86 and the first seven digits

CHECK = hot.Statement(
    "UPDATE sms_code SET tries_left = tries_left - CASE WHEN code_hash = :code_hash THEN 0 ELSE 1 END "
    "WHERE id = (SELECT id FROM sms_code WHERE purpose = :purpose AND phone_lookup = :phone_lookup "
    "AND browser_id = :browser_id ORDER BY sent_at DESC LIMIT 1) "
    "AND used_at IS NULL AND tries_left > 0 AND expires_at > :now "
    "RETURNING id, code_hash, tries_left"
)
USE = hot.Statement("UPDATE sms_code SET used_at = :now WHERE id = :id AND used_at IS NULL")


class SmsCodeRefused(DomainError):
    """Base of what is shown at the field `code`."""

    code = "sms_code_invalid"

    def __init__(self, **facts: int) -> None:
        super().__init__("code", **facts)


class SmsCodeTooSoon(SmsCodeRefused):
    """Another code was sent less than a minute ago; fact `seconds` until the next."""

    code = "sms_code_too_soon"
    status = 429


class SmsCodeQuota(SmsCodeRefused):
    """No more codes today for this phone, its prefix, or the caller's address; which one is not told."""

    code = "sms_code_quota"
    status = 429


class SmsCodeWrong(SmsCodeRefused):
    """Another code was sent; fact `left` tries."""

    code = "sms_code_wrong"


class SmsCodeInvalid(SmsCodeRefused):
    """No living code: never sent, expired, used, or its tries are spent."""

    code = "sms_code_invalid"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a code is bound to. `purpose` is a key of `sms_templates.PURPOSES`; `phone` is E.164."""

    purpose: str
    phone: str
    browser_id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A code was made. `delivery`: the SMS provider took it, or the worker goes on trying, or it never will.

    `wait` is the number of seconds until another may be asked for.
    """

    delivery: Delivery
    wait: int


@dataclass(frozen=True, slots=True)
class Proof:
    """The right code was typed; `use` it in the transaction that rests on it."""

    code_id: str


def send(asked: Asked, *, address: str) -> Sent:
    """Send a new code, which ends the one before. Raises SmsCodeTooSoon, SmsCodeQuota.

    An SMS that could not be handed over at once is tried again for as long as the code lives.
    """
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    with transaction() as session:
        phone_lookup = vault().lookup("phone", asked.phone)
        _claim_quota(hot.within(session), asked.phone, phone_lookup, address)
        now = clock.now()
        _end_older(session, asked, phone_lookup)
        session.add(
            SmsCode(
                id=ids.new_id("sc_"),
                purpose=asked.purpose,
                phone_lookup=phone_lookup,
                prefix=asked.phone[:PREFIX_LENGTH],
                browser_id=asked.browser_id,
                address=address,
                code_hash=_hash(asked, digits),
                tries_left=TRIES,
                sent_at=now,
                expires_at=now + LIFETIME,
            )
        )
        params = {"purpose": asked.purpose, "code": digits, "minutes": LIFETIME // timedelta(minutes=1)}
        message = {"phone": asked.phone, "template": "verification_code", "params": params}
        message_id = outbox.enqueue(session, outbox.SMS, message, give_up_after=LIFETIME, tried_at_once=True)
    return Sent(delivery=worker.deliver_now(message_id), wait=RESEND_AFTER // timedelta(seconds=1))


def wait(phone: str) -> int:
    """Return the number of seconds until another code may be sent to `phone`."""
    return quota.seconds_left(hot.reader(), _resend_key(vault().lookup("phone", phone)))


def check(asked: Asked, typed: str) -> Proof:
    """Compare `typed` with the code that was sent last. Raises SmsCodeWrong (and counts it) or SmsCodeInvalid."""
    code_hash = _hash(asked, typed.strip())
    row = hot.reader().one(
        CHECK,
        code_hash=code_hash,
        purpose=asked.purpose,
        phone_lookup=vault().lookup("phone", asked.phone),
        browser_id=asked.browser_id,
        now=clock.millis(),
    )
    if row is None:
        raise SmsCodeInvalid
    code_id, sent_hash, left = row
    if sent_hash != code_hash:
        raise SmsCodeWrong(left=left) if left else SmsCodeInvalid
    return Proof(code_id)


def use(session: Session, proof: Proof) -> None:
    """Use the code up, in the transaction of what it proved. Raises SmsCodeInvalid for all but the first."""
    if not hot.within(session).run(USE, id=proof.code_id, now=clock.millis()):
        raise SmsCodeInvalid


def _hash(asked: Asked, digits: str) -> str:
    return vault().lookup("sms_code", f"{asked.purpose}\0{asked.phone}\0{asked.browser_id}\0{digits}")


def _resend_key(phone_lookup: str) -> str:
    return f"sms:resend:{phone_lookup}"


def _claim_quota(on: hot.Executor, phone: str, phone_lookup: str, address: str) -> None:
    resend = _resend_key(phone_lookup)
    if not quota.claim(on, resend, allowed=1, window=RESEND_AFTER):
        raise SmsCodeTooSoon(seconds=quota.seconds_left(on, resend))
    daily = {
        f"sms:phone:{phone_lookup}": settings().sms_daily_phone,
        f"sms:prefix:{phone[:PREFIX_LENGTH]}": settings().sms_daily_prefix,
        f"sms:address:{address}": settings().sms_daily_address,
    }
    for key, allowed in daily.items():
        if not quota.claim(on, key, allowed=allowed, window=quota.DAY):
            raise SmsCodeQuota


def _end_older(session: Session, asked: Asked, phone_lookup: str) -> None:
    session.execute(
        update(SmsCode)
        .where(
            SmsCode.purpose == asked.purpose,
            SmsCode.phone_lookup == phone_lookup,
            SmsCode.browser_id == asked.browser_id,
            SmsCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
    )
