"""The chooser's options (C1, C5): which units, what they allow, and why not."""

from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.delegation import bindings, expiry, grant_requests, grants, options
from idp.delegation.acting import Minimum
from idp.delegation.grant_requests import Standing
from idp.delegation.model import BindingKind
from idp.delegation.options import Obstacle, UnitOption
from idp.store.db import db
from tests.support import fictional, rows

ASKED = ("rec.position", "rec.fair")
NO_DEMANDS = Minimum()


@pytest.fixture
def person_id(app: Flask) -> str:
    rows.business("rec.position")
    rows.business("rec.fair")
    return rows.person()


def found(
    person_id: str, asked: tuple[str, ...] = ASKED, minimum: Minimum = NO_DEMANDS, level: int = 1
) -> list[UnitOption]:
    return options.options(db.session(), person_id, asked, minimum=minimum, level=level)


def only(person_id: str, asked: tuple[str, ...] = ASKED, minimum: Minimum = NO_DEMANDS, level: int = 1) -> UnitOption:
    [option] = found(person_id, asked, minimum, level)
    return option


def test_nobody_is_bound_to_nothing(person_id: str) -> None:
    # C5
    assert found(person_id) == []


def test_a_unit_with_a_grant_can_be_chosen(person_id: str) -> None:
    # C1: name, code, kind, verified or not
    unit_id = rows.unit(1, verified_at=clock.now())
    binding_id = rows.binding(unit_id, person_id, kind="common_contact")
    rows.grant(binding_id, "rec.position")
    assert only(person_id) == UnitOption(
        unit_id=unit_id,
        binding_id=binding_id,
        name=fictional.unit_name(1),
        number="9144 0101 **** ***156",
        kind=BindingKind.COMMON_CONTACT,
        verified=True,
        usable=("rec.position",),
        obstacle=None,
        asking=None,
    )


def test_what_can_be_chosen_comes_first_then_by_name(person_id: str) -> None:
    rows.binding(rows.unit(1, full_name="甲有限公司"), person_id)
    rows.grant(rows.binding(rows.unit(2, full_name="乙有限公司"), person_id), "rec.fair")
    rows.grant(rows.binding(rows.unit(3, full_name="丙有限公司"), person_id), "rec.fair")
    assert [option.name for option in found(person_id)] == ["丙有限公司", "乙有限公司", "甲有限公司"]


def test_without_businesses_every_bound_unit_can_be_chosen(person_id: str) -> None:
    # C1
    rows.binding(rows.unit(), person_id)
    assert only(person_id, asked=()).obstacle is None
    assert only(person_id, asked=(), minimum=Minimum(person=2)).obstacle is Obstacle.PERSON_LEVEL


def test_a_request_that_waits_is_shown_as_such(person_id: str) -> None:
    # C5: mended by the person's own answer
    rows.binding(rows.unit(), person_id, status="pending")
    assert only(person_id).obstacle is Obstacle.PENDING


@pytest.mark.parametrize("status", ["refused", "ended"])
def test_bindings_that_are_over_are_not_shown(person_id: str, status: str) -> None:
    rows.binding(rows.unit(), person_id, status=status)
    assert found(person_id) == []


def test_never_granted_withdrawn_and_expired_are_told_apart(person_id: str) -> None:
    # DESIGN 4: greyed with the reason
    never, taken, over = rows.unit(1), rows.unit(2), rows.unit(3)
    rows.binding(never, person_id)
    withdrawn = rows.binding(taken, person_id)
    rows.grant(withdrawn, "rec.position")
    grants.withdraw(taken, withdrawn, "rec.position")
    rows.grant(rows.binding(over, person_id), "rec.position", clock.now(), valid_from=clock.now() - timedelta(days=2))
    before = {option.unit_id: option.obstacle for option in found(person_id)}
    expiry.close_expired(clock.now())
    after = {option.unit_id: option.obstacle for option in found(person_id)}
    assert before == after, "closing an expired grant must not change what the person is told"
    assert after == {never: Obstacle.NOT_GRANTED, taken: Obstacle.WITHDRAWN, over: Obstacle.EXPIRED}


def test_bound_anew_begins_without_a_past(person_id: str) -> None:
    # U12
    unit_id = rows.unit()
    binding_id = rows.binding(unit_id, person_id)
    rows.grant(binding_id, "rec.position")
    grants.withdraw(unit_id, binding_id, "rec.position")
    bindings.unbind(unit_id, binding_id)
    rows.binding(unit_id, person_id)
    assert only(person_id).obstacle is Obstacle.NOT_GRANTED


@pytest.mark.parametrize(
    ("unit", "business", "obstacle"),
    [
        ({}, {"needs_verified_unit": True}, Obstacle.UNIT_UNVERIFIED),
        ({}, {"min_unit_level": 1}, Obstacle.UNIT_LEVEL),
        ({}, {"min_person_level": 2}, Obstacle.PERSON_LEVEL),
        ({"status": "locked"}, {}, Obstacle.UNIT_INACTIVE),
    ],
)
def test_each_demand_is_named(
    app: Flask, unit: dict[str, object], business: dict[str, object], obstacle: Obstacle
) -> None:
    # U15, F3, U13
    person_id = rows.person()
    rows.business("special", **business)
    rows.grant(rows.binding(rows.unit(1, **unit), person_id), "special")
    assert only(person_id, asked=("special",)).obstacle is obstacle


def test_what_the_person_can_mend_is_told_first(person_id: str) -> None:
    # C5: one business needs a higher level, the other was never granted
    rows.business("high", min_person_level=2)
    rows.grant(rows.binding(rows.unit(), person_id), "high")
    assert only(person_id, asked=("rec.position", "high")).obstacle is Obstacle.PERSON_LEVEL


def test_an_organisation_code_is_masked_and_may_not_do(person_id: str) -> None:
    # F5
    unit_id = rows.unit(1, document_type="org_code", document_number=fictional.org_code())
    rows.grant(rows.binding(unit_id, person_id), "rec.position")
    option = only(person_id, minimum=Minimum(uscc_only=True))
    assert option.obstacle is Obstacle.NEEDS_USCC
    assert fictional.org_code() not in option.number


def test_every_reason_of_the_judge_has_an_obstacle() -> None:
    from idp.delegation.acting import Reason  # noqa: PLC0415 - only this test

    for reason in Reason:
        assert Obstacle(reason) == reason


def test_a_unit_is_asked_only_where_a_grant_would_help(person_id: str) -> None:
    # C5
    rows.business("high", min_person_level=2)
    binding_id = rows.binding(rows.unit(), person_id)
    assert only(person_id).asking is Standing.MAY_ASK
    rows.grant(binding_id, "high")
    assert only(person_id, asked=("high",)).asking is None, "the level is lacking, not the grant"
    grant_requests.ask(person_id, only(person_id).unit_id, ASKED)
    db.session.expire_all()
    assert only(person_id).asking is Standing.WAITING
