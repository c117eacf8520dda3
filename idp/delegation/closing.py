"""Locking, unlocking and cancelling accounts (U22, A3), with all that follows for those who act for them (U13).

Each is for an administrator or the operator, who gives a reason in words; it goes into the audit.
"""

from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.log import Entry, record
from idp.delegation import bindings, errors
from idp.delegation.model import Binding, BindingStatus
from idp.persons.model import AccountStatus, Person
from idp.sessions import browser_sessions, portal_sessions
from idp.store.db import transaction
from idp.units.model import Unit

Account = TypeVar("Account", Person, Unit)

BY_ADMINISTRATOR, SUPERSEDED = "administrator", "superseded"


@dataclass(frozen=True, slots=True)
class Order:
    """Who orders it, and why: an administrator's id, "operator" at the command line, an upstream's name.

    `ended_by` is what bindings say that end with the account.
    """

    actor_id: str
    reason: str
    ended_by: str = BY_ADMINISTRATOR


def lock_unit(unit_id: str, order: Order) -> None:
    """Lock a unit: nobody signs in as it or acts for it until it is unlocked. Raises AccountGone."""
    with transaction() as session:
        bindings.lock_unit(session, unit_id)
        _turn(session, Unit, unit_id, AccountStatus.ACTIVE, AccountStatus.LOCKED)
        _shut(session, unit_id, Binding.unit_id == unit_id, why="unit_locked")
        _record(session, "unit.locked", unit_id, order)


def unlock_unit(unit_id: str, order: Order) -> None:
    """Unlock a unit. Bindings and grants are as they were; sessions are not. Raises AccountGone."""
    with transaction() as session:
        _turn(session, Unit, unit_id, AccountStatus.LOCKED, AccountStatus.ACTIVE)
        _record(session, "unit.unlocked", unit_id, order)


def cancel_unit(unit_id: str, order: Order) -> None:
    """Cancel a unit for good (注销): its number may be registered again, its login name not. Raises AccountGone."""
    with transaction() as session:
        bindings.lock_unit(session, unit_id)
        unit = _end_account(session, Unit, unit_id)
        unit.document_claim = None
        _shut(session, unit_id, Binding.unit_id == unit_id, why="unit_cancelled")
        _end_bindings(session, Binding.unit_id == unit_id, why="unit_cancelled", by=order.ended_by)
        _record(session, "unit.cancelled", unit_id, order)


def lock_person(person_id: str, order: Order) -> None:
    """Lock a person out, for whomever they act, until they are unlocked. Raises AccountGone."""
    with transaction() as session:
        _turn(session, Person, person_id, AccountStatus.ACTIVE, AccountStatus.LOCKED)
        _shut(session, person_id, Binding.person_id == person_id, why="person_locked")
        _record(session, "person.locked", person_id, order)


def unlock_person(person_id: str, order: Order) -> None:
    """Unlock a person. Bindings and grants are as they were; sessions are not. Raises AccountGone."""
    with transaction() as session:
        _turn(session, Person, person_id, AccountStatus.LOCKED, AccountStatus.ACTIVE)
        _record(session, "person.unlocked", person_id, order)


def cancel_person(person_id: str, order: Order) -> None:
    """Cancel a person's account for good (注销). Document and phone are free again, the login name is not.

    Where the person has another account (P13), that one now holds the claims. Raises AccountGone.
    """
    with transaction() as session:
        cancel_person_within(session, person_id, order)


def cancel_person_within(session: Session, person_id: str, order: Order) -> None:
    """Cancel a person's account in the transaction of who decided it. Raises AccountGone."""
    person = _end_account(session, Person, person_id)
    _hand_over_claims(session, person)
    _shut(session, person_id, Binding.person_id == person_id, why="person_cancelled")
    _end_bindings(session, Binding.person_id == person_id, why="person_cancelled", by=order.ended_by)
    _record(session, "person.cancelled", person_id, order)


def _turn(
    session: Session, account: type[Person] | type[Unit], account_id: str, old: AccountStatus, new: AccountStatus
) -> None:
    """Claim the change of an account's status. Raises AccountGone for all callers but one."""
    turned = session.execute(
        update(account).where(account.id == account_id, account.status == old).values(status=new).returning(account.id)
    ).one_or_none()
    if turned is None:
        raise errors.AccountGone


def _end_account(session: Session, account: type[Account], account_id: str) -> Account:
    ended = session.execute(
        update(account)
        .where(account.id == account_id, account.status != AccountStatus.CANCELLED)
        .values(status=AccountStatus.CANCELLED)
        .returning(account.id)
    ).one_or_none()
    if ended is None:
        raise errors.AccountGone
    return session.get_one(account, account_id, populate_existing=True)


def _hand_over_claims(session: Session, person: Person) -> None:
    document, phone = person.document_claim, person.phone_claim
    person.document_claim = None
    person.phone_claim = None
    session.flush()
    others = select(Person).where(Person.status != AccountStatus.CANCELLED).order_by(Person.created_at, Person.id)
    heir = session.scalars(others.where(Person.document_lookup == document).limit(1)).one_or_none()
    if document is not None and heir is not None:
        heir.document_claim = document
    heir = session.scalars(others.where(Person.phone_lookup == phone).limit(1)).one_or_none()
    if phone is not None and heir is not None:
        heir.phone_claim = phone


def _shut(session: Session, account_id: str, whose: ColumnElement[bool], *, why: str) -> None:
    """End the account's own sessions, and those of everybody who acts under its active bindings."""
    browser_sessions.end_all_of(session, account_id, why=why)
    for unit_id, person_id in session.execute(
        select(Binding.unit_id, Binding.person_id).where(whose, Binding.status == BindingStatus.ACTIVE)
    ).all():
        portal_sessions.end_of_pair(session, person_id=person_id, unit_id=unit_id, why=why)


def _end_bindings(session: Session, whose: ColumnElement[bool], *, why: str, by: str) -> None:
    """End open bindings, a common contact's too: nobody is left to set another one, or must."""
    ended = session.execute(
        update(Binding)
        .where(whose, or_(Binding.status == BindingStatus.PENDING, Binding.status == BindingStatus.ACTIVE))
        .values(status=BindingStatus.ENDED, ended_at=clock.now(), ended_by=by)
        .returning(Binding.id, Binding.person_id, Binding.unit_id)
    )
    for binding_id, person_id, unit_id in ended.all():
        bindings.undo(session, binding_id, person_id, unit_id, why=why)


def _record(session: Session, action: str, subject_id: str, order: Order) -> None:
    unit_id = subject_id if action.startswith("unit.") else None
    details = {"reason": order.reason}
    record(session, Entry(action, actor_id=order.actor_id, subject_id=subject_id, unit_id=unit_id, details=details))
