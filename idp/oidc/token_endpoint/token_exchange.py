"""Token exchange (RFC 8693): another access token for one that the client has, without a new sign-in (C4).

Two things are exchanged. A person's own token becomes one that acts for a unit, which the client must name
(`authorization_details`): the portal switches the unit while the person stays signed in. And any token becomes one
for another audience, or for less. Never more: not beyond the scope of the token presented, not for another unit than
the one asked for, not past its end, and nothing that `delegation/acting.py` does not allow at this moment.

What is issued hangs on a row of its own, which ends with the authorization that it came from, and with the portal
session of that pair of person and unit (U13), as if the person had chosen the unit in the chooser.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting, Reason
from idp.features import TOKEN_EXCHANGE
from idp.oidc import access_tokens, authorization_details, dpop, grants, resources, statements
from idp.oidc.access_tokens import Found
from idp.oidc.client_auth import CONFIDENTIAL_METHODS
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import (
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
    OAuth2Error,
    UnauthorizedClientError,
)
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.token_endpoint import switch_unit
from idp.oidc.token_endpoint.issue import OFFLINE_ACCESS, answer_for
from idp.oidc.token_endpoint.switch_unit import Held, MayNotAct
from idp.oidc.tokens import access_token
from idp.oidc.tokens.access_token import Terms
from idp.rules.levels import Acr, parse_acr
from idp.store import hot

GRANT_TYPE = TOKEN_EXCHANGE
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the client sends: the token to exchange, the other parameters, and the key that it proved."""

    subject_token: str
    form: dict[str, str]
    jkt: str | None


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):
    """The grant, as Authlib's dispatch wants it: for confidential clients that are registered for it."""

    GRANT_TYPE = GRANT_TYPE
    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL_METHODS

    request: ClientRequest

    def validate_token_request(self) -> None:
        """Authenticate the client and read what it presents (§2.1). Raises OAuth2Error."""
        client: Any = self.authenticate_token_endpoint_client()
        if GRANT_TYPE not in client.grant_types:
            raise UnauthorizedClientError("The client may not use this grant_type")
        self.request.client = client
        token = self.request.required("subject_token")
        _check_types(self.request)
        self._proof = dpop.at_token_endpoint(self.request, client)
        self._asked = _Asked(token, self.request.form, self._proof.jkt)

    def create_token_response(self) -> Any:
        """Exchange the token in one transaction. Raises OAuth2Error."""
        client: Any = self.request.client
        with hot.transaction() as on:
            outcome = _exchange(on, client, self._asked)
        if isinstance(outcome, OAuth2Error):
            raise outcome
        return HTTPStatus.OK, outcome, self._proof.headers


def _check_types(request: ClientRequest) -> None:
    """§2.1, §3: access tokens for access tokens. Only the person acts, so an actor token would have no meaning."""
    if request.required("subject_token_type") != ACCESS_TOKEN:
        raise InvalidRequestError("subject_token_type must be that of an access token")
    if request.form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise InvalidRequestError("Only access tokens are issued")
    if "actor_token" in request.form or "actor_token_type" in request.form:
        raise InvalidRequestError("Actor tokens are not supported")


def _exchange(on: hot.Executor, client: RegisteredClient, asked: _Asked) -> dict[str, Any] | OAuth2Error:
    """Return the answer's body; an error where the refusal was written down and must stay. Raises OAuth2Error."""
    found, subject = _subject(on, client, asked)
    session = on.one(statements.HOLD_SIGN_IN, id=subject.id)
    if session is None:
        raise _unusable()
    audience = _audience(client, asked.form, found)
    scope = tuple(each for each in found.scope if each in client.scopes and each != OFFLINE_ACCESS)
    acting: Acting | None
    try:
        if subject.unit_id is None and authorization_details.PARAMETER in asked.form:
            _check_own(client, found)
            grant, acting, scope = switch_unit.switched(on, client, Held(subject, scope, session[0]), asked.form)
        else:
            grant, acting, scope = _narrowed(on, client, Held(subject, scope, session[0]), asked.form)
    except MayNotAct as refused:
        _record(on, client, replace(subject, unit_id=refused.unit_id), outcome="refused", why=refused.reason)
        return InvalidTargetError(f"This may not be done now: {refused.reason}")
    return _issued(on, client, _Issue(subject, grant, acting, Terms(scope, audience, asked.jkt, found.claims["exp"])))


def _subject(on: hot.Executor, client: RegisteredClient, asked: _Asked) -> tuple[Found, Grant]:
    """Return the token presented, good at this moment, and its grant. Raises InvalidRequestError (§2.2.2).

    A token that is not of this client, nor for it, is answered like none at all. For one that is bound to a key only
    another bound one is had, and the client that it was issued to must hold that very key.
    """
    found = access_tokens.find(on, asked.subject_token)
    if found is None or found.grant is None or not access_tokens.concerns(client, found.claims):
        raise _unusable()
    key = found.claims.get("cnf", {}).get("jkt")
    is_own = found.client_id == client.client_id
    if key is not None and (asked.jkt is None or (is_own and asked.jkt != key)):
        raise InvalidRequestError("The subject token is bound to a key that was not proven")
    try:
        access_tokens.standing(on, found)
    except GrantLost as lost:
        raise _unusable() from lost
    return found, found.grant


def _unusable() -> InvalidRequestError:
    return InvalidRequestError("The subject token is not one that can be exchanged")


def _check_own(client: RegisteredClient, found: Found) -> None:
    """Only the portal at which the person signed in may switch: it is the one the person knows and agreed to."""
    if found.client_id != client.client_id:
        raise _unusable()


def _audience(client: RegisteredClient, form: dict[str, str], found: Found) -> str:
    """Return the one audience asked for (§2.1 `audience` or `resource`); by default that of the token.

    Raises InvalidTargetError.
    """
    registered = resources.registered(client)
    named = {form[name] for name in ("audience", resources.PARAMETER) if name in form}
    if len(named) > 1:
        raise InvalidTargetError("A token is for one resource: ask once for each")
    usual = found.claims["aud"] if found.claims["aud"] in registered else registered[0]
    return resources.picked(next(iter(named), None), (usual, *registered))


def _narrowed(
    on: hot.Executor, client: RegisteredClient, held: Held, form: dict[str, str]
) -> tuple[Grant, Acting | None, tuple[str, ...]]:
    """Return the grant with what is left of the token's scope. Raises OAuth2Error."""
    scope = held.scope
    if "scope" in form:
        wanted = form["scope"].split()
        if not set(wanted) <= set(scope):
            raise InvalidScopeError("The scope exceeds that of the token, or what this client may ask for")
        scope = tuple(each for each in scope if each in wanted)
    details = form.get(authorization_details.PARAMETER)
    if details is not None:
        scope = authorization_details.narrowed(held.grant, client, details, scope)
    businesses = tuple(each for each in held.grant.businesses if each in scope)
    grant = replace(held.grant, scope=scope, businesses=businesses)
    if grant.unit_id is None and (parse_acr(grant.acr) or Acr.L0) < client.min_person_level:
        raise MayNotAct(Reason.PERSON_LEVEL, None)  # F3, of the client that the token comes to
    try:
        return grant, grants.standing(on, grant, client), scope
    except GrantLost as lost:
        raise MayNotAct(lost.reason, grant.unit_id) from lost


@dataclass(frozen=True, slots=True)
class _Issue:
    """All that a token is issued from: the grant it comes from, its own, the answer it rests on, and its terms."""

    subject: Grant
    grant: Grant
    acting: Acting | None
    terms: Terms


def _issued(on: hot.Executor, client: RegisteredClient, what: _Issue) -> dict[str, Any]:
    """Store the authorization and return the answer's body (§2.2.1): no refresh token, one exchanges again."""
    grant = replace(what.grant, id=ids.new_id("a_"))
    claims = access_token.claims_of(grant, client, what.acting, what.terms)
    on.run(
        statements.INSERT_EXCHANGED,
        id=grant.id,
        from_id=what.subject.id,
        portal_session_id=grant.sid,
        client_id=client.client_id,
        unit_id=grant.unit_id,
        scope=" ".join(grant.scope),
        businesses=" ".join(grant.businesses),
        resource=what.terms.audience,
        now=clock.millis(),
        expires_at=claims["exp"] * 1000,
    )
    issued = access_token.issue(on, client, claims, grant.id)
    _record(on, client, grant, authorization=grant.id, exchanged=what.subject.id, scope=" ".join(grant.scope))
    return {**answer_for(issued, claims), "issued_token_type": ACCESS_TOKEN}


def _record(on: hot.Executor, client: RegisteredClient, grant: Grant, *, outcome: str = "ok", **details: str) -> None:
    record(
        on,
        Entry(
            "token.exchanged",
            actor_id=grant.subject_id,
            unit_id=grant.unit_id,
            client_id=client.client_id,
            outcome=outcome,
            details=details,
        ),
    )
