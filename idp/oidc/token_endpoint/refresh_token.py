"""The refresh token grant (RFC 6749 §6), with rotation in families (RFC 9700 §4.14.2).

The family is the grant. Every refresh uses up the token presented and issues its successor; whoever presents a used
token again shows that two parties hold it, and the family ends. Except: an answer can get lost. Within
`refresh_grace` of its first use a token may be presented again as long as none of its successors was used; that
gives another successor, a sibling. As soon as one sibling is used, the others count as used up: presenting one is
reuse. So a portal that lost an answer goes on, and a thief gains nothing by being quick.

A family refreshes one at a time: whoever refreshes step by step holds the grant's row from the first statement to
the commit; whoever refreshes at once does it only if the family is as it was when the decision was made.
"""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp import clock, ids
from idp.clients.registry import RegisteredClient
from idp.oidc import dpop, grants, statements
from idp.oidc.client_auth import ALL_METHODS
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import (
    InvalidAuthorizationDetailsError,
    InvalidScopeError,
    InvalidTargetError,
    UnauthorizedClientError,
)
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.token_endpoint import terms
from idp.oidc.token_endpoint.issue import issue, issue_if_claimed, make
from idp.oidc.token_endpoint.outcome import Refused, end_grant, invalid_grant, tell_portal
from idp.settings import settings
from idp.store import hot

GRANT_TYPE = "refresh_token"


class Use(Enum):
    """What the presentation of a refresh token is."""

    FIRST = "first"
    RETRY = "retry"
    REUSE = "reuse"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token as it stands in the database. Times are in milliseconds; `jkt` is the key it is bound to."""

    expires_at: int
    used_at: int | None
    successor_used: bool
    sibling_used: bool
    jkt: str | None = None

    def use(self, now: int, grace: int) -> Use:
        """Return what presenting it at `now` is; `grace` is in milliseconds."""
        if self.expires_at <= now:
            return Use.EXPIRED
        if self.sibling_used:
            return Use.REUSE
        if self.used_at is None:
            return Use.FIRST
        # A use can lie ahead of `now`: by another machine's clock, or by a request that was here first and slower.
        since_use = max(0, now - self.used_at)
        return Use.RETRY if since_use < grace and not self.successor_used else Use.REUSE


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the client sends: a refresh token, the other parameters, and the key that it proved."""

    token_hash: str
    form: dict[str, str]
    jkt: str | None


class RefreshTokenGrant(BaseGrant, TokenEndpointMixin):
    """`grant_type=refresh_token`, as Authlib's dispatch wants it."""

    GRANT_TYPE = GRANT_TYPE
    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS

    request: ClientRequest

    def validate_token_request(self) -> None:
        """Authenticate the client and read what it presents. Raises OAuth2Error."""
        client: Any = self.authenticate_token_endpoint_client()
        if GRANT_TYPE not in client.grant_types:
            raise UnauthorizedClientError("The client may not use this grant_type")
        self.request.client = client
        self._proof = dpop.at_token_endpoint(self.request, client)
        token_hash = ids.fingerprint(self.request.required("refresh_token"))
        self._asked = _Asked(token_hash, self.request.form, self._proof.jkt)

    def create_token_response(self) -> Any:
        """Rotate the token in one transaction. Raises OAuth2Error."""
        client: Any = self.request.client
        outcome: dict[str, Any] | Refused | None = _refresh_at_once(client, self._asked)
        if outcome is None:
            with hot.transaction() as on:
                outcome = _refresh(on, client, self._asked)
        if isinstance(outcome, Refused):
            tell_portal(outcome)
            raise outcome.error
        return HTTPStatus.OK, outcome, self._proof.headers


def _refresh_at_once(client: RegisteredClient, asked: _Asked) -> dict[str, Any] | None:
    """Refresh with a token at its first use, when nothing speaks against it: one look, and one claim that stores.

    Returns None in every other case, and when the family changed between the two: then step by step, as `_refresh`
    does, which finds out what it is.
    """
    on, now = hot.reader(), clock.millis()
    row = on.one(statements.FIND_REFRESH, token_hash=asked.token_hash, client_id=client.client_id)
    if row is None:
        return None
    grant, token = Grant.of_row(row), presented(row)
    if token.jkt not in {None, asked.jkt} or token.use(now, 0) is not Use.FIRST:
        return None
    try:
        on_terms = terms.of_refresh(grant, client, asked.form, asked.jkt)
        acting = grants.standing(on, grant, client)
    except (InvalidTargetError, InvalidScopeError, InvalidAuthorizationDetailsError, GrantLost):
        return None
    made = make(grant, client, acting, on_terms, grant_type=GRANT_TYPE, parent_hash=asked.token_hash)
    if made.refresh is None:
        return None
    won = issue_if_claimed(statements.FIRST_REFRESH, made, seen=row[grants.COLUMNS])
    return made.body if won else None


def _refresh(on: hot.Executor, client: RegisteredClient, asked: _Asked) -> dict[str, Any] | Refused:
    named = {"token_hash": asked.token_hash, "client_id": client.client_id}
    if on.one(statements.LOCK_FAMILY, **named, now=clock.millis()) is None:
        return invalid_grant()
    now = clock.millis()  # only now: whoever waited for the lock must not be earlier than who held it
    row = on.one(statements.FIND_REFRESH, **named)
    if row is None:
        return invalid_grant()
    grant = Grant.of_row(row)
    token = presented(row)
    if token.jkt not in {None, asked.jkt}:
        return invalid_grant()  # RFC 9449 §5: bound to another key, so whoever asks is not who got it
    use = token.use(now, settings().refresh_grace * 1000)
    if use is Use.EXPIRED:
        return invalid_grant()
    if use is Use.REUSE:
        return end_grant(on, grant, action="refresh.reused", why="refresh_reused", now=now)
    return _decide_and_rotate(on, client, grant, asked, now)


def presented(row: hot.Row) -> Presented:
    """Return the token that a row of FIND_REFRESH holds beside its grant."""
    _, expires_at, used_at, jkt, successor_used, sibling_used = row[grants.COLUMNS :]
    return Presented(expires_at, used_at, bool(successor_used), bool(sibling_used), jkt)


def _decide_and_rotate(
    on: hot.Executor, client: RegisteredClient, grant: Grant, asked: _Asked, now: int
) -> dict[str, Any] | Refused:
    try:
        on_terms = terms.of_refresh(grant, client, asked.form, asked.jkt)
        acting = grants.standing(on, grant, client)
    except (InvalidTargetError, InvalidScopeError, InvalidAuthorizationDetailsError) as error:
        return Refused(error)  # the token stays unused: the client may ask again, better
    except GrantLost as lost:
        return end_grant(on, grant, action="grant.lost", why=lost.reason, now=now)
    return issue(on, grant, client, acting, on_terms, grant_type=GRANT_TYPE, parent_hash=asked.token_hash)
