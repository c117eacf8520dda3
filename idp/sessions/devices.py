"""Where an account is signed in: the living sessions of one person or unit, and ending them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from idp import clock
from idp.clients.model import Client
from idp.errors import NotFound
from idp.sessions import browser_sessions
from idp.sessions.model import BrowserSession, PortalSession
from idp.settings import settings
from idp.store.db import db, transaction


@dataclass(frozen=True, slots=True)
class Device:
    """One living session, as its owner may see it."""

    session_id: str
    address: str
    user_agent: str
    signed_in_at: datetime
    seen_at: datetime


def devices(subject_id: str) -> list[Device]:
    """Return the living sessions of an account, the one seen last first."""
    now = clock.now()
    rows = db.session().scalars(
        select(BrowserSession)
        .where(
            BrowserSession.subject_id == subject_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.expires_at > now,
            BrowserSession.seen_at > now - timedelta(seconds=settings().session_idle),
        )
        .order_by(BrowserSession.seen_at.desc())
    )
    return [Device(row.id, row.address, row.user_agent, row.auth_time, row.seen_at) for row in rows]


def portals(session_id: str) -> list[str]:
    """Return the names of the portals that a session is signed in at, each once."""
    names = db.session().scalars(
        select(Client.client_name)
        .join(PortalSession, PortalSession.client_id == Client.client_id)
        .where(PortalSession.session_id == session_id, PortalSession.ended_at.is_(None))
        .distinct()
        .order_by(Client.client_name)
    )
    return list(names)


def sign_out(session_id: str) -> None:
    """End the session of this browser, and with it those of its portals."""
    with transaction() as session:
        browser_sessions.end(session, session_id, why="signed_out")


def end(subject_id: str, session_id: str) -> None:
    """End one session of this account, everywhere at once. Raises NotFound for another's, and for one long over."""
    if session_id not in {each.session_id for each in devices(subject_id)}:
        raise NotFound
    with transaction() as session:
        browser_sessions.end(session, session_id, why="ended_by_owner")


def end_others(subject_id: str, but: str) -> None:
    """End every session of this account except `but`, the one that asks."""
    with transaction() as session:
        browser_sessions.end_all_of(session, subject_id, why="ended_by_owner", but=but)
