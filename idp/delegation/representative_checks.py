"""The way of a face check (U18): the register compared, the check begun at the authority, followed, decided once.

What is checked is the legal representative whom the register names, by the document that the register knows: nothing
that the unit typed decides whose face it is.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import select, update

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.delegation.model import Business, RepresentativeCheck
from idp.errors import DomainError
from idp.gateways.company_register import Company, CompanyRegister
from idp.gateways.errors import GatewayUnavailable
from idp.gateways.face_check import FaceCheck, FaceResult, FaceState
from idp.notify import quota
from idp.store import hot
from idp.store.db import db, release, transaction
from idp.units import register_check
from idp.units.model import Unit
from idp.units.register_check import Comparison, Difference, RegisterAnswer

CHECK = "f_"
LONGEST_BUSINESS, LONGEST_UNIT = 28, 30
"""Characters of a purpose, which has room for 60."""
DAILY_CHECKS = 10
WAITS = timedelta(minutes=10)
"""So long a check may stay open here; the authority ends its own sooner."""
SERVES = timedelta(minutes=5)
"""So long what was passed may be used: the page follows within seconds, a person without scripts presses a button."""


class RegisterDiffers(DomainError):
    """The unit's data is not that of the register: to be completed first (U18). `company` is the register's entry."""

    code: ClassVar[str] = "representative_data_differs"
    status = 409

    def __init__(self, differences: tuple[Difference, ...], company: Company) -> None:
        super().__init__()
        self.differences = differences
        self.company = company


class NotInRegister(DomainError):
    """The register has no entry of the unit's code."""

    code: ClassVar[str] = "representative_not_in_register"
    status = 409


class RepresentativeUnknown(DomainError):
    """The register does not know the legal representative's document: nobody's face can be compared."""

    code: ClassVar[str] = "representative_unknown"
    status = 409


class ChecksUsedUp(DomainError):
    """Too many checks of this unit in a day."""

    code: ClassVar[str] = "representative_quota"
    status = 429


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a check is for: one request, one unit, one business, at one client."""

    interaction_id: str
    unit_id: str
    business: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check as its page shows it."""

    id: str
    state: FaceState
    url: str = field(repr=False)
    gateway_id: str


def current(wanted: Wanted) -> Check | None:
    """Return the newest check for it that was not used; None: there is none. One that waited too long has expired."""
    row = db.session.scalars(
        select(RepresentativeCheck)
        .where(
            RepresentativeCheck.interaction_id == wanted.interaction_id,
            RepresentativeCheck.unit_id == wanted.unit_id,
            RepresentativeCheck.business_code == wanted.business,
            RepresentativeCheck.used_at.is_(None),
        )
        .order_by(RepresentativeCheck.created_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    over = row.expires_at <= clock.now() and row.state != FaceState.FAILED
    return Check(row.id, FaceState.EXPIRED if over else FaceState(row.state), row.url, row.gateway_id)


def begin(wanted: Wanted, register: CompanyRegister, face_check: FaceCheck) -> None:
    """Compare the unit with the register, and begin a check of its legal representative. Calls the outside.

    Raises RegisterDiffers, NotInRegister, RepresentativeUnknown, ChecksUsedUp, both gateway errors.
    """
    unit = db.session.scalars(select(Unit).where(Unit.id == wanted.unit_id)).one()
    purpose = _purpose(unit.full_name, db.session.get_one(Business, wanted.business).name)
    data = {"document_type": unit.document_type, "number": unit.document_number, "name": unit.full_name}
    representative = unit.legal_representative
    release()
    comparison = register_check.compare_closely(register, **data, legal_representative=representative)
    name, document = _representative(wanted, comparison)
    _count(wanted)
    try:
        begun = face_check.begin(name=name, document_number=document, purpose=purpose)
    except GatewayUnavailable:
        with transaction() as session:
            quota.give_back(hot.within(session), _quota_key(wanted))
        raise
    now = clock.now()
    with transaction() as session:
        session.execute(
            update(RepresentativeCheck)
            .where(
                RepresentativeCheck.interaction_id == wanted.interaction_id,
                RepresentativeCheck.state == FaceState.PENDING,
            )
            .values(state=FaceState.EXPIRED)
        )
        check = RepresentativeCheck(
            id=ids.new_id(CHECK),
            interaction_id=wanted.interaction_id,
            unit_id=wanted.unit_id,
            business_code=wanted.business,
            gateway_id=begun.id,
            url=begun.url,
            state=FaceState.PENDING,
            created_at=now,
            expires_at=now + WAITS,
        )
        session.add(check)
        record(session, _entry("representative.check_begun", wanted, check=check.id))


def _representative(wanted: Wanted, comparison: Comparison) -> tuple[str, str]:
    """Return name and document number of the legal representative, of a unit whose data agrees with the register."""
    if comparison.answer is RegisterAnswer.UNAVAILABLE:
        raise GatewayUnavailable("company_register", "silent")
    company = comparison.company
    if company is not None and not comparison.differences:
        if company.legal_representative_document is None:
            raise RepresentativeUnknown
        return company.legal_representative, company.legal_representative_document
    differences = [each.value for each in comparison.differences]
    with transaction() as session:
        details = {"register": comparison.answer, "differences": differences}
        record(session, _entry("representative.compared", wanted, outcome="refused", **details))
    if company is None:
        raise NotInRegister
    raise RegisterDiffers(comparison.differences, company)


def _purpose(unit: str, business: str) -> str:
    """Return what the phone's page says that the face is for: who was sent a stranger's code reads it there."""
    return f"{business[:LONGEST_BUSINESS]}（{unit[:LONGEST_UNIT]}）"


def _quota_key(wanted: Wanted) -> str:
    return f"face:{wanted.unit_id}"


def _count(wanted: Wanted) -> None:
    with transaction() as session:
        if not quota.claim(hot.within(session), _quota_key(wanted), allowed=DAILY_CHECKS, window=quota.DAY):
            raise ChecksUsedUp


def follow(wanted: Wanted, face_check: FaceCheck) -> Check | None:
    """Ask the authority how the check stands, note a decision, and return the check. Calls the outside.

    Raises both gateway errors; the check waits on then.
    """
    check = current(wanted)
    if check is None or check.state is not FaceState.PENDING:
        return check
    release()
    result = face_check.result(check.gateway_id)
    if result.state is not FaceState.PENDING:
        _decide(wanted, check, result)
    return current(wanted)


def _decide(wanted: Wanted, check: Check, result: FaceResult) -> None:
    """Note the decision, if nobody did before: a check is decided once, whoever asks how often."""
    values: dict[str, Any] = {"state": result.state, "reference": result.reference}
    if result.state is FaceState.PASSED:
        values["expires_at"] = clock.now() + SERVES
    with transaction() as session:
        decided = session.execute(
            update(RepresentativeCheck)
            .where(RepresentativeCheck.id == check.id, RepresentativeCheck.state == FaceState.PENDING)
            .values(**values)
            .returning(RepresentativeCheck.id)
        ).one_or_none()
        if decided is not None:
            outcome = "ok" if result.state is FaceState.PASSED else "failed"
            details = {"check": check.id, "state": result.state, "reference": result.reference}
            record(session, _entry("representative.check_decided", wanted, outcome=outcome, **details))


def _entry(action: str, wanted: Wanted, *, outcome: str = "ok", **details: object) -> Entry:
    return Entry(
        action,
        actor_id=wanted.unit_id,
        subject_id=wanted.unit_id,
        unit_id=wanted.unit_id,
        client_id=wanted.client_id,
        outcome=outcome,
        details={"business": wanted.business, **details},
    )
