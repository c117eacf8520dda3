"""Registering a unit (U1, U3, U4): what is asked of its number, and the row itself.

The use case that binds the agent in the same transaction is `idp.delegation.registration`.
"""

import uuid
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.persons import login_names
from idp.persons.model import AccountKind
from idp.rules.documents import UnitDocument
from idp.rules.levels import TrustLevel
from idp.store.base import vault
from idp.store.db import transaction
from idp.units import regions
from idp.units.errors import UnitNumberTaken
from idp.units.model import Unit

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit as it was typed, in canonical forms, with the hash of its password. Nothing of it is printed."""

    document_type: UnitDocument
    document_number: str = field(repr=False)
    full_name: str = field(repr=False)
    legal_representative: str = field(repr=False)
    region_code: str
    login_name: str
    password_hash: str = field(repr=False)


def lookup_of(document_type: str, number: str) -> str:
    """Return the hash under which a unit is found by its canonical number."""
    return vault().lookup("unit_document", f"{document_type}:{number}")


def check_number_free(document_type: UnitDocument, number: str, *, asked_by: str) -> None:
    """Raise UnitNumberTaken when a unit has the canonical `number`; `asked_by` is the agent who registers (U4)."""
    with transaction() as session:
        taken = session.scalars(
            select(Unit.id).where(Unit.document_claim == lookup_of(document_type, number))
        ).one_or_none()
        refusal = None if taken is None else _number_taken(session, asked_by, taken)
    if refusal is not None:
        raise refusal


def report_number_taken(document_type: UnitDocument, number: str, *, asked_by: str) -> UnitNumberTaken:
    """Return the refusal for a registration that lost a race, after its transaction was rolled back."""
    with transaction() as session:
        taken = session.scalars(
            select(Unit.id).where(Unit.document_claim == lookup_of(document_type, number))
        ).one_or_none()
        return _number_taken(session, asked_by, taken)


def _number_taken(session: Session, asked_by: str, unit_id: str | None) -> UnitNumberTaken:
    reference = str(uuid.uuid4())
    entry = Entry(
        "unit.number_taken", actor_id=asked_by, unit_id=unit_id, outcome="failed", details={"reference": reference}
    )
    record(session, entry)
    log.info("unit.number_taken", reference=reference)
    return UnitNumberTaken(reference)


class NumberClaimed(Exception):
    """Another registration of the same number was faster; the transaction must be given up."""


def add(session: Session, new: NewUnit, trust_level: TrustLevel) -> Unit:
    """Add the unit with its claims on login name and number, and return it.

    Raises LoginNameTaken, RegionIncomplete, NumberClaimed.
    """
    regions.check_leaf(session, new.region_code)
    unit_id = ids.new_id(ids.UNIT)
    login_names.claim(session, new.login_name, AccountKind.UNIT, unit_id)
    lookup = lookup_of(new.document_type, new.document_number)
    now = clock.now()
    unit = Unit(
        id=unit_id,
        login_name=new.login_name,
        password_hash=new.password_hash,
        password_changed_at=now,
        document_type=new.document_type,
        document_number=new.document_number,
        document_lookup=lookup,
        document_claim=lookup,
        full_name=new.full_name,
        legal_representative=new.legal_representative,
        region_code=new.region_code,
        trust_level=int(trust_level),
        created_at=now,
    )
    session.add(unit)
    try:
        session.flush()
    except IntegrityError as error:
        raise NumberClaimed from error
    return unit
