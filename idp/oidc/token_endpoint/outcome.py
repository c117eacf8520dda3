"""How a token request ends when it gives no tokens, and what must end with it."""

from dataclasses import dataclass

from idp.audit.log import Entry, record
from idp.oidc import grants
from idp.oidc.errors import InvalidGrantError, OAuth2Error
from idp.oidc.grants import Grant
from idp.sessions import portal_sessions
from idp.sessions.model import Authorization
from idp.store import hot
from idp.store.db import transaction


@dataclass(frozen=True, slots=True)
class Refused:
    """No tokens. What the transaction did (a code burnt, a grant ended) stays done.

    `lost_grant` is a grant that ended for `why`; its portal is to be told.
    """

    error: OAuth2Error
    lost_grant: str | None = None
    why: str = ""


def invalid_grant(lost_grant: str | None = None, why: str = "") -> Refused:
    """Refuse a code or refresh token. The client learns that it is of no use, and not why."""
    return Refused(InvalidGrantError("The code or refresh token is invalid, expired or revoked"), lost_grant, why)


def end_grant(on: hot.Executor, grant: Grant, *, action: str, why: str, now: int, tell: bool = True) -> Refused:
    """End `grant` and all its tokens, write the audit entry `action`, and refuse. `now` is in milliseconds.

    With `tell` the portal session ends too, once this transaction is done.
    """
    grants.end(on, grant.id, why, now)
    record(
        on,
        Entry(
            action,
            subject_id=grant.subject_id,
            unit_id=grant.unit_id,
            client_id=grant.client_id,
            outcome="refused",
            details={"authorization": grant.id, "why": why},
        ),
    )
    return invalid_grant(lost_grant=grant.id if tell else None, why=why)


def tell_portal(refused: Refused) -> None:
    """End the portal session that the lost grant belongs to: its other grants end, and its client is told (U13).

    A transaction of its own, after the one that ended the grant: no token works in between.
    """
    if refused.lost_grant is None:
        return
    with transaction() as session:
        grant = session.get(Authorization, refused.lost_grant)
        if grant is not None and grant.portal_session_id is not None:
            portal_sessions.end(session, [grant.portal_session_id], why=refused.why)
