"""The one judge: `decide` against a table written from the rules, `facts_of` against both databases (C3, U11, U13)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from idp import clock
from idp.delegation.acting import (
    Acting,
    Allowed,
    Facts,
    Granted,
    Minimum,
    Reason,
    Refused,
    acting,
    decide,
    facts_of,
    may_act,
)
from idp.delegation.model import BindingKind
from idp.store import hot
from tests.support import fictional, rows

NOW = 1_000_000
NO_DEMANDS = Minimum()
GRANT = Granted("rec.position", NOW - 10, NOW + 10, 0, 0, needs_verified_unit=False)
FACTS = Facts(
    binding_id="b_1",
    kind=BindingKind.AGENT,
    unit_active=True,
    unit_verified=True,
    unit_level=3,
    has_uscc=True,
    person_active=True,
    grants=(GRANT,),
)

grants = st.builds(
    Granted,
    business=st.sampled_from(["rec.position", "rec.fair"]),
    valid_from=st.integers(NOW - 3, NOW + 3),
    valid_to=st.none() | st.integers(NOW - 3, NOW + 3),
    min_person_level=st.integers(0, 3),
    min_unit_level=st.integers(0, 3),
    needs_verified_unit=st.booleans(),
)
any_facts = st.none() | st.builds(
    Facts,
    binding_id=st.just("b_1"),
    kind=st.sampled_from(BindingKind),
    unit_active=st.booleans(),
    unit_verified=st.booleans(),
    unit_level=st.integers(0, 3),
    has_uscc=st.booleans(),
    person_active=st.booleans(),
    grants=st.lists(grants, max_size=2, unique_by=lambda grant: grant.business).map(tuple),
)
minima = st.builds(Minimum, person=st.integers(0, 3), unit=st.integers(0, 3), uscc_only=st.booleans())


def broken(facts: Facts | None, business: str, level: int, minimum: Minimum) -> list[Reason]:
    """Every rule that stands against it, each written down by itself, in the order in which they are told."""
    if facts is None:
        return [Reason.NOT_BOUND]
    found = [grant for grant in facts.grants if grant.business == business]
    table = [
        (Reason.PERSON_INACTIVE, not facts.person_active),
        (Reason.UNIT_INACTIVE, not facts.unit_active),
        (Reason.NOT_GRANTED, not found),
        (Reason.NOT_YET_VALID, any(grant.valid_from > NOW for grant in found)),
        (Reason.EXPIRED, any(grant.valid_to is not None and grant.valid_to <= NOW for grant in found)),
        (Reason.UNIT_UNVERIFIED, not facts.unit_verified and any(grant.needs_verified_unit for grant in found)),
        (Reason.NEEDS_USCC, minimum.uscc_only and not facts.has_uscc),
        (Reason.PERSON_LEVEL, any(level < grant.min_person_level for grant in found) or level < minimum.person),
        (
            Reason.UNIT_LEVEL,
            any(facts.unit_level < grant.min_unit_level for grant in found) or facts.unit_level < minimum.unit,
        ),
    ]
    return [reason for reason, stands in table if stands]


@given(any_facts, st.integers(0, 3), minima)
def test_decide_follows_the_table(facts: Facts | None, level: int, minimum: Minimum) -> None:
    # C3, U11, U15, F3, F5
    answer = decide(facts, "rec.position", at=NOW, level=level, minimum=minimum)
    reasons = broken(facts, "rec.position", level, minimum)
    if reasons:
        assert answer == Refused(reasons[0])
    else:
        assert facts is not None
        (grant,) = [grant for grant in facts.grants if grant.business == "rec.position"]
        assert answer == Allowed("b_1", facts.kind, facts.unit_verified, grant.valid_to)


@given(any_facts, st.integers(0, 2), minima)
def test_a_higher_session_never_loses_what_a_lower_one_may(facts: Facts | None, level: int, minimum: Minimum) -> None:
    # DESIGN 5: levels are ordered
    if isinstance(decide(facts, "rec.position", at=NOW, level=level, minimum=minimum), Allowed):
        assert isinstance(decide(facts, "rec.position", at=NOW, level=level + 1, minimum=minimum), Allowed)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW - 11, Reason.NOT_YET_VALID),
        (NOW - 10, None),
        (NOW + 9, None),
        (NOW + 10, Reason.EXPIRED),  # the end is not included
    ],
)
def test_the_window_is_closed_at_its_begin_and_open_at_its_end(at: int, reason: Reason | None) -> None:
    # U11
    answer = decide(FACTS, "rec.position", at=at, level=0)
    assert answer == (Allowed("b_1", BindingKind.AGENT, True, NOW + 10) if reason is None else Refused(reason))


def test_what_others_must_mend_is_told_before_what_the_person_can() -> None:
    # C5: a person must not be sent to raise a level that would not help
    not_granted = replace(FACTS, grants=())
    assert decide(not_granted, "rec.position", at=NOW, level=0, minimum=Minimum(person=3)) == Refused(
        Reason.NOT_GRANTED
    )


def test_the_rows_of_a_bound_agent_allow_what_was_granted(app: Flask) -> None:
    # U10, U11
    unit_id, person_id = rows.unit(), rows.person()
    bound = rows.binding(unit_id, person_id)
    rows.grant(bound, rows.business("rec.position"))
    rows.business("rec.fair")
    answer = acting(hot.reader(), person_id, unit_id, ["rec.position", "rec.fair"], level=1)
    assert isinstance(answer, Acting)
    assert answer.binding_id == bound
    assert set(answer.allowed) == {"rec.position"}
    assert answer.refused == {"rec.fair": Reason.NOT_GRANTED}


@pytest.mark.parametrize("status", ["pending", "refused", "ended"])
def test_only_an_active_binding_counts(app: Flask, status: str) -> None:
    # U10: only an accepted binding binds
    unit_id, person_id = rows.unit(), rows.person()
    rows.grant(rows.binding(unit_id, person_id, status=status), rows.business())
    assert may_act(hot.reader(), person_id, unit_id, "rec.position", level=3) == Refused(Reason.NOT_BOUND)


def test_one_persons_binding_says_nothing_of_another(app: Flask) -> None:
    unit_id, mine, theirs = rows.unit(), rows.person(0), rows.person(1)
    rows.grant(rows.binding(unit_id, theirs), rows.business())
    assert facts_of(hot.reader(), mine, unit_id) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "locked"}, Reason.UNIT_INACTIVE),
        ({"status": "cancelled"}, Reason.UNIT_INACTIVE),
    ],
)
def test_a_unit_that_is_not_active_lets_nobody_act(app: Flask, changes: dict[str, str], reason: Reason) -> None:
    # U13
    unit_id, person_id = rows.unit(1, **changes), rows.person()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    assert may_act(hot.reader(), person_id, unit_id, "rec.position", level=3) == Refused(reason)


def test_a_locked_person_acts_for_nobody(app: Flask) -> None:
    # U13
    unit_id, person_id = rows.unit(), rows.person(0, status="locked")
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    assert may_act(hot.reader(), person_id, unit_id, "rec.position", level=3) == Refused(Reason.PERSON_INACTIVE)


def test_a_business_taken_from_the_catalogue_is_granted_to_nobody(app: Flask) -> None:
    # A3
    unit_id, person_id = rows.unit(), rows.person()
    rows.grant(rows.binding(unit_id, person_id), rows.business(retired_at=clock.now()))
    assert may_act(hot.reader(), person_id, unit_id, "rec.position", level=3) == Refused(Reason.NOT_GRANTED)


def test_the_demands_of_business_and_client_are_read(app: Flask) -> None:
    # U15, F3, F5
    person_id = rows.person()
    unit_id = rows.unit(1, document_type="org_code", document_number=fictional.org_code(), trust_level=1)
    bound = rows.binding(unit_id, person_id)
    rows.grant(bound, rows.business("verified", needs_verified_unit=True))
    rows.grant(bound, rows.business("unit.level", min_unit_level=2))
    rows.grant(bound, rows.business("person.level", min_person_level=2))
    rows.grant(bound, rows.business("plain"))

    def why(business: str, minimum: Minimum = NO_DEMANDS) -> Reason | None:
        answer = may_act(hot.reader(), person_id, unit_id, business, level=1, minimum=minimum)
        return answer.reason if isinstance(answer, Refused) else None

    assert why("plain") is None
    assert why("verified") is Reason.UNIT_UNVERIFIED
    assert why("unit.level") is Reason.UNIT_LEVEL
    assert why("person.level") is Reason.PERSON_LEVEL
    assert why("plain", Minimum(uscc_only=True)) is Reason.NEEDS_USCC
    assert why("plain", Minimum(unit=2)) is Reason.UNIT_LEVEL


def test_a_client_without_businesses_is_judged_by_its_minimum(app: Flask) -> None:
    # F3, C1
    unit_id, person_id = rows.unit(), rows.person()
    rows.binding(unit_id, person_id)
    assert isinstance(acting(hot.reader(), person_id, unit_id, [], level=1), Acting)
    assert acting(hot.reader(), person_id, unit_id, [], level=1, minimum=Minimum(person=2)) == Refused(
        Reason.PERSON_LEVEL
    )


def test_no_token_outlives_the_first_grant_to_end(app: Flask) -> None:
    # DESIGN 4: exp is never later than the grant's end
    unit_id, person_id = rows.unit(), rows.person()
    bound = rows.binding(unit_id, person_id)
    soon, later = clock.now() + timedelta(days=1), clock.now() + timedelta(days=9)
    rows.grant(bound, rows.business("a"), later)
    rows.grant(bound, rows.business("b"), soon)
    rows.grant(bound, rows.business("c"))
    answer = acting(hot.reader(), person_id, unit_id, ["a", "b", "c"], level=1)
    assert isinstance(answer, Acting)
    assert answer.valid_to == int(soon.timestamp() * 1000)
