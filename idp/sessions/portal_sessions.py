"""Portal sessions: what a portal knows as `sid`. Opened when a code is issued, ended by logout or lost delegation.

Ending one also ends the authorizations that hang on it, and queues a back-channel logout for its client, all in
the transaction of whoever decided it (U13).
"""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients.model import Client
from idp.notify import outbox
from idp.sessions.model import Authorization, PortalSession
from idp.store import hot

_LIVING = (
    "SELECT id FROM portal_session WHERE session_id = :session_id AND client_id = :client_id "
    "AND COALESCE(unit_id, '') = :unit_id AND ended_at IS NULL"
)
FIND_LIVING, HOLD_LIVING = hot.Statement(_LIVING), hot.Statement(_LIVING, lock="FOR SHARE")
OPEN = hot.Statement(
    "INSERT INTO portal_session (id, session_id, client_id, subject_id, unit_id, created_at) "
    "VALUES (:portal_session_id, :session_id, :client_id, :subject_id, :unit_id, :now)"
)

# OpenID Connect Back-Channel Logout 1.0 asks for no retry time; after a day a portal's own session is over too.
KEEP_TELLING = timedelta(days=1)


def open_or_join(
    on: Session | hot.Executor, *, session_id: str, client_id: str, subject_id: str, unit_id: str | None
) -> str:
    """Return the `sid` for this browser session, client and unit: the living one, or a new one.

    A living one is held until the commit: whoever ends it meanwhile finds what is now hung on it, and ends that too.
    """
    executor = hot.executor(on)
    place = {"session_id": session_id, "client_id": client_id}
    found = executor.one(HOLD_LIVING, **place, unit_id=unit_id or "")
    if found is not None:
        return str(found[0])
    sid = new_id()
    executor.run(OPEN, portal_session_id=sid, **place, subject_id=subject_id, unit_id=unit_id, now=clock.millis())
    return sid


def new_id() -> str:
    """Return a `sid` for a portal session that is to be opened."""
    return ids.new_id("ps_")


def find(on: hot.Executor, *, session_id: str, client_id: str, unit_id: str | None) -> str | None:
    """Return the `sid` that `open_or_join` would join, without holding it."""
    found = on.one(FIND_LIVING, session_id=session_id, client_id=client_id, unit_id=unit_id or "")
    return None if found is None else str(found[0])


def living(session: Session, *, session_id: str, client_id: str) -> list[tuple[str, str | None]]:
    """Return (`sid`, unit acted for) of everything that this browser session has at this client."""
    found = session.execute(
        select(PortalSession.id, PortalSession.unit_id).where(
            PortalSession.session_id == session_id,
            PortalSession.client_id == client_id,
            PortalSession.ended_at.is_(None),
        )
    )
    return [(sid, unit_id) for sid, unit_id in found]


def end_of_browser_session(session: Session, session_id: str, *, why: str) -> None:
    """End all portal sessions of a browser session."""
    found = session.scalars(
        select(PortalSession.id).where(PortalSession.session_id == session_id, PortalSession.ended_at.is_(None))
    )
    end(session, found.all(), why=why)


def end_of_pair(session: Session, *, person_id: str, unit_id: str, why: str, business: str | None = None) -> None:
    """End what `person_id` holds for `unit_id` at every portal: all of it, or what contains `business`.

    A portal that also had other businesses signs in anew and gets those that are left.
    """
    found = session.execute(
        select(Authorization.portal_session_id, Authorization.businesses).where(
            Authorization.subject_id == person_id,
            Authorization.unit_id == unit_id,
            Authorization.ended_at.is_(None),
            Authorization.portal_session_id.is_not(None),
        )
    )
    touched = {
        portal_session_id
        for portal_session_id, businesses in found
        if portal_session_id is not None and (business is None or business in businesses.split())
    }
    end(session, touched, why=why)


def end(session: Session, sids: Iterable[str], *, why: str) -> None:
    """End the portal sessions `sids` with their authorizations, and queue a logout token for each client."""
    now = clock.now()
    for sid in sorted(set(sids)):
        ended = session.execute(
            update(PortalSession)
            .where(PortalSession.id == sid, PortalSession.ended_at.is_(None))
            .values(ended_at=now)
            .returning(PortalSession.client_id, PortalSession.subject_id, PortalSession.unit_id)
        ).one_or_none()
        if ended is None:
            continue
        session.execute(
            update(Authorization)
            .where(Authorization.portal_session_id == sid, Authorization.ended_at.is_(None))
            .values(ended_at=now, ended_why=why)
        )
        client_id, subject_id, unit_id = ended
        _tell_client(session, client_id, subject_id, sid)
        record(
            session,
            Entry(
                "portal_session.ended",
                subject_id=subject_id,
                unit_id=unit_id,
                client_id=client_id,
                details={"why": why, "sid": sid},
            ),
        )


def _tell_client(session: Session, client_id: str, subject_id: str, sid: str) -> None:
    uri = session.scalars(select(Client.backchannel_logout_uri).where(Client.client_id == client_id)).one()
    if uri is None:
        return
    payload = {"client_id": client_id, "subject_id": subject_id, "sid": sid}
    outbox.enqueue(session, outbox.BACKCHANNEL_LOGOUT, payload, give_up_after=KEEP_TELLING)
