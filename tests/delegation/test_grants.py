"""Grants of businesses: windows, changes, withdrawal, expiry (U11, U13)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.delegation import errors, expiry, grants
from idp.delegation.acting import Allowed, Reason, Refused, may_act
from idp.delegation.grants import Window, window
from idp.delegation.model import BusinessGrant
from idp.notify.model import OutboxMessage
from idp.store import hot
from idp.store.db import db
from tests.support import rows
from tests.support.clocks import MovedClock, moved_clock
from tests.support.parallel import all_at_once

__all__ = ["moved_clock"]

DAY = timedelta(days=1)
OPEN = Window(clock.start_of(date(2020, 1, 1)), None)


class Bound:
    """A unit, its agent, and a business in the catalogue."""

    def __init__(self) -> None:
        self.unit_id, self.person_id = rows.unit(), rows.person()
        self.binding_id = rows.binding(self.unit_id, self.person_id)
        rows.business("rec.position")
        rows.business("rec.fair")
        rows.client()

    def answer(self, business: str = "rec.position") -> Allowed | Refused:
        return may_act(hot.reader(), self.person_id, self.unit_id, business, level=1)

    def grant(self, span: Window = OPEN, business: str = "rec.position") -> None:
        grants.grant(self.unit_id, self.binding_id, business, span)

    def withdraw(self, business: str = "rec.position") -> None:
        grants.withdraw(self.unit_id, self.binding_id, business)

    def at_portal(self, *businesses: str) -> str:
        return rows.at_portal(self.person_id, self.unit_id, *(businesses or ("rec.position",)))


@pytest.fixture
def bound(app: Flask) -> Bound:
    return Bound()


def open_grants() -> list[BusinessGrant]:
    return list(db.session.scalars(select(BusinessGrant).where(BusinessGrant.ended_at.is_(None))))


def test_a_window_has_whole_days_of_china(moved_clock: MovedClock) -> None:
    # U11: valid_to is the end of that day in Asia/Shanghai
    today = clock.today()
    span = window(today + DAY, today + 2 * DAY)
    assert span.begins == clock.start_of(today + DAY)
    assert span.ends == clock.start_of(today + 3 * DAY)
    assert span.begins.utcoffset() == timedelta(hours=8)


def test_a_window_of_today_is_open_until_midnight(bound: Bound, moved_clock: MovedClock) -> None:
    # U11
    today = clock.today()
    bound.grant(window(None, today))
    assert isinstance(bound.answer(), Allowed)
    moved_clock.advance(clock.start_of(today + DAY) - clock.now() - timedelta(seconds=1))
    assert isinstance(bound.answer(), Allowed)
    moved_clock.advance(timedelta(seconds=2))
    assert bound.answer() == Refused(Reason.EXPIRED)


def test_a_window_may_begin_later(bound: Bound, moved_clock: MovedClock) -> None:
    # U11
    bound.grant(window(clock.today() + DAY, None))
    assert bound.answer() == Refused(Reason.NOT_YET_VALID)
    moved_clock.advance(DAY)
    assert isinstance(bound.answer(), Allowed)


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        (0, -1, errors.WindowOver),
        (None, -1, errors.WindowOver),
        (5, 4, errors.WindowReversed),
        (None, 30_000, errors.WindowTooFar),
        (30_000, None, errors.WindowTooFar),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    first: int | None, last: int | None, error: type[errors.DomainError]
) -> None:
    today = clock.today()
    with pytest.raises(error):
        window(
            None if first is None else today + timedelta(days=first),
            None if last is None else today + timedelta(days=last),
        )


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar_are_refused_and_no_crash(day: date) -> None:
    with pytest.raises(errors.WindowTooFar):
        window(day, None)
    with pytest.raises(errors.WindowTooFar):
        window(None, day)


def test_a_unit_grants_and_withdraws(bound: Bound) -> None:
    # U11
    assert bound.answer() == Refused(Reason.NOT_GRANTED)
    bound.grant()
    assert isinstance(bound.answer(), Allowed)
    assert bound.answer("rec.fair") == Refused(Reason.NOT_GRANTED)
    bound.withdraw()
    assert bound.answer() == Refused(Reason.NOT_GRANTED)
    with pytest.raises(errors.GrantGone):
        bound.withdraw()


def test_a_change_replaces_and_is_remembered(bound: Bound) -> None:
    # U11
    bound.grant()
    ends = clock.start_of(clock.today() + 9 * DAY)
    bound.grant(Window(clock.now(), ends))
    (left,) = open_grants()
    assert left.valid_to == ends
    assert [each.ended_why for each in db.session.scalars(select(BusinessGrant))].count("changed") == 1


def test_parallel_grants_of_a_business_leave_one(app: Flask, bound: Bound) -> None:
    # U11
    works = [bound.grant] * 6
    assert all_at_once(app, works) == [None] * 6
    assert len(open_grants()) == 1


def test_granting_and_unbinding_at_once_leaves_no_open_grant(app: Flask, bound: Bound) -> None:
    # U13
    from idp.delegation import bindings  # noqa: PLC0415 - only this test unbinds

    works: list[Callable[[], None]] = [bound.grant, lambda: bindings.unbind(bound.unit_id, bound.binding_id)] * 2
    all_at_once(app, works)
    assert open_grants() == []


def test_only_businesses_of_the_catalogue_can_be_granted(bound: Bound) -> None:
    # U11, A3
    rows.business("old", retired_at=clock.now())
    for business in ("old", "unheard.of"):
        with pytest.raises(errors.BusinessUnknown):
            bound.grant(business=business)


def test_only_to_a_bound_person_of_this_unit(bound: Bound) -> None:
    # U10, U11
    other = rows.unit(2)
    pending = rows.binding(bound.unit_id, rows.person(1), status="pending")
    for unit_id, binding_id in ((other, bound.binding_id), (bound.unit_id, pending)):
        with pytest.raises(errors.BindingGone):
            grants.grant(unit_id, binding_id, "rec.position", OPEN)
    with pytest.raises(errors.BindingGone):
        grants.withdraw(other, bound.binding_id, "rec.position")


def test_withdrawing_takes_effect_at_once_at_portals_that_hold_it(bound: Bound) -> None:
    # U13
    bound.grant()
    bound.grant(business="rec.fair")
    both = bound.at_portal("rec.position", "rec.fair")
    only_fair = bound.at_portal("rec.fair")
    bound.withdraw()
    assert not rows.is_alive(both)
    assert rows.is_alive(only_fair)
    assert len(list(db.session.scalars(select(OutboxMessage)))) == 1


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        ((-1, None), (-1, 5), True),
        ((-1, 5), (-1, 3), True),
        ((-1, 5), (2, 5), True),
        ((-1, 5), (2, None), True),
        ((-1, 5), (-2, 5), False),
        ((-5, 5), (-1, 5), False),  # the begin is over already
        ((-1, 5), (-1, 9), False),
        ((-1, 5), (-1, None), False),
        ((-1, None), (-1, None), False),
    ],
)
def test_narrowing_takes_effect_at_once_and_widening_leaves_in_peace(
    bound: Bound, before: tuple[int, int | None], after: tuple[int, int | None], ends: bool
) -> None:
    # U13
    now = clock.now()
    old, new = (
        Window(now + first * DAY, None if last is None else now + last * DAY) for first, last in (before, after)
    )
    bound.grant(old)
    held = bound.at_portal()
    bound.grant(new)
    assert rows.is_alive(held) is not ends


def test_expiry_ends_what_hangs_on_the_grant(bound: Bound, moved_clock: MovedClock) -> None:
    # U13
    bound.grant(Window(clock.now(), clock.now() + timedelta(hours=1)))
    bound.grant(business="rec.fair")
    held, other = bound.at_portal(), bound.at_portal("rec.fair")
    assert expiry.close_expired(clock.now()) == 0
    assert rows.is_alive(held)
    moved_clock.advance(timedelta(hours=1))
    assert expiry.close_expired(clock.now()) == 1
    assert not rows.is_alive(held)
    assert rows.is_alive(other)
    assert [each.business_code for each in open_grants()] == ["rec.fair"]
    assert expiry.close_expired(clock.now()) == 0, "twice is once"


def test_expiry_goes_through_many(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> None:
    # U13
    monkeypatch.setattr(expiry, "BATCH", 2)
    past = clock.now() - DAY
    for n in range(5):
        business = rows.business(f"b{n}")
        rows.grant(bound.binding_id, business, clock.now(), valid_from=past)
    assert expiry.close_expired(clock.now()) == 5
    assert open_grants() == []


def test_two_workers_close_a_grant_once(app: Flask, bound: Bound) -> None:
    # U13
    for n in range(5):
        rows.grant(bound.binding_id, rows.business(f"b{n}"), clock.now(), valid_from=clock.now() - DAY)
    now = clock.now()
    closed = all_at_once(app, [lambda: expiry.close_expired(now)] * 3)
    assert sum(each for each in closed if isinstance(each, int)) == 5
