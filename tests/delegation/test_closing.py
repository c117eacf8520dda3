"""Locking and cancelling accounts, and what follows for those who act (U13, U22, P13)."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from idp.audit.model import AuditEntry
from idp.delegation import closing, errors
from idp.delegation.acting import Allowed, Reason, Refused, may_act
from idp.delegation.closing import Order
from idp.delegation.model import Binding, BusinessGrant
from idp.persons.model import AccountKind, Person
from idp.sessions import browser_sessions
from idp.store import hot
from idp.store.db import db
from idp.units.model import Unit
from tests.support import fictional, rows
from tests.support.parallel import all_at_once

ORDER = Order("operator", "核实后处理")


class World:
    """An agent who is signed in, acts for a unit at a portal, and is at home there for themselves too."""

    def __init__(self) -> None:
        rows.client()
        self.unit_id, self.person_id = rows.unit(), rows.person()
        self.binding_id = rows.binding(self.unit_id, self.person_id, kind="common_contact")
        rows.grant(self.binding_id, rows.business())
        self.for_unit = rows.at_portal(self.person_id, self.unit_id, "rec.position")
        self.for_myself = rows.at_portal(self.person_id, None)
        self.unit_session = rows.signed_in(self.unit_id, AccountKind.UNIT)
        self.person_session = rows.signed_in(self.person_id)

    def answer(self) -> Allowed | Refused:
        return may_act(hot.reader(), self.person_id, self.unit_id, "rec.position", level=1)


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def test_locking_a_unit_shuts_it_and_leaves_the_person_alone(world: World) -> None:
    # U13
    closing.lock_unit(world.unit_id, ORDER)
    assert world.answer() == Refused(Reason.UNIT_INACTIVE)
    assert not rows.is_alive(world.for_unit)
    assert rows.is_alive(world.for_myself)
    assert browser_sessions.find(world.unit_session) is None
    assert browser_sessions.find(world.person_session) is not None


def test_unlocking_a_unit_gives_back_bindings_and_grants_but_no_session(world: World) -> None:
    closing.lock_unit(world.unit_id, ORDER)
    closing.unlock_unit(world.unit_id, ORDER)
    assert isinstance(world.answer(), Allowed)
    assert not rows.is_alive(world.for_unit)
    assert browser_sessions.find(world.unit_session) is None


def test_cancelling_a_unit_ends_all_and_frees_its_number(world: World) -> None:
    # U13, U22
    closing.cancel_unit(world.unit_id, ORDER)
    assert world.answer() == Refused(Reason.NOT_BOUND)
    assert not rows.is_alive(world.for_unit)
    binding = db.session.get_one(Binding, world.binding_id, populate_existing=True)
    assert (binding.status, binding.ended_by) == ("ended", "administrator")
    assert db.session.scalars(select(BusinessGrant.ended_why)).all() == ["unit_cancelled"]
    assert rows.unit(1, login_name="unit_anew")


def test_the_login_name_of_a_cancelled_unit_stays_taken(world: World) -> None:
    # P2: nobody may pass for who was there before
    closing.cancel_unit(world.unit_id, ORDER)
    with pytest.raises(IntegrityError):
        rows.unit(2, login_name="UNIT_0001")


def test_locking_a_person_ends_all_their_sessions(world: World) -> None:
    # U13
    closing.lock_person(world.person_id, ORDER)
    assert world.answer() == Refused(Reason.PERSON_INACTIVE)
    assert not rows.is_alive(world.for_unit)
    assert not rows.is_alive(world.for_myself)
    assert browser_sessions.find(world.person_session) is None
    assert browser_sessions.find(world.unit_session) is not None
    closing.unlock_person(world.person_id, ORDER)
    assert isinstance(world.answer(), Allowed)


def test_cancelling_a_person_ends_their_bindings_a_contacts_too(world: World) -> None:
    # U13, U22
    closing.cancel_person(world.person_id, ORDER)
    assert world.answer() == Refused(Reason.NOT_BOUND)
    assert not rows.is_alive(world.for_unit)
    assert rows.person(0, login_name="begins_anew"), "document and phone are free again"


def test_cancelling_one_of_two_accounts_leaves_the_claims_with_the_other(app: Flask) -> None:
    # P13, P4
    first = rows.person(0)
    second = rows.person(0, login_name="imported_twice", document_claim=None, phone_claim=None)
    closing.cancel_person(first, ORDER)
    left = db.session.get_one(Person, second, populate_existing=True)
    assert left.document_claim == left.document_lookup
    assert left.phone_claim == left.phone_lookup
    with pytest.raises(IntegrityError):
        rows.person(0, login_name="third_account")


def test_cancelling_the_account_without_claims_leaves_them(app: Flask) -> None:
    # P13
    first = rows.person(0)
    second = rows.person(0, login_name="imported_twice", document_claim=None, phone_claim=None)
    closing.cancel_person(second, ORDER)
    left = db.session.get_one(Person, first, populate_existing=True)
    assert left.document_claim == left.document_lookup


@pytest.mark.parametrize(
    ("change", "action"),
    [(closing.lock_unit, "unit.locked"), (closing.cancel_unit, "unit.cancelled")],
)
def test_the_reason_stands_in_the_audit(app: Flask, change: Callable[[str, Order], None], action: str) -> None:
    # U22: with a reason, audited
    unit_id = rows.unit()
    change(unit_id, ORDER)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()
    assert (entry.actor_id, entry.subject_id, entry.unit_id) == ("operator", unit_id, unit_id)
    assert entry.details == {"reason": "核实后处理"}


def test_a_change_that_was_made_already_is_refused(app: Flask) -> None:
    unit_id, person_id = rows.unit(), rows.person()
    closing.lock_unit(unit_id, ORDER)
    with pytest.raises(errors.AccountGone):
        closing.lock_unit(unit_id, ORDER)
    closing.cancel_unit(unit_id, ORDER)
    for change in (closing.lock_unit, closing.unlock_unit, closing.cancel_unit):
        with pytest.raises(errors.AccountGone):
            change(unit_id, ORDER)
    with pytest.raises(errors.AccountGone):
        closing.unlock_person(person_id, ORDER)
    assert db.session.get_one(Unit, unit_id, populate_existing=True).status == "cancelled"


def test_locking_at_once_happens_once(app: Flask) -> None:
    person_id = rows.person(3, full_name=fictional.person_name(3))
    results = all_at_once(app, [lambda: closing.lock_person(person_id, ORDER)] * 4)
    assert results.count(None) == 1
