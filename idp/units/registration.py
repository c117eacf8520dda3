"""Registering a unit (U1, U3, U4): the rules for what is typed, whether its number is free, and the row itself.

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
from idp.errors import Refusals
from idp.notify import quota
from idp.persons import login_names
from idp.persons.model import AccountKind, LoginName
from idp.rules.documents import UnitDocument, check_unit_document
from idp.rules.levels import TrustLevel
from idp.rules.login_names import check_login_name, login_name_key
from idp.rules.names import check_person_name, check_unit_name
from idp.rules.passwords import PasswordPolicy, check_password
from idp.store import hot
from idp.store.base import vault
from idp.store.db import db, transaction
from idp.units import regions
from idp.units.errors import UnitDataRefused, UnitNumberQuota, UnitNumberTaken
from idp.units.model import Unit

log = structlog.get_logger()


# How often an agent may ask whether a number is taken: enough to register units, not enough to sift them (U4).
NUMBERS_A_DAY = 30


@dataclass(frozen=True, slots=True)
class Typed:
    """What an agent typed, as it came. `password` is None where an earlier one stays. Nothing of it is printed."""

    document_number: str = field(repr=False)
    full_name: str = field(repr=False)
    region_code: str
    legal_representative: str = field(repr=False)
    login_name: str = field(repr=False)
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was typed, in canonical forms. Only USCCs are registered: organisation codes are on old accounts (U3)."""

    document_number: str = field(repr=False)
    full_name: str = field(repr=False)
    region_code: str
    legal_representative: str = field(repr=False)
    login_name: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit in canonical forms, with the hash of its password. Nothing personal of it is printed."""

    document_type: UnitDocument
    document_number: str = field(repr=False)
    full_name: str = field(repr=False)
    legal_representative: str = field(repr=False)
    region_code: str
    login_name: str
    password_hash: str = field(repr=False)


def check(typed: Typed, policy: PasswordPolicy, *, agent_phone: str) -> Checked:
    """Return the data in canonical forms. Raises UnitDataRefused with all that is wrong (P2, P3, U3).

    The legal representative's name is refused at the field `legal_representative`. The password may not hold the
    agent's phone either.
    """
    refusals = Refusals()
    number = refusals.tried(lambda: check_unit_document(UnitDocument.USCC, typed.document_number))
    full_name = refusals.tried(lambda: check_unit_name(typed.full_name))
    refusals.tried(lambda: regions.check_leaf(db.session(), typed.region_code))
    representative = refusals.tried(lambda: check_person_name(typed.legal_representative), "legal_representative")
    login_name = refusals.tried(lambda: check_login_name(typed.login_name))
    password = typed.password
    if password is not None:
        given = password
        password = refusals.tried(
            lambda: check_password(
                given, policy=policy, login_name=login_name, phone=agent_phone, document_number=number
            )
        )
    if refusals or number is None or full_name is None or representative is None or login_name is None:
        raise UnitDataRefused(tuple(refusals))
    return Checked(number, full_name, typed.region_code, representative, login_name, password)


def lookup_of(document_type: str, number: str) -> str:
    """Return the hash under which a unit is found by its canonical number."""
    return vault().lookup("unit_document", f"{document_type}:{number}")


def check_free(checked: Checked, *, asked_by: str) -> None:
    """Raise UnitNumberTaken or LoginNameTaken when a unit or somebody has what was typed; UnitNumberQuota (U4, P2).

    `asked_by` is the id of the agent who registers.
    """
    if not quota.claim(hot.reader(), f"unit_number:{asked_by}", allowed=NUMBERS_A_DAY, window=quota.DAY):
        raise UnitNumberQuota
    with transaction() as session:
        taken = _holder_of(session, UnitDocument.USCC, checked.document_number)
        refusal = None if taken is None else _number_taken(session, asked_by, taken)
        name_taken = session.get(LoginName, login_name_key(checked.login_name)) is not None
    if refusal is not None:
        raise refusal
    if name_taken:
        raise login_names.LoginNameTaken


def _holder_of(session: Session, document_type: UnitDocument, number: str) -> str | None:
    claim = lookup_of(document_type, number)
    return session.scalars(select(Unit.id).where(Unit.document_claim == claim)).one_or_none()


def report_number_taken(document_type: UnitDocument, number: str, *, asked_by: str) -> UnitNumberTaken:
    """Return the refusal for a registration that lost a race, after its transaction was rolled back."""
    with transaction() as session:
        return _number_taken(session, asked_by, _holder_of(session, document_type, number))


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


def add(session: Session, new: NewUnit, register_level: TrustLevel) -> Unit:
    """Add the unit with its claims on login name and number, at what the company register says; return it.

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
        trust_level=int(register_level),
        register_level=int(register_level),
        created_at=now,
    )
    session.add(unit)
    try:
        session.flush()
    except IntegrityError as error:
        raise NumberClaimed from error
    return unit
