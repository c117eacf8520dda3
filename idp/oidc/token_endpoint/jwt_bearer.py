"""The JWT bearer grant (RFC 7523 §2.1): an assertion in place of a code, for clients that keep keys and no secrets.

The reading here is narrow. The assertion is signed by the client itself, under the keys that it registered, and the
same client presents it and authenticates; no other issuer is trusted to speak for anybody. Its `sub` is one of two:

- the client: then this is `client_credentials` in other words;
- a person who let this client act while they are away: there is a grant of theirs with `offline_access`, for
  themselves and not for a unit, with a refresh token that the client could use at this moment. The token lies within
  that grant and hangs on it. It acts for no unit: for that it is exchanged (RFC 8693).

So an assertion never opens what the client could not have without it. Pairwise subjects lead nowhere: from such a
`sub` there is no way back to the person.
"""

import re
from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients.registry import RegisteredClient
from idp.features import JWT_BEARER
from idp.oidc import client_jwts, dpop, grants, replay, statements
from idp.oidc.client_auth import CONFIDENTIAL_METHODS
from idp.oidc.client_jwts import ASYMMETRIC, FAPI, JwtRefused
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import InvalidGrantError, UnauthorizedClientError
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.subjects import PAIRWISE
from idp.oidc.token_endpoint import terms
from idp.oidc.token_endpoint.client_credentials import issue_to_client
from idp.oidc.token_endpoint.issue import answer_for
from idp.oidc.tokens import access_token
from idp.settings import settings
from idp.store import hot

GRANT_TYPE = JWT_BEARER
JWT_TYPE = "authorization-grant+jwt"

_PERSON_ID = re.compile(rf"{ids.PERSON}[A-Za-z0-9_-]{{1,30}}")


class JwtBearerGrant(BaseGrant, TokenEndpointMixin):
    """The grant, as Authlib's dispatch wants it: for confidential clients that are registered for it."""

    GRANT_TYPE = GRANT_TYPE
    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL_METHODS

    request: ClientRequest

    def validate_token_request(self) -> None:
        """Authenticate the client and check its assertion (RFC 7523 §3). Raises OAuth2Error."""
        client: Any = self.authenticate_token_endpoint_client()
        if GRANT_TYPE not in client.grant_types:
            raise UnauthorizedClientError("The client may not use this grant_type")
        self.request.client = client
        assertion = self.request.required("assertion")
        self._proof = dpop.at_token_endpoint(self.request, client)
        self._subject = _subject_of(client, assertion)

    def create_token_response(self) -> Any:
        """Issue the token. Raises OAuth2Error."""
        client: Any = self.request.client
        if self._subject == client.client_id:
            body = issue_to_client(client, self.request.form, GRANT_TYPE, self._proof.jkt)
        else:
            with hot.transaction() as on:
                body = _issue_for_person(on, client, self._subject, self.request.form, self._proof.jkt)
        return HTTPStatus.OK, body, self._proof.headers


def _subject_of(client: RegisteredClient, assertion: str) -> str:
    """Check an assertion (RFC 7523 §3), use it up, and return whom it is about. Raises InvalidGrantError."""
    try:
        token = client_jwts.unverified(assertion)
        client_jwts.check_type(token, JWT_TYPE)
        client_jwts.verify(token, client, FAPI if client.protocol.profile else ASYMMETRIC)
        ends_at = client_jwts.check_times(token.claims)
        jti = client_jwts.jti_of(token.claims)
    except JwtRefused as error:
        msg = f"The assertion is refused: {error}"
        raise InvalidGrantError(msg) from error
    issuer, subject = token.claims.get("iss"), token.claims.get("sub")
    if issuer != client.client_id or not isinstance(subject, str) or not _is_for_us(client, token.claims):
        raise InvalidGrantError("The assertion is refused: iss, sub or aud")
    # The kind of client assertions: one that a client proved itself with is not taken as a grant too, nor the reverse.
    kind = replay.Kind.CLIENT_ASSERTION
    if not replay.claim(hot.reader(), kind, client.client_id, jti, expires_at=(ends_at + 1) * 1000):
        raise InvalidGrantError("The assertion was used before")
    return subject


def _is_for_us(client: RegisteredClient, claims: dict[str, Any]) -> bool:
    """RFC 7523 §3: `aud` is the issuer or the token endpoint; for FAPI 2.0 clients (§5.3.2.1) the issuer alone."""
    issuer = settings().issuer
    if client.protocol.profile:
        return claims.get("aud") == issuer
    return not {issuer, issuer + dpop.TOKEN_ENDPOINT}.isdisjoint(client_jwts.audience_of(claims))


def _issue_for_person(
    on: hot.Executor, client: RegisteredClient, subject_id: str, form: dict[str, str], jkt: str | None
) -> dict[str, Any]:
    """Issue an access token within the person's standing grant; neither refresh nor ID token. Raises OAuth2Error."""
    if _PERSON_ID.fullmatch(subject_id) is None or client.protocol.subject_type == PAIRWISE:
        raise _refused()
    named = {"client_id": client.client_id, "subject_id": subject_id}
    row = on.one(statements.FIND_OFFLINE_GRANT, **named, now=clock.millis())
    if row is None:
        raise _refused()
    grant = Grant.of_row(row)
    asked = terms.of_offline(grant, client, form, jkt)
    try:
        acting = grants.standing(on, grant, client)
    except GrantLost as lost:
        raise _refused() from lost
    claims = access_token.claims_of(grant, client, acting, asked)
    issued = access_token.issue(on, client, claims, grant.id)
    details = {"grant_type": GRANT_TYPE, "authorization": grant.id, "scope": claims["scope"]}
    record(on, Entry("token.issued", subject_id=subject_id, client_id=client.client_id, details=details))
    return answer_for(issued, claims)


def _refused() -> InvalidGrantError:
    """RFC 7523 §3.1. Whether the person exists, or ever agreed, is not said."""
    return InvalidGrantError("The assertion is not one that a token is issued for")
