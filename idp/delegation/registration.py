"""Registering a unit by its agent (U1): who may, and the one transaction that does it.

The agent who registers has just proven who they are, so they are bound at once, and granted nothing (U8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.delegation import errors
from idp.delegation.model import Binding, BindingKind, BindingStatus
from idp.errors import DomainError
from idp.gateways.company_register import CompanyRegister
from idp.notify import quota, sms_codes
from idp.notify.sms_codes import Proof
from idp.persons.model import AccountKind, AccountStatus, LoginName, Person
from idp.rules.documents import PersonDocument, check_person_document
from idp.rules.levels import RealNameLevel, TrustLevel
from idp.rules.login_names import login_name_key
from idp.store import hot
from idp.store.base import vault
from idp.store.db import db, release, transaction
from idp.units import register_check, registration
from idp.units.register_check import RegisterAnswer
from idp.units.registration import NewUnit, NumberClaimed

PROVEN_BY = "registration"
SMS_PURPOSE = "unit_registration"
MISMATCHES_A_DAY = 20


@dataclass(frozen=True, slots=True)
class Agent:
    """The person who registers a unit. The phone (E.164) is where the code goes."""

    person_id: str
    phone: str = field(repr=False)


def find_agent(login_name: str, document_number: str) -> Agent:
    """Return the active person with this login name and document number, at least at 二级实名, of any document (U5).

    Raises AgentMismatch, the same whichever of the two is wrong, AgentLevelTooLow (U2), PersonDataWrong (P13), and
    TooManyTries: whoever tries document numbers with a login name is counted before the answer.
    """
    key = "agent:" + vault().lookup("login_name", login_name_key(login_name.strip()))
    if not quota.claim(hot.reader(), key, allowed=MISMATCHES_A_DAY, window=quota.DAY):
        raise errors.TooManyTries
    person = _person_with(db.session(), login_name.strip(), document_number)
    quota.give_back(hot.reader(), key)
    _check_agent(db.session(), person)
    return Agent(person.id, person.phone)


def _person_with(session: Session, login_name: str, document_number: str) -> Person:
    person = session.scalars(
        select(Person)
        .join(LoginName, (LoginName.owner_id == Person.id) & (LoginName.kind == AccountKind.PERSON))
        .where(LoginName.key == login_name_key(login_name), Person.status == AccountStatus.ACTIVE)
    ).one_or_none()
    if person is None or not _has_number(person, document_number):
        raise errors.AgentMismatch
    return person


def agent(person_id: str) -> Agent:
    """Return the person whom `find_agent` found before. Raises what it raises: things may have changed since."""
    session = db.session()
    person = session.get(Person, person_id)
    if person is None:
        raise errors.AgentMismatch
    _check_agent(session, person)
    return Agent(person.id, person.phone)


def _has_number(person: Person, typed: str) -> bool:
    try:
        number = check_person_document(PersonDocument(person.document_type), typed, today=clock.today())
    except DomainError:
        return False
    return number == person.document_number


def _check_agent(session: Session, person: Person) -> None:
    if person.status != AccountStatus.ACTIVE:
        raise errors.AgentMismatch
    accounts = session.scalars(
        select(func.count())
        .select_from(Person)
        .where(Person.document_lookup == person.document_lookup, Person.status == AccountStatus.ACTIVE)
    ).one()
    if accounts > 1:
        raise errors.PersonDataWrong
    if person.real_name_level < RealNameLevel.TWO:
        raise errors.AgentLevelTooLow


def register(agent_id: str, new: NewUnit, company_register: CompanyRegister, proof: Proof | None = None) -> str:
    """Create the unit, bind its agent and return the unit's id.

    `proof` is the SMS code for the agent's phone; without one the caller vouches for the agent (an import).
    The company register is asked first, outside the transaction; see `idp.units.register_check` for what its answer
    does. Raises what `find_agent` does, LoginNameTaken, RegionIncomplete, and UnitNumberTaken, also when another
    registration of the same number was faster by a moment; SmsCodeInvalid when another request used the code.
    """
    release()
    answer = register_check.compare(
        company_register,
        document_type=new.document_type,
        number=new.document_number,
        name=new.full_name,
        legal_representative=new.legal_representative,
    )
    try:
        return _register(agent_id, new, answer, proof)
    except NumberClaimed:
        raise registration.report_number_taken(new.document_type, new.document_number, asked_by=agent_id) from None


def _register(agent_id: str, new: NewUnit, answer: RegisterAnswer, proof: Proof | None) -> str:
    with transaction() as session:
        return add_within(session, agent_id, new, answer.trust_level, proof, {"register": answer})


def add_within(
    session: Session,
    agent_id: str,
    new: NewUnit,
    register_level: TrustLevel,
    proof: Proof | None,
    told: Mapping[str, object],
) -> str:
    """Add the unit and bind its agent, in the caller's transaction; return the unit's id.

    `told` is what the audit says of where the data comes from. Raises what `find_agent` does, LoginNameTaken,
    RegionIncomplete, SmsCodeInvalid, and NumberClaimed: the transaction must then be given up.
    """
    person = session.get(Person, agent_id)
    if person is None:
        raise errors.AgentMismatch
    _check_agent(session, person)
    if proof is not None:
        sms_codes.use(session, proof)
    unit = registration.add(session, new, register_level)
    now = clock.now()
    binding = Binding(
        id=ids.new_id(ids.BINDING),
        unit_id=unit.id,
        person_id=person.id,
        kind=BindingKind.AGENT,
        status=BindingStatus.ACTIVE,
        proven_by=PROVEN_BY,
        requested_at=now,
        decided_at=now,
    )
    session.add(binding)
    details = {**told, "binding": binding.id, "document_type": new.document_type}
    record(
        session,
        Entry("unit.registered", actor_id=person.id, subject_id=unit.id, unit_id=unit.id, details=details),
    )
    return unit.id
