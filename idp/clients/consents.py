"""What persons let clients have: kept for each subject, client, and unit acted for; asked only for what is new.

A consent given for oneself says nothing about acting for a unit, nor one unit about another.
"""

import json
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.log import Entry, record
from idp.clients.model import Consent
from idp.store import hot

FIND_CONSENT = hot.Statement(
    "SELECT scopes FROM consent WHERE subject_id = :subject_id AND client_id = :client_id AND unit_id = :unit_id"
)

_FOR_MYSELF = ""  # the unique constraint takes no NULL for equal, so "for no unit" is a value


def given(on: Session | hot.Executor, *, subject_id: str, client_id: str, unit_id: str | None) -> frozenset[str]:
    """Return the scopes that `subject_id` has let `client_id` have, for themselves or for `unit_id`."""
    row = hot.executor(on).one(
        FIND_CONSENT, subject_id=subject_id, client_id=client_id, unit_id=unit_id or _FOR_MYSELF
    )
    return frozenset(() if row is None else json.loads(row[0]))


def missing(
    on: Session | hot.Executor, *, subject_id: str, client_id: str, unit_id: str | None, scopes: Iterable[str]
) -> tuple[str, ...]:
    """Return those of `scopes`, in their order, that must still be asked for."""
    known = given(on, subject_id=subject_id, client_id=client_id, unit_id=unit_id)
    return tuple(scope for scope in scopes if scope not in known)


def give(session: Session, *, subject_id: str, client_id: str, unit_id: str | None, scopes: Iterable[str]) -> None:
    """Add `scopes` to what was given before. Two tabs may do so at once: nothing is lost."""
    here = {"subject_id": subject_id, "client_id": client_id, "unit_id": unit_id or _FOR_MYSELF}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(Consent).values(**here, scopes=[], given_at=clock.now()).on_conflict_do_nothing())
    row_id, known = session.execute(select(Consent.id, Consent.scopes).filter_by(**here).with_for_update()).one()
    asked = list(scopes)
    session.execute(
        update(Consent).where(Consent.id == row_id).values(scopes=sorted({*known, *asked}), given_at=clock.now())
    )
    record(
        session,
        Entry("consent.given", actor_id=subject_id, client_id=client_id, unit_id=unit_id, details={"scopes": asked}),
    )
