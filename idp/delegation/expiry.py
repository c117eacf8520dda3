"""Closing grants whose window is over (U13): `decide` refuses them at once by itself, this tells the portals."""

from datetime import datetime

from sqlalchemy import select, update

from idp.audit.log import Entry, record
from idp.delegation.model import Binding, BusinessGrant
from idp.sessions import portal_sessions
from idp.store import hot
from idp.store.base import to_millis
from idp.store.db import transaction

BATCH = 100

# Asked every second, so it must not take SQLite's write lock when there is nothing to do.
ANY_DUE = hot.Statement("SELECT 1 FROM business_grant WHERE ended_at IS NULL AND valid_to <= :now LIMIT 1")


def close_expired(now: datetime) -> int:
    """Close all open grants that ended at or before `now`, end what hangs on them, and return how many there were.

    Safe to run twice at once: each grant is claimed by one conditional UPDATE.
    """
    total = 0
    while hot.reader().one(ANY_DUE, now=to_millis(now)) is not None:
        closed = _close_batch(now)
        if closed == 0:  # another worker holds them
            break
        total += closed
    return total


def _close_batch(now: datetime) -> int:
    over = (BusinessGrant.ended_at.is_(None), BusinessGrant.valid_to <= now)
    due = select(BusinessGrant.id).where(*over).order_by(BusinessGrant.valid_to, BusinessGrant.id).limit(BATCH)
    with transaction() as session:
        claimed = session.execute(
            update(BusinessGrant)
            .where(BusinessGrant.id.in_(due.with_for_update(skip_locked=True).scalar_subquery()), *over)
            .values(ended_at=now, ended_why="expired")
            .returning(BusinessGrant.binding_id, BusinessGrant.business_code)
        ).all()
        for binding_id, business in claimed:
            unit_id, person_id = session.execute(
                select(Binding.unit_id, Binding.person_id).where(Binding.id == binding_id)
            ).one()
            portal_sessions.end_of_pair(
                session, person_id=person_id, unit_id=unit_id, why="grant_expired", business=business
            )
            record(
                session,
                Entry("grant.expired", subject_id=person_id, unit_id=unit_id, details={"business": business}),
            )
    return len(claimed)
