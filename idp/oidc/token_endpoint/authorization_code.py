"""The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.5).

A code works once, and a code that is presented twice was stolen or its client is broken: the two cannot be told
apart, nor can a replay that comes at the same moment from one that comes later. So the first presentation wins, any
further one is refused, and with it everything dies that the code brought: refresh and access tokens, the portal
session, and the portal's own session by back-channel logout (RFC 6749 §4.1.2, RFC 9700 §4.5).

A code that is presented with a wrong redirect_uri, a wrong verifier, or without the DPoP key that it is bound to is
burnt: whoever has it did not start it.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from idp import clock, ids
from idp.clients.registry import RegisteredClient
from idp.oidc import dpop, grants, statements
from idp.oidc.client_auth import ALL_METHODS
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import InvalidAuthorizationDetailsError, InvalidTargetError, UnauthorizedClientError
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.token_endpoint import terms
from idp.oidc.token_endpoint.issue import issue, issue_if_claimed, make
from idp.oidc.token_endpoint.outcome import Refused, end_grant, invalid_grant, tell_portal
from idp.store import hot

GRANT_TYPE = "authorization_code"
REMEMBER_USED_MS = 24 * 3600 * 1000
"""How long a used code is kept, so that a replay of it is known as one."""

_challenge_of: Callable[[str], str] = create_s256_code_challenge
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class _Presented:
    """What the client sends for the code."""

    code_hash: str
    redirect_uri: str
    verifier: str | None
    form: dict[str, str]
    jkt: str | None


class AuthorizationCodeGrant(BaseGrant, TokenEndpointMixin):
    """`grant_type=authorization_code`, as Authlib's dispatch wants it."""

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
        self._presented = _Presented(
            code_hash=ids.fingerprint(self.request.required("code")),
            redirect_uri=self.request.required("redirect_uri"),
            verifier=self.request.form.get("code_verifier"),
            form=self.request.form,
            jkt=self._proof.jkt,
        )

    def create_token_response(self) -> Any:
        """Redeem the code in one transaction. Raises OAuth2Error."""
        client: Any = self.request.client
        outcome: dict[str, Any] | Refused | None = _redeem_at_once(client, self._presented)
        if outcome is None:
            with hot.transaction() as on:
                outcome = _redeem(on, client, self._presented)
        if isinstance(outcome, Refused):
            tell_portal(outcome)
            raise outcome.error
        return HTTPStatus.OK, outcome, self._proof.headers


def _redeem_at_once(client: RegisteredClient, presented: _Presented) -> dict[str, Any] | None:
    """Redeem a code when nothing speaks against it: one look, and one claim that stores.

    Returns None in every other case, and when somebody else was first: then step by step, as `_redeem` does, which
    finds out what it is and burns or ends what it must.
    """
    on, now = hot.reader(), clock.millis()
    place = {"code_hash": presented.code_hash, "client_id": client.client_id}
    row = on.one(statements.FIND_CODE, **place, now=now)
    if row is None:
        return None
    grant = Grant.of_row(row)
    redirect_uri, challenge, dpop_jkt = row[grants.COLUMNS :]
    if not _is_its_own(presented, redirect_uri, dpop_jkt) or not _proves(client, presented.verifier, challenge):
        return None
    try:
        asked = terms.of_code(grant, client, presented.form, presented.jkt)
        acting = grants.standing(on, grant, client)
    except (InvalidTargetError, InvalidAuthorizationDetailsError, GrantLost):
        return None
    made = make(grant, client, acting, asked, grant_type=GRANT_TYPE, nonce=grant.nonce)
    won = issue_if_claimed(
        statements.CODE, made, authorization_id=grant.id, **place, now=now, remember_until=now + REMEMBER_USED_MS
    )
    return made.body if won else None


def _is_its_own(presented: _Presented, redirect_uri: str, dpop_jkt: str | None) -> bool:
    """Whether address and key are those that the code was asked for with (RFC 6749 §4.1.3, RFC 9449 §10)."""
    return redirect_uri == presented.redirect_uri and dpop_jkt in {None, presented.jkt}


def _redeem(on: hot.Executor, client: RegisteredClient, presented: _Presented) -> dict[str, Any] | Refused:
    now = clock.millis()
    claimed = on.one(
        statements.CLAIM_CODE,
        code_hash=presented.code_hash,
        client_id=client.client_id,
        now=now,
        remember_until=now + REMEMBER_USED_MS,
    )
    if claimed is None:
        return _not_claimed(on, client, presented, now)
    grant_id, redirect_uri, challenge, dpop_jkt = claimed
    found = grants.find(on, grant_id)
    if found is None:
        return invalid_grant()
    grant, _ = found
    if not _is_its_own(presented, redirect_uri, dpop_jkt) or not _proves(client, presented.verifier, challenge):
        return end_grant(on, grant, action="code.burnt", why="code_burnt", now=now, tell=False)
    return _decide_and_issue(on, client, grant, presented, now)


def _decide_and_issue(
    on: hot.Executor, client: RegisteredClient, grant: Grant, presented: _Presented, now: int
) -> dict[str, Any] | Refused:
    try:
        asked = terms.of_code(grant, client, presented.form, presented.jkt)
        acting = grants.standing(on, grant, client)
    except (InvalidTargetError, InvalidAuthorizationDetailsError) as error:
        return Refused(error)
    except GrantLost as lost:
        return end_grant(on, grant, action="grant.lost", why=lost.reason, now=now)
    return issue(on, grant, client, acting, asked, grant_type=GRANT_TYPE, nonce=grant.nonce)


def _proves(client: RegisteredClient, verifier: str | None, challenge: str | None) -> bool:
    """RFC 7636 §4.6, S256 only.

    A code without a challenge (only clients registered for that get one) takes no verifier: whoever sends one began
    with a challenge that somebody stripped on the way (RFC 9700 §4.8.2).
    """
    if challenge is None:
        return verifier is None and not client.protocol.require_pkce
    if verifier is None or _VERIFIER.fullmatch(verifier) is None:
        return False
    return hmac.compare_digest(_challenge_of(verifier), challenge)


def _not_claimed(on: hot.Executor, client: RegisteredClient, presented: _Presented, now: int) -> Refused:
    used = on.one(statements.FIND_USED_CODE, code_hash=presented.code_hash, client_id=client.client_id)
    found = None if used is None else grants.find(on, used[0])
    if found is None:
        return invalid_grant()
    return end_grant(on, found[0], action="code.replayed", why="code_replayed", now=now)
