"""Asking a unit for a grant (C5): asked, granted, refused, lapsed; and never a way to pester."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock, jobs
from idp.audit.model import AuditEntry
from idp.delegation import bindings, errors, grant_requests, grants
from idp.delegation.grant_requests import Standing
from idp.delegation.model import Binding, GrantRequest
from idp.notify.model import OutboxMessage
from idp.store.db import db, release
from tests.support import fictional, rows
from tests.support.clocks import MovedClock, moved_clock
from tests.support.parallel import all_at_once

__all__ = ["moved_clock"]

BOTH = ("rec.position", "rec.fair")
DAY = timedelta(days=1)


class Bound:
    """A unit with an agent and a common contact, and two businesses."""

    def __init__(self) -> None:
        rows.business("rec.position", name="招聘职位管理")
        rows.business("rec.fair", name="招聘会报名")
        self.unit_id, self.person_id, self.contact_id = rows.unit(), rows.person(0), rows.person(1)
        self.binding_id = rows.binding(self.unit_id, self.person_id)
        rows.binding(self.unit_id, self.contact_id, kind="common_contact")

    def ask(self, *businesses: str) -> tuple[str, ...]:
        return grant_requests.ask(self.person_id, self.unit_id, businesses or BOTH)

    def waiting(self) -> dict[str, str]:
        """Return what the unit is asked for: {code: id of the request}."""
        release()
        return {each.code: each.request_id for each in grant_requests.waiting(db.session(), self.unit_id)}

    def standing(self, *businesses: str) -> Standing | None:
        release()
        return grant_requests.standing(db.session(), self.binding_id, businesses or BOTH)

    def refuse(self, business: str = "rec.position") -> None:
        grant_requests.refuse(self.unit_id, self.waiting()[business])


@pytest.fixture
def bound(app: Flask) -> Bound:
    return Bound()


def told(template: str = "grant_requested") -> list[tuple[str, dict[str, str | int]]]:
    """Return who was told what of requests, or of an answer: [(phone, parameters)]."""
    release()
    messages = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at))
    payloads = [json.loads(message.payload) for message in messages]
    return [(each["phone"], each["params"]) for each in payloads if each.get("template") == template]


def audited(action: str) -> list[AuditEntry]:
    release()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def test_the_unit_sees_what_is_asked_for(bound: Bound) -> None:
    # C5
    assert bound.standing() is Standing.MAY_ASK
    assert set(bound.ask()) == set(BOTH)
    waiting = grant_requests.waiting(db.session(), bound.unit_id)
    assert {(each.code, each.business) for each in waiting} == {
        ("rec.position", "招聘职位管理"),
        ("rec.fair", "招聘会报名"),
    }
    assert {each.binding_id for each in waiting} == {bound.binding_id}
    assert fictional.person_name(0) not in {each.person for each in waiting}, "masked"
    assert fictional.resident_id(0) not in {each.document_number for each in waiting}, "masked"
    assert grant_requests.count_waiting(db.session(), bound.unit_id) == 2
    assert bound.standing() is Standing.WAITING
    [entry] = audited("grant.requested")
    assert (entry.actor_id, entry.unit_id) == (bound.person_id, bound.unit_id)


def test_the_common_contact_is_told(bound: Bound) -> None:
    bound.ask("rec.position")
    [(phone, params)] = told()
    assert phone == fictional.mobile(1)
    assert (params["unit"], params["business"]) == (fictional.unit_name(1), "招聘职位管理")
    assert params["agent"] != fictional.person_name(0)


def test_who_asks_is_not_told_of_it(bound: Bound) -> None:
    """The common contact asks: the unit's page is left to say it."""
    grant_requests.ask(bound.contact_id, bound.unit_id, BOTH)
    assert told() == []
    assert grant_requests.count_waiting(db.session(), bound.unit_id) == 2


def test_without_a_common_contact_the_page_says_it(app: Flask) -> None:
    rows.business("rec.position")
    unit_id, person_id = rows.unit(), rows.person()
    rows.binding(unit_id, person_id)
    grant_requests.ask(person_id, unit_id, ("rec.position",))
    assert told() == []
    assert grant_requests.count_waiting(db.session(), unit_id) == 1


def test_only_what_is_lacking_is_asked_for(bound: Bound) -> None:
    rows.grant(bound.binding_id, "rec.fair")
    rows.business("old", retired_at=clock.now())
    assert bound.ask("rec.fair", "rec.position", "old", "no.such") == ("rec.position",)


def test_there_is_nothing_to_ask_for_of_what_was_retired(bound: Bound) -> None:
    rows.business("old", retired_at=clock.now())
    assert bound.standing("old") is None
    with pytest.raises(errors.NothingToAskFor):
        bound.ask("old")


def test_what_was_asked_for_is_not_asked_again(bound: Bound) -> None:
    bound.ask("rec.position")
    with pytest.raises(errors.NothingToAskFor):
        bound.ask("rec.position")
    assert bound.ask() == ("rec.fair",)
    assert len(told()) == 2


def test_parallel_requests_are_one(bound: Bound, app: Flask) -> None:
    def ask() -> tuple[str, ...]:
        return bound.ask("rec.position")

    answers = all_at_once(app, [ask] * 6)
    assert answers.count(("rec.position",)) == 1
    assert sum(isinstance(answer, errors.NothingToAskFor) for answer in answers) == 5
    assert len(told()) == 1


def test_a_grant_answers_the_request(bound: Bound) -> None:
    # U11
    bound.ask()
    grants.grant(bound.unit_id, bound.binding_id, "rec.position", grants.window(None, None))
    assert set(bound.waiting()) == {"rec.fair"}
    assert told("grant_given") == [(fictional.mobile(0), {"unit": fictional.unit_name(1), "business": "招聘职位管理"})]
    grants.withdraw(bound.unit_id, bound.binding_id, "rec.position")
    grants.grant(bound.unit_id, bound.binding_id, "rec.position", grants.window(None, None))
    assert len(told("grant_given")) == 1, "nobody asked this time"
    grants.withdraw(bound.unit_id, bound.binding_id, "rec.position")
    assert bound.ask("rec.position") == ("rec.position",), "what was withdrawn may be asked for, once"


def test_a_refusal_holds_for_a_week(bound: Bound, moved_clock: MovedClock) -> None:
    bound.ask("rec.position")
    bound.refuse()
    assert bound.waiting() == {}
    [entry] = audited("grant.request_refused")
    assert (entry.actor_id, entry.subject_id) == (bound.unit_id, bound.person_id)
    assert told("grant_refused") == [
        (fictional.mobile(0), {"unit": fictional.unit_name(1), "business": "招聘职位管理", "days": 7})
    ]
    assert bound.standing("rec.position") is Standing.REFUSED
    assert bound.standing() is Standing.MAY_ASK, "the other business was not refused"
    moved_clock.advance(7 * DAY - timedelta(minutes=1))
    with pytest.raises(errors.NothingToAskFor):
        bound.ask("rec.position")
    moved_clock.advance(timedelta(minutes=2))
    assert bound.ask("rec.position") == ("rec.position",)


def test_a_unit_that_refused_may_grant_all_the_same(bound: Bound) -> None:
    bound.ask("rec.position")
    bound.refuse()
    grants.grant(bound.unit_id, bound.binding_id, "rec.position", grants.window(None, None))
    assert db.session.query(GrantRequest).count() == 0


def test_a_request_is_refused_once_and_by_its_unit(bound: Bound) -> None:
    bound.ask("rec.position")
    request_id = bound.waiting()["rec.position"]
    with pytest.raises(errors.GrantRequestGone):
        grant_requests.refuse(rows.unit(2), request_id)
    grant_requests.refuse(bound.unit_id, request_id)
    with pytest.raises(errors.GrantRequestGone):
        grant_requests.refuse(bound.unit_id, request_id)


def test_a_request_lapses_and_is_forgotten(bound: Bound, moved_clock: MovedClock) -> None:
    # DESIGN 7
    bound.ask("rec.position")
    request_id = bound.waiting()["rec.position"]
    moved_clock.advance(30 * DAY + timedelta(minutes=1))
    assert bound.waiting() == {}
    with pytest.raises(errors.GrantRequestGone):
        grant_requests.refuse(bound.unit_id, request_id)
    assert bound.standing("rec.position") is Standing.MAY_ASK
    jobs.forget_what_expired()
    assert db.session.query(GrantRequest).count() == 0


def test_a_binding_takes_its_requests_with_it(bound: Bound) -> None:
    # U12
    bound.ask()
    bindings.unbind(bound.unit_id, bound.binding_id)
    assert db.session.query(GrantRequest).count() == 0
    with pytest.raises(errors.BindingGone):
        bound.ask()


@pytest.mark.parametrize("status", ["pending", "refused", "ended"])
def test_who_is_not_bound_asks_for_nothing(bound: Bound, status: str) -> None:
    db.session.get_one(Binding, bound.binding_id).status = status
    db.session.commit()
    with pytest.raises(errors.BindingGone):
        bound.ask()


def test_a_locked_unit_is_asked_for_nothing(app: Flask) -> None:
    rows.business("rec.position")
    unit_id, person_id = rows.unit(status="locked"), rows.person()
    rows.binding(unit_id, person_id)
    with pytest.raises(errors.BindingGone):
        grant_requests.ask(person_id, unit_id, ("rec.position",))


def test_one_person_asks_ten_times_a_day(bound: Bound, moved_clock: MovedClock) -> None:
    """Whomever they ask, and whatever comes of it."""
    bound.ask("rec.position")
    for _ in range(9):
        with pytest.raises(errors.NothingToAskFor):
            bound.ask("rec.position")
    with pytest.raises(errors.TooManyGrantRequests):
        bound.ask("rec.fair")
    moved_clock.advance(DAY + timedelta(minutes=1))
    assert bound.ask("rec.fair") == ("rec.fair",)


def test_a_unit_gets_three_sms_a_day(bound: Bound, moved_clock: MovedClock) -> None:
    """However many agents it has; all requests stand on its page."""
    for n in range(2, 7):
        person_id = rows.person(n)
        rows.binding(bound.unit_id, person_id)
        grant_requests.ask(person_id, bound.unit_id, ("rec.position",))
    assert len(told()) == 3
    assert grant_requests.count_waiting(db.session(), bound.unit_id) == 5
    moved_clock.advance(DAY + timedelta(minutes=1))
    bound.ask("rec.position")
    assert len(told()) == 4
