"""Interactions: an authorization request that waits for a person. Journeys finish one need and go back to it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.clients import consents
from idp.errors import DomainError
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.model import BrowserSession, Interaction
from idp.settings import settings
from idp.store import hot
from idp.store.db import release, transaction

BEGIN = hot.Statement(
    "INSERT INTO interaction (id, browser_id, client_id, request, session_id, as_unit, consented, level_offered, "
    "created_at, expires_at) "
    "VALUES (:id, :browser_id, :client_id, :request, :session_id, :no, :no, :no, :now, :expires_at)"
)
FIND = hot.Statement(
    "SELECT id, client_id, request, session_id, as_unit, acting_for, consented, level_offered, refusal, created_at "
    "FROM interaction WHERE id = :id AND browser_id = :browser_id AND finished_at IS NULL AND expires_at > :now"
)
SIGNED_IN = hot.Statement(
    "UPDATE interaction SET session_id = :session_id, as_unit = :as_unit, acting_for = NULL, consented = :no "
    "WHERE id = :id"
)
FINISH_OPEN = hot.Step.change(
    "UPDATE interaction SET finished_at = :now WHERE id = :interaction_id AND finished_at IS NULL "
)
FINISH = hot.Statement(FINISH_OPEN.text + FINISH_OPEN.ending)

MYSELF = "self"
UNBOUND = ""
ACCESS_DENIED = "access_denied"


class InteractionGone(DomainError):
    """The interaction has expired, is finished, or belongs to another browser."""

    code = "interaction_gone"
    status = 400


@dataclass(frozen=True, slots=True)
class OpenInteraction:
    """A row of `interaction` that is neither finished nor expired; see the model. `created_at` is in milliseconds."""

    id: str
    client_id: str
    request: dict[str, Any]
    session_id: str | None
    as_unit: bool
    acting_for: str | None
    consented: bool
    level_offered: bool
    refusal: str | None
    created_at: int

    @classmethod
    def of_row(cls, row: hot.Row) -> Self:
        """Return what a row of FIND says."""
        id_, client_id, request, session_id, as_unit, acting_for, consented, level_offered, refusal, created_at = row
        answers = bool(as_unit), acting_for, bool(consented), bool(level_offered)  # SQLite has no booleans
        return cls(id_, client_id, json.loads(request), session_id, *answers, refusal, created_at)


def begin(request: AuthorizationRequest, browser_id: str, session_id: str | None = None) -> str:
    """Store a checked request and return its interaction's id, which is bound to `browser_id`.

    UNBOUND in its place: a POST from another site brings no cookie (SameSite=Lax), so the browser is known only when
    it comes back; see `bind`. `session_id` is the sign-in that the browser has already.
    """
    interaction_id, now = ids.new_secret(), clock.millis()
    release()  # what was read before must not stand in the way of writing (SQLite)
    hot.reader().run(
        BEGIN,
        id=interaction_id,
        browser_id=browser_id,
        client_id=request.client_id,
        request=json.dumps(request.to_json(), ensure_ascii=False, separators=(",", ":")),
        session_id=session_id,
        no=False,
        now=now,
        expires_at=now + settings().interaction_lifetime * 1000,
    )
    return interaction_id


def find(interaction_id: str, browser_id: str) -> OpenInteraction:
    """Return a living interaction of this browser. Raises InteractionGone."""
    row = hot.reader().one(FIND, id=interaction_id, browser_id=browser_id, now=clock.millis())
    if row is None:
        raise InteractionGone
    return OpenInteraction.of_row(row)


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


def asked(interaction: OpenInteraction) -> AuthorizationRequest:
    """Return the request that the interaction carries."""
    return AuthorizationRequest.from_json(interaction.request)


def signed_in(interaction_id: str, session_id: str, *, as_unit: bool) -> None:
    """Note that the sign-in which this request needed was done, and whether 「以单位身份登录」 was ticked (C1)."""
    release()
    hot.reader().run(SIGNED_IN, id=interaction_id, session_id=session_id, as_unit=as_unit, no=False)


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
    return hot.executor(on).one(FINISH, interaction_id=interaction_id, now=clock.millis()) is not None
