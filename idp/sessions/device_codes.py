"""Devices that wait for a person to sign in elsewhere (OAuth 2.0 Device Authorization Grant, RFC 8628).

A device code is claimed once, by one statement; so is the right to say how it ends. Polls are counted by one
statement, which also tells whether they come too fast.
"""

import ipaddress
import json
import secrets
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, and_, select

from idp import clock, ids
from idp.errors import DomainError
from idp.sessions import throttle
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.model import DeviceCode
from idp.sessions.throttle import TooManyFailures
from idp.settings import settings
from idp.store import hot
from idp.store.db import db, transaction

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 §6.1: no vowels, so no words; no digits, so no second keyboard. Eight of 20 are 34 bits."""
CODE_LENGTH = 8
INTERVAL = 5
SLOWER_BY = 5
JITTER_MS = 500
"""A device that waits as long as it was told may still seem a little early: networks are not even."""

INSERT = hot.Statement(
    "INSERT INTO device_code (id, device_hash, user_code, client_id, request, address, poll_every, hurried, "
    "created_at, expires_at) "
    "VALUES (:id, :device_hash, :user_code, :client_id, :request, :address, :poll_every, :hurried, :now, :expires_at) "
    "ON CONFLICT (user_code) DO NOTHING RETURNING id"
)
APPROVE = hot.Statement(
    "UPDATE device_code SET authorization_id = :authorization_id "
    "WHERE id = :id AND authorization_id IS NULL AND refused_at IS NULL AND expires_at > :now RETURNING id"
)
REFUSE = hot.Statement(
    "UPDATE device_code SET refused_at = :now WHERE id = :id AND authorization_id IS NULL AND refused_at IS NULL"
)
CLAIM = hot.Statement(
    "UPDATE device_code SET used_at = :now WHERE device_hash = :device_hash AND client_id = :client_id "
    "AND authorization_id IS NOT NULL AND used_at IS NULL AND expires_at > :now RETURNING authorization_id"
)
POLL = hot.Statement(
    "UPDATE device_code SET polled_at = :now, "
    "hurried = polled_at IS NOT NULL AND :now - polled_at < poll_every * 1000 - :jitter, "
    "poll_every = CASE WHEN polled_at IS NOT NULL AND :now - polled_at < poll_every * 1000 - :jitter "
    "THEN poll_every + :slower_by ELSE poll_every END "
    "WHERE device_hash = :device_hash AND client_id = :client_id "
    "AND authorization_id IS NULL AND refused_at IS NULL AND expires_at > :now RETURNING hurried"
)
FIND = hot.Statement(
    "SELECT authorization_id, used_at, refused_at FROM device_code "
    "WHERE device_hash = :device_hash AND client_id = :client_id"
)


class UserCodeWrong(DomainError):
    """No device waits with this code: mistyped, expired, or seen to already."""

    code: ClassVar[str] = "user_code_wrong"


class UserCodeLocked(DomainError):
    """Five wrong codes in a row from one address; fact `minutes` that are left."""

    code: ClassVar[str] = "user_code_locked"
    status = 429

    def __init__(self, minutes: int) -> None:
        super().__init__("user_code", minutes=minutes)


class DeviceGone(DomainError):
    """The device's code expired, or was seen to in another browser."""

    code: ClassVar[str] = "device_gone"


@dataclass(frozen=True, slots=True)
class Begun:
    """What the device is told. `user_code` is as it is shown: XXXX-XXXX."""

    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits: what it asks for, its code as shown, and from which address it asked, and when."""

    id: str
    request: AuthorizationRequest
    user_code: str
    address: str
    asked_at: datetime


def shown(user_code: str) -> str:
    """Return a user code in two groups, as people read it."""
    return f"{user_code[:4]}-{user_code[4:]}"


def begin(request: AuthorizationRequest, address: str) -> Begun:
    """Store a checked request of a device at `address`. A code that another device has is drawn anew."""
    device_code, device_id = ids.new_secret(), ids.new_id("d_")
    now = clock.millis()
    values = {
        "id": device_id,
        "device_hash": ids.fingerprint(device_code),
        "client_id": request.client_id,
        "request": json.dumps(replace(request, device=device_id).to_json(), ensure_ascii=False),
        "address": address,
        "poll_every": INTERVAL,
        "hurried": False,
        "now": now,
        "expires_at": now + settings().device_code_lifetime * 1000,
    }
    while True:
        user_code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if hot.reader().one(INSERT, **values, user_code=user_code) is not None:
            return Begun(device_code, shown(user_code))


def enter(typed: str, address: str) -> Waiting:
    """Return the device whose code a person at `address` typed. Raises UserCodeWrong, UserCodeLocked.

    Guesses are counted before they are checked (RFC 8628 §5.1). What cannot be a code is a slip, not a guess.
    """
    user_code = _canonical(typed)
    if user_code is None:
        raise UserCodeWrong("user_code")
    key = f"user_code:{_network(address)}"
    try:
        throttle.count(key)
    except TooManyFailures as locked:
        raise UserCodeLocked(locked.facts["minutes"]) from locked
    found = db.session().scalars(select(DeviceCode).where(DeviceCode.user_code == user_code, _is_waiting())).first()
    if found is None:
        raise UserCodeWrong("user_code")
    waiting = _value(found)
    with transaction() as session:
        throttle.forget(session, key)
    return waiting


def waiting(device_id: str) -> Waiting:
    """Return a device that waits still. Raises DeviceGone."""
    found = db.session().scalars(select(DeviceCode).where(DeviceCode.id == device_id, _is_waiting())).first()
    if found is None:
        raise DeviceGone
    return _value(found)


def approve(on: hot.Executor, device_id: str, authorization_id: str) -> None:
    """Let the device have the authorization. Raises DeviceGone for all but one caller."""
    if on.one(APPROVE, id=device_id, authorization_id=authorization_id, now=clock.millis()) is None:
        raise DeviceGone


def refuse(on: hot.Executor, device_id: str) -> None:
    """Let the device know that the person said no; nothing happens where it was decided otherwise."""
    on.run(REFUSE, id=device_id, now=clock.millis())


def _is_waiting() -> ColumnElement[bool]:
    return and_(
        DeviceCode.authorization_id.is_(None),
        DeviceCode.refused_at.is_(None),
        DeviceCode.expires_at > clock.now(),
    )


def _value(row: DeviceCode) -> Waiting:
    request = AuthorizationRequest.from_json(row.request)
    return Waiting(row.id, request, shown(row.user_code), row.address, row.created_at)


def _canonical(typed: str) -> str | None:
    """Return what was typed as it is stored: case, spaces and hyphens say nothing, nor do full-width letters."""
    letters = "".join(each for each in unicodedata.normalize("NFKC", typed).upper() if each.isalnum())
    return letters if len(letters) == CODE_LENGTH and set(letters) <= set(ALPHABET) else None


def _network(address: str) -> str:
    """Return what one guesser has: an IPv4 address, or the /64 that a provider hands to each customer."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))  # noqa: PLR2004
