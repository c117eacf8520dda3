"""Grants: the businesses that a unit lets a bound person do, each within an optional window (U11).

A grant is never rewritten: a change closes the old row and opens a new one, so that what was granted when can be
read later. Whoever changes a grant first locks its binding's row; of parallel grants of one business one is left.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.delegation import errors, grant_requests
from idp.delegation.model import Binding, BindingStatus, Business, BusinessGrant
from idp.sessions import portal_sessions
from idp.store.base import to_millis
from idp.store.db import transaction

GRANT = "g_"
EARLIEST = date(2000, 1, 1)
FARTHEST = timedelta(days=50 * 366)


@dataclass(frozen=True, slots=True)
class Window:
    """From when, and until when (not included; None: no end). Aware moments."""

    begins: datetime
    ends: datetime | None

    def is_narrower_than(self, other: "Window", now: datetime) -> bool:
        """Whether something that `other` allows from `now` on is not allowed any more."""
        if self.begins > max(other.begins, now):
            return True
        return self.ends is not None and (other.ends is None or self.ends < other.ends)


def window(first_day: date | None, last_day: date | None) -> Window:
    """Return the window from the begin of `first_day` (None: now) to the end of `last_day` in China (None: open).

    Raises WindowReversed, WindowOver, WindowTooFar.
    """
    now = clock.now()
    for day in (first_day, last_day):
        if day is not None and not EARLIEST <= day <= clock.today() + FARTHEST:
            raise errors.WindowTooFar("valid_from" if day is first_day else "valid_to")
    begins = now if first_day is None else clock.start_of(first_day)
    if last_day is None:
        return Window(begins, None)
    ends = clock.start_of(last_day + timedelta(days=1))
    if ends <= now:
        raise errors.WindowOver("valid_to")
    if ends <= begins:
        raise errors.WindowReversed("valid_to")
    return Window(begins, ends)


def grant(unit_id: str, binding_id: str, business: str, span: Window) -> None:
    """Let the bound person do `business` within `span`, in place of an open grant of it (U11).

    A request of the person for it (C5) is answered thereby, and they are told. A narrower window than before takes
    effect at once everywhere (U13). Raises BindingGone, BusinessUnknown.
    """
    with transaction() as session:
        person_id = _lock_active(session, unit_id, binding_id)
        known = select(Business.code).where(Business.code == business, Business.retired_at.is_(None))
        if session.scalars(known).one_or_none() is None:
            raise errors.BusinessUnknown("business")
        before = _close(session, binding_id, business, why="changed")
        session.add(
            BusinessGrant(
                id=ids.new_id(GRANT),
                binding_id=binding_id,
                business_code=business,
                valid_from=span.begins,
                valid_to=span.ends,
                granted_at=clock.now(),
            )
        )
        if before is not None and span.is_narrower_than(before, clock.now()):
            portal_sessions.end_of_pair(
                session, person_id=person_id, unit_id=unit_id, why="grant_narrowed", business=business
            )
        grant_requests.answer(session, binding_id, business)
        _record(session, "grant.given", unit_id, person_id, business, span)


def withdraw(unit_id: str, binding_id: str, business: str) -> None:
    """Take the grant of `business` back; it takes effect at once everywhere (U11, U13). Raises GrantGone."""
    with transaction() as session:
        person_id = _lock_active(session, unit_id, binding_id)
        before = _close(session, binding_id, business, why="withdrawn")
        if before is None:
            raise errors.GrantGone
        portal_sessions.end_of_pair(
            session, person_id=person_id, unit_id=unit_id, why="grant_withdrawn", business=business
        )
        _record(session, "grant.withdrawn", unit_id, person_id, business, before)


def _lock_active(session: Session, unit_id: str, binding_id: str) -> str:
    """Lock the active binding of the unit and return its person's id. Raises BindingGone."""
    person_id = session.scalars(
        select(Binding.person_id)
        .where(Binding.id == binding_id, Binding.unit_id == unit_id, Binding.status == BindingStatus.ACTIVE)
        .with_for_update(key_share=True)
    ).one_or_none()
    if person_id is None:
        raise errors.BindingGone
    return person_id


def _close(session: Session, binding_id: str, business: str, *, why: str) -> Window | None:
    """Close the open grant of a business and return its window; None when there is none."""
    closed = session.execute(
        update(BusinessGrant)
        .where(
            BusinessGrant.binding_id == binding_id,
            BusinessGrant.business_code == business,
            BusinessGrant.ended_at.is_(None),
        )
        .values(ended_at=clock.now(), ended_why=why)
        .returning(BusinessGrant.valid_from, BusinessGrant.valid_to)
    ).one_or_none()
    return None if closed is None else Window(closed[0], closed[1])


def _record(session: Session, action: str, unit_id: str, person_id: str, business: str, span: Window) -> None:
    details = {
        "business": business,
        "valid_from": to_millis(span.begins),
        "valid_to": None if span.ends is None else to_millis(span.ends),
    }
    record(session, Entry(action, actor_id=unit_id, subject_id=person_id, unit_id=unit_id, details=details))
