"""The client credentials grant (RFC 6749 §4.4): a token for what the client does in its own name.

Nobody signed in and nobody is acted for, so the token opens no one's data: `sub` is the client itself, there is
neither `act` nor `authorization_details`, and UserInfo answers it nothing. It hangs on no grant row; what ends it is
its time, revocation, or the end of the client. There is no refresh token (§4.4.3).
"""

from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp.audit.log import Entry, record
from idp.clients.registration import STANDARD_SCOPES
from idp.clients.registry import RegisteredClient
from idp.oidc import dpop, resources, statements
from idp.oidc.client_auth import CONFIDENTIAL_METHODS
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import InvalidScopeError, UnauthorizedClientError
from idp.oidc.token_endpoint.issue import answer_for
from idp.oidc.tokens import access_token
from idp.oidc.tokens.access_token import OPAQUE, Issued, Terms
from idp.store import hot

GRANT_TYPE = "client_credentials"


class ClientCredentialsGrant(BaseGrant, TokenEndpointMixin):
    """`grant_type=client_credentials`, as Authlib's dispatch wants it. Confidential clients only (RFC 6749 §4.4)."""

    GRANT_TYPE = GRANT_TYPE
    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL_METHODS

    request: ClientRequest

    def validate_token_request(self) -> None:
        """Authenticate the client. Raises OAuth2Error."""
        client: Any = self.authenticate_token_endpoint_client()
        if GRANT_TYPE not in client.grant_types:
            raise UnauthorizedClientError("The client may not use this grant_type")
        self.request.client = client
        self._proof = dpop.at_token_endpoint(self.request, client)

    def create_token_response(self) -> Any:
        """Issue the token. Raises OAuth2Error."""
        client: Any = self.request.client
        body = issue_to_client(client, self.request.form, GRANT_TYPE, self._proof.jkt)
        return HTTPStatus.OK, body, self._proof.headers


def issue_to_client(
    client: RegisteredClient, form: dict[str, str], grant_type: str, jkt: str | None
) -> dict[str, Any]:
    """Issue a token in the client's own name and return the answer's body.

    Raises InvalidScopeError, InvalidTargetError.
    """
    scope = _scope(client, form.get("scope"))
    audience = resources.picked(form.get(resources.PARAMETER), resources.registered(client))
    claims = access_token.claims_of_client(client.client_id, Terms(scope, audience, jkt))
    return answer_for(_stored(client, claims, _entry(client, grant_type, scope)), claims)


def _scope(client: RegisteredClient, asked: str | None) -> tuple[str, ...]:
    """Return the businesses asked for; without a word none (RFC 6749 §3.3 lets the server say).

    The standard scopes are about somebody who signed in, and here is nobody.
    """
    wanted = tuple(dict.fromkeys((asked or "").split()))
    if any(each in STANDARD_SCOPES or each not in client.scopes for each in wanted):
        raise InvalidScopeError("The scope holds a value that this client may not have in its own name")
    return wanted


def _entry(client: RegisteredClient, grant_type: str, scope: tuple[str, ...]) -> Entry:
    return Entry(
        "token.issued", client_id=client.client_id, details={"grant_type": grant_type, "scope": " ".join(scope)}
    )


def _stored(client: RegisteredClient, claims: dict[str, Any], entry: Entry) -> Issued:
    """Make the token with one statement: a JWT needs only its audit entry."""
    if client.access_token_format != OPAQUE:
        issued = access_token.signed(client, claims)
        record(hot.reader(), entry)
        return issued
    issued, row = access_token.opaque(claims, grant_id=None)
    statements.store_opaque_for_client(row, entry)
    return issued
