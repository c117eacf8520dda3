"""单位授权码 (U14): a code that makes one unit real-named, once, within its time. Only a keyed hash of it is kept.

A unit has one at most: a new one stands in the place of the older. The hash names the unit, so a code of another unit
is no code at all. Who may type one, and how often, is `idp.delegation.unit_verification`'s to say.
"""

import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.log import Entry, record
from idp.errors import DomainError
from idp.persons.model import AccountStatus
from idp.rules.documents import UnitDocument, check_unit_document
from idp.settings import settings
from idp.store import hot
from idp.store.base import to_millis, vault
from idp.units.errors import AuthorisationCodeMalformed, UnitUnknown, UnitVerified
from idp.units.model import Unit, UnitAuthorisationCode
from idp.units.registration import lookup_of

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without what looks alike on paper: I and 1, L, O and 0
LENGTH = 12
"""Twelve of 31 are 59 bits."""
_GROUP = 4

PUT = hot.Statement(
    "INSERT INTO unit_authorisation_code (unit_id, code_hash, issued_at, expires_at) "
    "VALUES (:unit_id, :code_hash, :now, :expires_at) "
    "ON CONFLICT (unit_id) DO UPDATE SET code_hash = :code_hash, issued_at = :now, expires_at = :expires_at"
)
CLAIM = hot.Statement(
    "DELETE FROM unit_authorisation_code WHERE unit_id = :unit_id AND code_hash = :code_hash AND expires_at > :now "
    "RETURNING unit_id"
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code, in clear for the only time, in groups of four as people read it; it serves until `expires_at`."""

    unit_id: str
    unit: str
    code: str = field(repr=False)
    expires_at: datetime


def unit_of(session: Session, number: str) -> Unit:
    """Return the active unit of this USCC or organisation code, held until the commit. Raises UnitUnknown."""
    claims = [lookup_of(kind, checked) for kind in UnitDocument if (checked := _checked(kind, number)) is not None]
    unit = session.scalars(
        select(Unit)
        .where(Unit.document_claim.in_(claims), Unit.status == AccountStatus.ACTIVE)
        .with_for_update(key_share=True)
    ).one_or_none()
    if unit is None:
        raise UnitUnknown
    return unit


def _checked(kind: UnitDocument, number: str) -> str | None:
    try:
        return check_unit_document(kind, number)
    except DomainError:
        return None


def issue(session: Session, unit: Unit, *, actor_id: str | None = None) -> Issued:
    """Make a code for an unverified unit, in the caller's transaction; an older one is worth nothing any more.

    `actor_id` is who decided it; None: an operator at the command line. Raises UnitVerified.
    """
    if unit.verified_at is not None:
        raise UnitVerified
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    expires_at = clock.now() + timedelta(seconds=settings().unit_authorisation_code_lifetime)
    hot.within(session).run(
        PUT, unit_id=unit.id, code_hash=_hash(unit.id, code), now=clock.millis(), expires_at=to_millis(expires_at)
    )
    record(session, Entry("unit.authorisation_code_issued", actor_id=actor_id, subject_id=unit.id, unit_id=unit.id))
    shown = "-".join(code[at : at + _GROUP] for at in range(0, LENGTH, _GROUP))
    return Issued(unit.id, unit.full_name, shown, expires_at)


def canonical(typed: str) -> str:
    """Return what was typed as it is hashed: case, spaces and hyphens say nothing, nor do full-width letters.

    Raises AuthorisationCodeMalformed for what cannot be a code: a slip, not a guess.
    """
    code = "".join(each for each in unicodedata.normalize("NFKC", typed).upper() if each.isalnum())
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        raise AuthorisationCodeMalformed
    return code


def claim(session: Session, unit_id: str, code: str) -> bool:
    """Use up the unit's code, in the caller's transaction: True for exactly one caller, with the right one in time."""
    return (
        hot.within(session).one(CLAIM, unit_id=unit_id, code_hash=_hash(unit_id, code), now=clock.millis()) is not None
    )


def drop(session: Session, unit_id: str) -> None:
    """Make the unit's code worth nothing: the unit is not any more what the officer saw."""
    session.execute(delete(UnitAuthorisationCode).where(UnitAuthorisationCode.unit_id == unit_id))


def _hash(unit_id: str, code: str) -> str:
    return vault().lookup("authorisation_code", f"{unit_id}\0{code}")
