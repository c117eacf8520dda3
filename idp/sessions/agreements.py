"""What somebody has agreed to so far, portal by portal, and taking it back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from idp.audit.log import Entry, record
from idp.clients.model import Client, Consent
from idp.errors import NotFound
from idp.sessions import portal_sessions
from idp.sessions.model import PortalSession
from idp.store.db import transaction


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one portal may have, for the subject itself (`unit_id` None) or when acting for one unit.

    A portal that is gone has no address any more at which one could begin.
    """

    id: int
    client_name: str
    unit_id: str | None
    scopes: tuple[str, ...]
    given_at: datetime
    client_uri: str | None = None
    initiate_login_uri: str | None = None


def of(session: Session, subject_id: str) -> list[Agreement]:
    """Return the agreements of a person or a unit's account, the newest first."""
    rows = session.execute(
        select(Consent, Client)
        .join(Client, Client.client_id == Consent.client_id)
        .where(Consent.subject_id == subject_id)
        .order_by(Consent.given_at.desc(), Consent.id)
    )
    return [
        Agreement(
            consent.id,
            client.client_name,
            consent.unit_id or None,
            tuple(consent.scopes),
            consent.given_at,
            client.client_uri,
            client.initiate_login_uri if client.disabled_at is None else None,
        )
        for consent, client in rows
    ]


def withdraw(subject_id: str, agreement_id: int) -> None:
    """Take an agreement back: the portal is logged out there at once, and must ask anew. Raises NotFound."""
    with transaction() as session:
        taken = session.execute(
            delete(Consent)
            .where(Consent.id == agreement_id, Consent.subject_id == subject_id)
            .returning(Consent.client_id, Consent.unit_id)
        ).one_or_none()
        if taken is None:
            raise NotFound
        client_id, unit_id = taken[0], taken[1] or None
        held = session.scalars(
            select(PortalSession.id).where(
                PortalSession.subject_id == subject_id,
                PortalSession.client_id == client_id,
                PortalSession.unit_id == unit_id if unit_id else PortalSession.unit_id.is_(None),
                PortalSession.ended_at.is_(None),
            )
        )
        portal_sessions.end(session, held.all(), why="consent_withdrawn")
        record(session, Entry("consent.withdrawn", actor_id=subject_id, client_id=client_id, unit_id=unit_id))
