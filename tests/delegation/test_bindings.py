"""Bindings between units and persons (U8–U10, U12, U13, P14)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import clock
from idp.audit.model import AuditEntry
from idp.delegation import bindings, errors
from idp.delegation.acting import Reason, Refused, may_act
from idp.delegation.bindings import WantedPerson
from idp.delegation.model import Binding, BindingKind, BindingStatus
from idp.notify.model import OutboxMessage
from idp.rules.documents import PersonDocument
from idp.rules.documents.errors import DocumentCheckDigit
from idp.store import hot
from idp.store.db import db
from tests.support import fictional, rows
from tests.support.parallel import all_at_once

WANTED = WantedPerson(
    fictional.person_name(0), PersonDocument.RESIDENT_ID, fictional.resident_id(0), fictional.login_name(0)
)


def read(binding_id: str) -> Binding:
    return db.session.get_one(Binding, binding_id, populate_existing=True)


def contacts_of(unit_id: str) -> list[str]:
    return list(
        db.session.scalars(
            select(Binding.id).where(
                Binding.unit_id == unit_id,
                Binding.status == BindingStatus.ACTIVE,
                Binding.kind == BindingKind.COMMON_CONTACT,
            )
        )
    )


def messages() -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in db.session.scalars(select(OutboxMessage.payload))]


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_unit_asks_and_the_person_is_told(app: Flask) -> None:
    # U9
    unit_id, person_id = rows.unit(), rows.person(0)
    binding_id = bindings.request(unit_id, WANTED, BindingKind.AGENT)
    found = read(binding_id)
    assert (found.unit_id, found.person_id, found.status, found.kind) == (unit_id, person_id, "pending", "agent")
    (sms,) = messages()
    assert sms == {
        "phone": fictional.mobile(0),
        "template": "binding_requested",
        "params": {"unit": fictional.unit_name(1)},
    }
    assert actions() == ["binding.requested"]


def test_asking_binds_nobody_yet(app: Flask) -> None:
    # U10: only then is it bound
    unit_id, person_id = rows.unit(), rows.person(0)
    bindings.request(unit_id, WANTED, BindingKind.AGENT)
    assert may_act(hot.reader(), person_id, unit_id, "any", level=3) == Refused(Reason.NOT_BOUND)


def test_the_login_name_is_found_without_regard_to_case(app: Flask) -> None:
    # P2
    unit_id = rows.unit()
    rows.person(0)
    bindings.request(unit_id, replace(WANTED, login_name=fictional.login_name(0).upper()), BindingKind.AGENT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"full_name": "辛未"},
        {"document_number": fictional.resident_id(1)},
        {"document_type": PersonDocument.PASSPORT, "document_number": fictional.passport()},
        {"login_name": fictional.login_name(1)},
        {"login_name": "nobody_at_all"},
        {"login_name": "unit_0001"},
        {"login_name": ""},
    ],
    ids=["name", "number", "type", "login name of another", "unknown login name", "login name of a unit", "nothing"],
)
def test_whatever_does_not_match_gets_the_same_answer(app: Flask, wrong: dict[str, Any]) -> None:
    # U9
    unit_id = rows.unit()
    rows.person(0)
    rows.person(1)
    with pytest.raises(errors.PersonNotFound) as caught:
        bindings.request(unit_id, replace(WANTED, **wrong), BindingKind.AGENT)
    assert (caught.value.field, caught.value.facts) == (None, {})
    assert messages() == []
    assert actions() == ["binding.requested"], "a unit that tries numbers leaves a trace"


def test_a_person_who_is_not_active_is_not_found(app: Flask) -> None:
    # U9
    unit_id = rows.unit()
    rows.person(0, status="cancelled")
    with pytest.raises(errors.PersonNotFound):
        bindings.request(unit_id, WANTED, BindingKind.AGENT)


def test_a_number_that_cannot_be_one_is_said_to_be_wrong(app: Flask) -> None:
    unit_id = rows.unit()
    with pytest.raises(DocumentCheckDigit):
        bindings.request(unit_id, replace(WANTED, document_number="440106188001010011"), BindingKind.AGENT)


@pytest.mark.parametrize("open_status", ["pending", "active"])
def test_a_pair_has_one_open_binding(app: Flask, open_status: str) -> None:
    # U9
    unit_id = rows.unit()
    rows.binding(unit_id, rows.person(0), status=open_status)
    with pytest.raises(errors.AlreadyBound):
        bindings.request(unit_id, WANTED, BindingKind.AGENT)


@pytest.mark.parametrize("closed_status", ["refused", "ended"])
def test_a_pair_may_begin_anew(app: Flask, closed_status: str) -> None:
    unit_id = rows.unit()
    rows.binding(unit_id, rows.person(0), status=closed_status)
    assert bindings.request(unit_id, WANTED, BindingKind.AGENT)


def test_a_locked_unit_asks_nobody(app: Flask) -> None:
    # U13
    unit_id = rows.unit(1, status="locked")
    rows.person(0)
    with pytest.raises(errors.AccountGone):
        bindings.request(unit_id, WANTED, BindingKind.AGENT)


def test_parallel_requests_leave_one(app: Flask) -> None:
    # U9: one open binding a pair
    unit_id = rows.unit()
    rows.person(0)
    works = [lambda: bindings.request(unit_id, WANTED, BindingKind.AGENT)] * 6
    results = all_at_once(app, works)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, errors.AlreadyBound) for result in results) == 5
    assert db.session.scalar(select(func.count()).select_from(Binding)) == 1
    assert len(messages()) == 1


def test_several_agents_per_unit_and_units_per_agent(app: Flask) -> None:
    # U9
    one, other = rows.unit(1), rows.unit(2)
    rows.person(0)
    for unit_id in (one, other):
        bindings.request(unit_id, WANTED, BindingKind.AGENT)
    second = replace(
        WANTED,
        full_name=fictional.person_name(1),
        document_number=fictional.resident_id(1),
        login_name=fictional.login_name(1),
    )
    rows.person(1)
    assert bindings.request(one, second, BindingKind.AGENT)


def test_the_person_accepts(app: Flask) -> None:
    # U10, P14
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id, status="pending")
    bindings.accept(person_id, binding_id)
    assert read(binding_id).status == "active"
    assert read(binding_id).decided_at is not None
    assert actions() == ["binding.accepted"]


def test_the_person_refuses(app: Flask) -> None:
    # P14
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id, status="pending")
    bindings.refuse(person_id, binding_id)
    assert read(binding_id).status == "refused"
    with pytest.raises(errors.BindingGone):
        bindings.accept(person_id, binding_id)


@pytest.mark.parametrize("answer", [bindings.accept, bindings.refuse, bindings.leave])
def test_nobody_answers_for_another(app: Flask, answer: Callable[[str, str], None]) -> None:
    # P14
    unit_id, mine = rows.unit(), rows.person(0)
    binding_id = rows.binding(unit_id, mine, status="pending")
    with pytest.raises(errors.BindingGone):
        answer(rows.person(1), binding_id)
    assert read(binding_id).status == "pending"


@pytest.mark.parametrize("status", ["locked", "cancelled"])
def test_a_unit_that_is_not_active_cannot_be_accepted(app: Flask, status: str) -> None:
    unit_id, person_id = rows.unit(1, status=status), rows.person()
    binding_id = rows.binding(unit_id, person_id, status="pending")
    with pytest.raises(errors.BindingGone):
        bindings.accept(person_id, binding_id)


def test_accepting_and_withdrawing_at_once_has_one_outcome(app: Flask) -> None:
    # U10, U12
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id, status="pending")
    works: list[Callable[[], None]] = [
        lambda: bindings.accept(person_id, binding_id),
        lambda: bindings.refuse(person_id, binding_id),
        lambda: bindings.accept(person_id, binding_id),
    ]
    results = all_at_once(app, works)
    assert results.count(None) == 1
    assert sum(isinstance(result, errors.BindingGone) for result in results) == 2
    assert read(binding_id).status == ("refused" if results[1] is None else "active")


def test_who_accepts_to_be_the_contact_takes_the_place_of_the_one_before(app: Flask) -> None:
    # U10, U12
    unit_id, before, after = rows.unit(), rows.person(0), rows.person(1)
    old = rows.binding(unit_id, before, kind="common_contact")
    new = rows.binding(unit_id, after, kind="common_contact", status="pending")
    bindings.accept(after, new)
    assert contacts_of(unit_id) == [new]
    assert (read(old).kind, read(old).status) == ("agent", "active")


def test_setting_another_contact_swaps(app: Flask) -> None:
    # U8, U12
    unit_id = rows.unit()
    old = rows.binding(unit_id, rows.person(0), kind="common_contact")
    new = rows.binding(unit_id, rows.person(1))
    bindings.set_common_contact(unit_id, new)
    assert contacts_of(unit_id) == [new]
    assert read(old).kind == "agent"


def test_only_a_bound_person_of_this_unit_can_be_the_contact(app: Flask) -> None:
    # U12
    unit_id, other = rows.unit(1), rows.unit(2)
    person_id = rows.person()
    contact = rows.binding(unit_id, rows.person(1), kind="common_contact")
    pending = rows.binding(unit_id, person_id, status="pending")
    elsewhere = rows.binding(other, person_id)
    for binding_id in (pending, elsewhere, "b_none"):
        with pytest.raises(errors.BindingGone):
            bindings.set_common_contact(unit_id, binding_id)
    assert contacts_of(unit_id) == [contact], "a swap that fails leaves the contact"


def test_parallel_swaps_leave_exactly_one_contact(app: Flask) -> None:
    # U12
    unit_id = rows.unit()
    rows.binding(unit_id, rows.person(0), kind="common_contact")
    agents = [rows.binding(unit_id, rows.person(n)) for n in range(1, 7)]
    works = [lambda each=each: bindings.set_common_contact(unit_id, each) for each in agents]
    assert all_at_once(app, works) == [None] * len(agents)
    (contact,) = contacts_of(unit_id)
    assert contact in agents


def test_unbinding_takes_effect_at_once_everywhere(app: Flask) -> None:
    # U12, U13
    unit_id, person_id = rows.unit(), rows.person()
    rows.client()
    binding_id = rows.binding(unit_id, person_id)
    rows.grant(binding_id, rows.business())
    for_unit = rows.at_portal(person_id, unit_id, "rec.position")
    for_myself = rows.at_portal(person_id, None)
    for_another = rows.at_portal(person_id, rows.unit(2), "rec.position")
    bindings.unbind(unit_id, binding_id)
    assert not rows.is_alive(for_unit)
    assert rows.is_alive(for_myself), "the personal session goes on"
    assert rows.is_alive(for_another)
    (logout,) = messages()
    assert (logout["client_id"], logout["subject_id"]) == ("portal", person_id)
    assert may_act(hot.reader(), person_id, unit_id, "rec.position", level=3) == Refused(Reason.NOT_BOUND)


def test_who_is_bound_again_has_no_old_grants(app: Flask) -> None:
    # U8, U13
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id)
    rows.grant(binding_id, rows.business())
    bindings.unbind(unit_id, binding_id)
    rows.binding(unit_id, person_id)
    assert may_act(hot.reader(), person_id, unit_id, "rec.position", level=3) == Refused(Reason.NOT_GRANTED)


def test_a_common_contact_is_unbound_only_after_another_is_set(app: Flask) -> None:
    # U12
    unit_id = rows.unit()
    contact = rows.binding(unit_id, rows.person(0), kind="common_contact")
    with pytest.raises(errors.CommonContactStays):
        bindings.unbind(unit_id, contact)
    bindings.set_common_contact(unit_id, rows.binding(unit_id, rows.person(1)))
    bindings.unbind(unit_id, contact)
    assert read(contact).status == "ended"


def test_unbinding_and_promoting_at_once_never_loses_the_contact(app: Flask) -> None:
    # U12
    unit_id = rows.unit()
    contact = rows.binding(unit_id, rows.person(0), kind="common_contact")
    agent = rows.binding(unit_id, rows.person(1))
    works: list[Callable[[], None]] = [
        lambda: bindings.set_common_contact(unit_id, agent),
        lambda: bindings.unbind(unit_id, agent),
        lambda: bindings.unbind(unit_id, contact),
    ]
    all_at_once(app, works)
    assert len(contacts_of(unit_id)) == 1


def test_a_unit_unbinds_only_its_own(app: Flask) -> None:
    binding_id = rows.binding(rows.unit(1), rows.person())
    with pytest.raises(errors.BindingGone):
        bindings.unbind(rows.unit(2), binding_id)
    assert read(binding_id).status == "active"


def test_a_pending_request_is_not_unbound(app: Flask) -> None:
    unit_id = rows.unit()
    binding_id = rows.binding(unit_id, rows.person(), status="pending")
    with pytest.raises(errors.BindingGone):
        bindings.unbind(unit_id, binding_id)


def test_a_request_can_be_taken_back_once(app: Flask) -> None:
    # U9
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id, status="pending", kind="common_contact")
    bindings.withdraw_request(unit_id, binding_id)
    with pytest.raises(errors.BindingGone):
        bindings.withdraw_request(unit_id, binding_id)
    with pytest.raises(errors.BindingGone):
        bindings.accept(person_id, binding_id)


def test_a_request_that_was_accepted_meanwhile_is_not_taken_back(app: Flask) -> None:
    # U12: unbinding is asked again before, taking back is not
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id)
    with pytest.raises(errors.BindingGone):
        bindings.withdraw_request(unit_id, binding_id)
    assert read(binding_id).status == "active"


def test_a_person_leaves_and_a_contact_cannot(app: Flask) -> None:
    # P14, U12, U13
    unit_id, agent, contact = rows.unit(), rows.person(0), rows.person(1)
    rows.client()
    mine = rows.binding(unit_id, agent)
    theirs = rows.binding(unit_id, contact, kind="common_contact")
    held = rows.at_portal(agent, unit_id, "rec.position")
    bindings.leave(agent, mine)
    assert (read(mine).status, read(mine).ended_by) == ("ended", "person")
    assert not rows.is_alive(held)
    with pytest.raises(errors.CommonContactCannotLeave):
        bindings.leave(contact, theirs)
    assert read(theirs).status == "active"


def test_a_pending_request_is_refused_and_not_left(app: Flask) -> None:
    # P14
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id, status="pending", requested_at=clock.now())
    with pytest.raises(errors.BindingGone):
        bindings.leave(person_id, binding_id)
    assert read(binding_id).status == "pending"
