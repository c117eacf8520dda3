"""Removing a client that manages itself (RFC 7592 §2.3): it is unknown from now on, and what hangs on it ends."""

from sqlalchemy import select, update

from idp import clock
from idp.clients import registration, self_registration
from idp.sessions import portal_sessions
from idp.sessions.model import Authorization, PortalSession
from idp.store.db import transaction

WHY = "client_removed"


def remove(client_id: str, token: str) -> None:
    """Disable the client that the registration access token `token` manages, and end all its sessions.

    Its codes, tokens and portal sessions end in the same transaction. Raises TokenRefused.
    """
    with transaction() as session:
        self_registration.forget_token(session, client_id, token)
        registration.disable_within(session, client_id)
        living = select(PortalSession.id).where(PortalSession.client_id == client_id, PortalSession.ended_at.is_(None))
        portal_sessions.end(session, session.scalars(living).all(), why=WHY)
        session.execute(
            update(Authorization)
            .where(Authorization.client_id == client_id, Authorization.ended_at.is_(None))
            .values(ended_at=clock.now(), ended_why=WHY)
        )
