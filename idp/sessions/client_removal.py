"""Clients that go: disabled by an administrator (A2), or removing themselves (RFC 7592 §2.3).

The client is unknown from now on, and what hangs on it ends in the same transaction (U13): codes, tokens and portal
sessions. Were it ever enabled again, nothing of that would come back.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.clients import registration, self_registration
from idp.sessions import portal_sessions
from idp.sessions.model import Authorization, PortalSession
from idp.store.db import transaction

REMOVED = "client_removed"
DISABLED = "client_disabled"


def remove(client_id: str, token: str) -> None:
    """Disable the client that the registration access token `token` manages, and end all that hangs on it.

    Raises TokenRefused.
    """
    with transaction() as session:
        self_registration.forget_token(session, client_id, token)
        _end(session, client_id, why=REMOVED)


def disable(client_id: str) -> bool:
    """Disable a client, and end all that hangs on it. Returns False when there is no such living client."""
    with transaction() as session:
        return _end(session, client_id, why=DISABLED)


def _end(session: Session, client_id: str, *, why: str) -> bool:
    # First the client: who is about to grant it something holds its row, and this waits for the commit.
    if not registration.disable(session, client_id):
        return False
    living = select(PortalSession.id).where(PortalSession.client_id == client_id, PortalSession.ended_at.is_(None))
    portal_sessions.end(session, session.scalars(living).all(), why=why)
    session.execute(
        update(Authorization)
        .where(Authorization.client_id == client_id, Authorization.ended_at.is_(None))
        .values(ended_at=clock.now(), ended_why=why)
    )
    return True
