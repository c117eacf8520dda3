"""Token introspection (RFC 7662): is this token good right now, and for what?

The answer is of this moment: a delegation that was withdrawn, expired or lost its level a second ago makes a token
inactive, although its `exp` lies ahead (U13). A client may ask about tokens that were issued to it, and about access
tokens for the resource that it serves; any other token is inactive to it (RFC 7662 §2.2), as is one that does not
exist. Public clients may not ask: anybody could call in their name and try tokens.
"""

from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749 import TokenEndpoint

from idp import clock, ids
from idp.clients.registry import RegisteredClient
from idp.oidc import access_tokens, authorization_details, client_auth, grants, statements, subjects
from idp.oidc.client_auth import CONFIDENTIAL_METHODS
from idp.oidc.client_requests import ClientRequest
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.token_endpoint import refresh_token
from idp.oidc.token_endpoint.refresh_token import Use
from idp.oidc.tokens.access_token import token_type
from idp.oidc.tokens.claims import USER
from idp.settings import settings
from idp.store import hot

INACTIVE: dict[str, Any] = {"active": False}


class IntrospectionEndpoint(TokenEndpoint):
    """The endpoint, as Authlib's dispatch wants it."""

    ENDPOINT_NAME = "introspection"
    CLIENT_AUTH_METHODS = CONFIDENTIAL_METHODS

    def create_endpoint_response(self, request: Any) -> Any:
        """Answer 200 whatever the token is. Raises OAuth2Error when the client or the request is wrong."""
        asked: ClientRequest = request
        client = client_auth.authenticate(asked, self.CLIENT_AUTH_METHODS, self.ENDPOINT_NAME)
        return HTTPStatus.OK, introspect(hot.reader(), client, asked.required("token")), []


def introspect(on: hot.Executor, client: RegisteredClient, token: str) -> dict[str, Any]:
    """Return the answer's members. `token_type_hint` is not needed: the three kinds are told apart by themselves."""
    try:
        found = access_tokens.find(on, token)
        if found is None:
            return INACTIVE if access_tokens.is_jwt(token) else _refresh_token(on, client, token)
        if not access_tokens.concerns(client, found.claims):
            return INACTIVE
        access_tokens.standing(on, found)
    except GrantLost:
        return INACTIVE
    return {"active": True, "token_type": token_type(found.claims), **found.claims}


def _refresh_token(on: hot.Executor, client: RegisteredClient, token: str) -> dict[str, Any]:
    """Return the answer for a refresh token of the client's own. Raises GrantLost."""
    row = on.one(statements.FIND_REFRESH, token_hash=ids.fingerprint(token), client_id=client.client_id)
    if row is None:
        return INACTIVE
    presented = refresh_token.presented(row)
    if presented.use(clock.millis(), grace=0) is not Use.FIRST:
        return INACTIVE
    grant = Grant.of_row(row)
    acting = grants.standing(on, grant, client)
    answer = {
        "active": True,
        "iss": settings().issuer,
        "client_id": grant.client_id,
        "scope": " ".join(grant.scope),
        "exp": presented.expires_at // 1000,
        **_subject(grant, client),
    }
    if acting is not None:
        answer["authorization_details"] = authorization_details.granted(grant, acting, grant.scope)
    return answer if presented.jkt is None else {**answer, "cnf": {"jkt": presented.jkt}}  # RFC 9449 §6.2


def _subject(grant: Grant, client: RegisteredClient) -> dict[str, Any]:
    signed_in = subjects.subject(client, grant.subject_id)
    if grant.unit_id is None:
        return {"sub": signed_in}
    return {"sub": grant.unit_id, "act": {"sub": signed_in, "sub_profile": USER}}
