"""Token revocation (RFC 7009). A client revokes its own tokens and proves itself as at the token endpoint.

A refresh token takes its whole grant with it, access tokens included (§2.1); an access token goes alone. A token
that is unknown, expired or long revoked is answered like one that was just revoked (§2.2).
"""

from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749 import TokenEndpoint

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients.registry import RegisteredClient
from idp.oidc import access_tokens, client_auth, grants, statements
from idp.oidc.access_tokens import Found
from idp.oidc.client_auth import ALL_METHODS
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import InvalidGrantError
from idp.store import hot


class RevocationEndpoint(TokenEndpoint):
    """The endpoint, as Authlib's dispatch wants it. `none` is for public clients only (DESIGN 3, trap 7)."""

    ENDPOINT_NAME = "revocation"
    CLIENT_AUTH_METHODS = ALL_METHODS

    def create_endpoint_response(self, request: Any) -> Any:
        """Answer 200 with nothing in it. Raises OAuth2Error when the client or the request is wrong."""
        asked: ClientRequest = request
        client = client_auth.authenticate(asked, self.CLIENT_AUTH_METHODS, self.ENDPOINT_NAME)
        token = asked.required("token")
        with hot.transaction() as on:
            revoke(on, client, token)
        return HTTPStatus.OK, None, []


def revoke(on: hot.Executor, client: RegisteredClient, token: str) -> None:
    """Revoke `token`, whatever kind it is. Raises InvalidGrantError for another client's (RFC 7009 §2.1)."""
    found = access_tokens.find(on, token)
    if found is not None:
        _check_owner(client, found.client_id)
        _revoke_access_token(on, found, token)
        return
    if access_tokens.is_jwt(token):
        return
    owned = on.one(statements.FIND_REFRESH_OWNER, token_hash=ids.fingerprint(token))
    if owned is not None:
        client_id, grant_id = owned
        _check_owner(client, client_id)
        grants.end(on, grant_id, "revoked", clock.millis())
        record(on, _entry("refresh_token", client_id, grant_id))


def _check_owner(client: RegisteredClient, client_id: str) -> None:
    if client.client_id != client_id:
        raise InvalidGrantError("The token was issued to another client")


def _revoke_access_token(on: hot.Executor, found: Found, token: str) -> None:
    if access_tokens.is_jwt(token):
        on.run(statements.REVOKE_JWT, jti=found.claims["jti"], expires_at=found.claims["exp"] * 1000)
    else:
        on.run(statements.DELETE_OPAQUE, token_hash=ids.fingerprint(token))
    record(on, _entry("access_token", found.client_id, None if found.grant is None else found.grant.id))


def _entry(kind: str, client_id: str, grant_id: str | None) -> Entry:
    return Entry("token.revoked", client_id=client_id, details={"kind": kind, "authorization": grant_id})
