"""Bindings: a unit asks, a person accepts, either ends it (U9, U10, U12, P14).

Whoever changes a binding first locks its unit's row, so that the bindings of one unit change one after the other.
Only so can two who set another common contact at once both succeed: the database refuses to see two of them.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.delegation import errors, grant_requests
from idp.delegation.model import Binding, BindingKind, BindingStatus, BusinessGrant
from idp.errors import DomainError
from idp.notify import quota, sms
from idp.persons.model import AccountKind, AccountStatus, LoginName, Person
from idp.rules.documents import PersonDocument, check_person_document
from idp.rules.login_names import login_name_key
from idp.rules.names import check_person_name
from idp.sessions import portal_sessions
from idp.store import hot
from idp.store.db import transaction
from idp.units.model import Unit

BY_UNIT, BY_PERSON = "unit", "person"
NO_CONTACT = Binding.kind != BindingKind.COMMON_CONTACT
MISMATCHES_A_DAY = 30


@dataclass(frozen=True, slots=True)
class WantedPerson:
    """What a unit says of the person it asks for. All of it must be right (U9)."""

    full_name: str
    document_type: PersonDocument
    document_number: str
    login_name: str


def request(unit_id: str, wanted: WantedPerson, kind: BindingKind) -> str:
    """Ask a person to be bound to the unit as `kind`; return the pending binding's id (U9).

    The person is told by SMS. Raises DocumentRefused and PersonNameRefused for what can be no number or name,
    PersonNotFound for anything that does not match, whatever it is, AlreadyBound, AccountGone, and TooManyTries: a
    unit that tries persons is counted before the answer.
    """
    name = check_person_name(wanted.full_name)
    number = check_person_document(wanted.document_type, wanted.document_number, today=clock.today())
    tries = f"binding:{unit_id}"
    if not quota.claim(hot.reader(), tries, allowed=MISMATCHES_A_DAY, window=quota.DAY):
        raise errors.TooManyTries
    with transaction() as session:
        unit = lock_unit(session, unit_id)
        if unit is None or unit.status != AccountStatus.ACTIVE:
            raise errors.AccountGone
        person = _person_like(session, name, wanted.document_type, number, wanted.login_name)
        binding_id = None if person is None else _ask(session, unit, person, kind)
        outcome = "ok" if binding_id else "failed"
        record(
            session,
            Entry(
                "binding.requested",
                actor_id=unit_id,
                unit_id=unit_id,
                subject_id=person.id if person else None,
                outcome=outcome,
                details={"kind": kind, "binding": binding_id},
            ),
        )
    if binding_id is None:
        raise errors.PersonNotFound
    quota.give_back(hot.reader(), tries)
    return binding_id


def _person_like(session: Session, name: str, kind: PersonDocument, number: str, login_name: str) -> Person | None:
    person = session.scalars(
        select(Person)
        .join(LoginName, and_(LoginName.owner_id == Person.id, LoginName.kind == AccountKind.PERSON))
        .where(LoginName.key == login_name_key(login_name), Person.status == AccountStatus.ACTIVE)
    ).one_or_none()
    if person is None:
        return None
    same = (person.full_name, person.document_type, person.document_number) == (name, kind, number)
    return person if same else None


def _ask(session: Session, unit: Unit, person: Person, kind: BindingKind) -> str:
    binding = Binding(
        id=ids.new_id(ids.BINDING),
        unit_id=unit.id,
        person_id=person.id,
        kind=kind,
        status=BindingStatus.PENDING,
        proven_by="acceptance",
        requested_at=clock.now(),
    )
    session.add(binding)
    try:
        session.flush()
    except IntegrityError as error:
        raise errors.AlreadyBound from error
    sms.tell(session, person.phone, "binding_requested", unit=unit.full_name)
    return binding.id


def accept(person_id: str, binding_id: str) -> None:
    """Accept a request; only now is the person bound (U10). Raises BindingGone.

    Who accepts to be the common contact takes the place of the one before, who stays bound as an agent.
    """
    with transaction() as session:
        asked = session.execute(
            select(Binding.unit_id, Binding.kind).where(Binding.id == binding_id, Binding.person_id == person_id)
        ).one_or_none()
        if asked is None:
            raise errors.BindingGone
        unit_id, kind = asked
        unit = lock_unit(session, unit_id)
        if unit is None or unit.status != AccountStatus.ACTIVE:
            raise errors.BindingGone
        _answer(session, person_id, binding_id, BindingStatus.ACTIVE)
        if kind == BindingKind.COMMON_CONTACT:
            _make_common_contact(session, unit_id, binding_id)
        record(
            session,
            Entry(
                "binding.accepted",
                actor_id=person_id,
                subject_id=person_id,
                unit_id=unit_id,
                details={"binding": binding_id, "kind": kind},
            ),
        )


def refuse(person_id: str, binding_id: str) -> None:
    """Refuse a request (P14). Raises BindingGone."""
    with transaction() as session:
        unit_id = _answer(session, person_id, binding_id, BindingStatus.REFUSED)
        record(
            session,
            Entry(
                "binding.refused",
                actor_id=person_id,
                subject_id=person_id,
                unit_id=unit_id,
                details={"binding": binding_id},
            ),
        )


def _answer(session: Session, person_id: str, binding_id: str, answer: BindingStatus) -> str:
    """Claim the answer to a pending request and return its unit's id."""
    # Who accepts is an agent at first: the unit may still have another common contact.
    kind = BindingKind.AGENT if answer is BindingStatus.ACTIVE else Binding.kind
    unit_id = session.execute(
        update(Binding)
        .where(Binding.id == binding_id, Binding.person_id == person_id, Binding.status == BindingStatus.PENDING)
        .values(status=answer, decided_at=clock.now(), kind=kind)
        .returning(Binding.unit_id)
    ).scalar_one_or_none()
    if unit_id is None:
        raise errors.BindingGone
    return unit_id


def set_common_contact(unit_id: str, binding_id: str) -> None:
    """Make a bound person the unit's one common contact; the one before stays bound as an agent (U8, U12).

    Raises BindingGone.
    """
    with transaction() as session:
        lock_unit(session, unit_id)
        person_id = _make_common_contact(session, unit_id, binding_id)
        record(
            session,
            Entry(
                "binding.common_contact_set",
                actor_id=unit_id,
                subject_id=person_id,
                unit_id=unit_id,
                details={"binding": binding_id},
            ),
        )


def _make_common_contact(session: Session, unit_id: str, binding_id: str) -> str:
    session.execute(
        update(Binding)
        .where(
            Binding.unit_id == unit_id,
            Binding.id != binding_id,
            Binding.status == BindingStatus.ACTIVE,
            Binding.kind == BindingKind.COMMON_CONTACT,
        )
        .values(kind=BindingKind.AGENT)
    )
    person_id = session.execute(
        update(Binding)
        .where(Binding.id == binding_id, Binding.unit_id == unit_id, Binding.status == BindingStatus.ACTIVE)
        .values(kind=BindingKind.COMMON_CONTACT)
        .returning(Binding.person_id)
    ).scalar_one_or_none()
    if person_id is None:
        raise errors.BindingGone
    return person_id


def withdraw_request(unit_id: str, binding_id: str) -> None:
    """Take a request back that the person has not answered yet. Raises BindingGone."""
    with transaction() as session:
        waiting = and_(Binding.unit_id == unit_id, Binding.status == BindingStatus.PENDING)
        if not _end(session, binding_id, waiting, by=BY_UNIT):
            raise errors.BindingGone


def unbind(unit_id: str, binding_id: str) -> None:
    """End an active binding of the unit (取消绑定, U12); it takes effect at once everywhere (U13).

    Raises BindingGone, CommonContactStays.
    """
    with transaction() as session:
        lock_unit(session, unit_id)
        ours = and_(Binding.unit_id == unit_id, Binding.status == BindingStatus.ACTIVE)
        if not _end(session, binding_id, and_(ours, NO_CONTACT), by=BY_UNIT):
            raise _why_not_ended(session, binding_id, errors.CommonContactStays, ours)


def leave(person_id: str, binding_id: str) -> None:
    """End one's own binding (P14); it takes effect at once everywhere (U13).

    U12 holds here too: without a common contact a verified unit could never find its password again (U20).
    Raises BindingGone, CommonContactCannotLeave.
    """
    with transaction() as session:
        unit_id = session.scalars(
            select(Binding.unit_id).where(Binding.id == binding_id, Binding.person_id == person_id)
        ).one_or_none()
        if unit_id is None:
            raise errors.BindingGone
        lock_unit(session, unit_id)
        mine = and_(Binding.person_id == person_id, Binding.status == BindingStatus.ACTIVE)
        if not _end(session, binding_id, and_(mine, NO_CONTACT), by=BY_PERSON):
            raise _why_not_ended(session, binding_id, errors.CommonContactCannotLeave, mine)


def _end(session: Session, binding_id: str, which: ColumnElement[bool], *, by: str) -> bool:
    """Claim the end of a binding that is still like `which`, and undo all that hangs on it."""
    ended = session.execute(
        update(Binding)
        .where(Binding.id == binding_id, which)
        .values(status=BindingStatus.ENDED, ended_at=clock.now(), ended_by=by)
        .returning(Binding.unit_id, Binding.person_id)
    ).one_or_none()
    if ended is None:
        return False
    unit_id, person_id = ended
    undo(session, binding_id, person_id, unit_id, why="unbound")
    actor = unit_id if by == BY_UNIT else person_id
    record(
        session,
        Entry(
            "binding.ended",
            actor_id=actor,
            subject_id=person_id,
            unit_id=unit_id,
            details={"binding": binding_id, "by": by},
        ),
    )
    return True


def _why_not_ended(
    session: Session, binding_id: str, if_contact: type[DomainError], whose: ColumnElement[bool]
) -> DomainError:
    contact = session.scalars(select(Binding.id).where(Binding.id == binding_id, whose, ~NO_CONTACT)).one_or_none()
    return errors.BindingGone() if contact is None else if_contact()


def undo(session: Session, binding_id: str, person_id: str, unit_id: str, *, why: str) -> None:
    """Close the grants of a binding, and requests for more; end what its person holds for its unit anywhere (U13)."""
    grant_requests.drop(session, binding_id)
    session.execute(
        update(BusinessGrant)
        .where(BusinessGrant.binding_id == binding_id, BusinessGrant.ended_at.is_(None))
        .values(ended_at=clock.now(), ended_why=why)
    )
    portal_sessions.end_of_pair(session, person_id=person_id, unit_id=unit_id, why=why)


def lock_unit(session: Session, unit_id: str) -> Unit | None:
    """Let the caller be the only one who changes this unit's bindings until its transaction ends.

    SQLite has one writer anyway. KEY SHARE lets others go on who only refer to the unit by a foreign key.
    """
    return session.scalars(
        select(Unit)
        .where(Unit.id == unit_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
