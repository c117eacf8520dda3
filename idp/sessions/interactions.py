"""Interactions: an authorization request that waits for a person. Journeys finish one need and go back to it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.clients import consents
from idp.errors import DomainError
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.model import BrowserSession, Interaction
from idp.settings import settings
from idp.store import hot
from idp.store.db import transaction

FINISH = hot.Statement("UPDATE interaction SET finished_at = :now WHERE id = :id AND finished_at IS NULL RETURNING id")

MYSELF = "self"
UNBOUND = ""
ACCESS_DENIED = "access_denied"


class InteractionGone(DomainError):
    """The interaction has expired, is finished, or belongs to another browser."""

    code = "interaction_gone"
    status = 400


def begin(request: AuthorizationRequest, browser_id: str, session_id: str | None = None) -> str:
    """Store a checked request and return its interaction's id, which is bound to `browser_id`.

    UNBOUND in its place: a POST from another site brings no cookie (SameSite=Lax), so the browser is known only when
    it comes back; see `bind`. `session_id` is the sign-in that the browser has already.
    """
    now = clock.now()
    with transaction() as session:
        interaction = Interaction(
            id=ids.new_secret(),
            browser_id=browser_id,
            client_id=request.client_id,
            request=request.to_json(),
            session_id=session_id,
            created_at=now,
            expires_at=now + timedelta(seconds=settings().interaction_lifetime),
        )
        session.add(interaction)
    return interaction.id


def find(session: Session, interaction_id: str, browser_id: str) -> Interaction:
    """Return a living interaction of this browser. Raises InteractionGone."""
    found = session.scalars(
        select(Interaction).where(
            Interaction.id == interaction_id,
            Interaction.browser_id == browser_id,
            Interaction.finished_at.is_(None),
            Interaction.expires_at > clock.now(),
        )
    ).one_or_none()
    if found is None:
        raise InteractionGone
    return found


def bind(interaction_id: str, browser_id: str) -> None:
    """Bind an UNBOUND interaction to the first browser that resumes it; any other is left as it is."""
    with transaction() as session:
        session.execute(
            update(Interaction)
            .where(Interaction.id == interaction_id, Interaction.browser_id == UNBOUND)
            .values(browser_id=browser_id)
        )


def continue_as(interaction_id: str, session_id: str) -> None:
    """Let the answers given so far belong to `session_id`.

    A step-up renews the session of one account, which keeps its answers; another account inherits none of them.
    """
    with transaction() as session:
        before = session.scalars(select(Interaction.session_id).where(Interaction.id == interaction_id)).one()
        subjects = select(BrowserSession.subject_id).where(BrowserSession.id.in_([before, session_id]))
        values: dict[str, Any] = {"session_id": session_id}
        if before is None or len(set(session.scalars(subjects))) > 1:
            values |= {"as_unit": False, "acting_for": None, "consented": False, "level_offered": False}
        session.execute(update(Interaction).where(Interaction.id == interaction_id).values(**values))


def note_level_offered(interaction_id: str) -> None:
    """Note that a voluntary step-up was shown."""
    with transaction() as session:
        session.execute(update(Interaction).where(Interaction.id == interaction_id).values(level_offered=True))


def asked(interaction: Interaction) -> AuthorizationRequest:
    """Return the request that the interaction carries."""
    return AuthorizationRequest.from_json(interaction.request)


def signed_in(interaction_id: str, session_id: str, *, as_unit: bool) -> None:
    """Note that the sign-in which this request needed was done, and whether 「以单位身份登录」 was ticked (C1)."""
    with transaction() as session:
        session.execute(
            update(Interaction)
            .where(Interaction.id == interaction_id)
            .values(session_id=session_id, as_unit=as_unit, acting_for=None, consented=False)
        )


def choose(interaction_id: str, acting_for: str) -> None:
    """Note for whom the person acts: a unit's id, or MYSELF."""
    with transaction() as session:
        session.execute(
            update(Interaction).where(Interaction.id == interaction_id).values(acting_for=acting_for, consented=False)
        )


def choose_again(interaction_id: str) -> None:
    """Forget the choice, so that the chooser is shown once more."""
    with transaction() as session:
        session.execute(
            update(Interaction).where(Interaction.id == interaction_id).values(acting_for=None, consented=False)
        )


def consent(interaction_id: str, *, subject_id: str, unit_id: str | None, scopes: Iterable[str]) -> None:
    """Note that the person let the client have `scopes`, for this request and for later ones like it."""
    with transaction() as session:
        client_id = session.execute(
            update(Interaction)
            .where(Interaction.id == interaction_id, Interaction.finished_at.is_(None))
            .values(consented=True)
            .returning(Interaction.client_id)
        ).scalar_one_or_none()
        if client_id is None:
            raise InteractionGone
        consents.give(session, subject_id=subject_id, client_id=client_id, unit_id=unit_id, scopes=scopes)


def refuse(interaction_id: str, error: str = ACCESS_DENIED) -> None:
    """Note that the person said no: the client is answered with `error` (RFC 6749 §4.1.2.1) when this is resumed."""
    with transaction() as session:
        session.execute(
            update(Interaction)
            .where(Interaction.id == interaction_id, Interaction.finished_at.is_(None))
            .values(refusal=error)
        )


def finish(on: Session | hot.Executor, interaction_id: str) -> bool:
    """Claim the end of the interaction: True for exactly one caller, who may answer the client."""
    return hot.executor(on).one(FINISH, id=interaction_id, now=clock.millis()) is not None
