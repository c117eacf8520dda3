"""UserInfo (OpenID Connect Core §5.3): the claims of whoever signed in, for the access token presented.

`sub` is the same as in the ID token, always. Whom the person acts for is read from the token's own grant, never
from a choice made elsewhere since (DESIGN 4).
"""

from http import HTTPStatus
from typing import Any

from flask import Request, Response, request

from idp.oidc import access_tokens
from idp.oidc.blueprint import blueprint
from idp.oidc.client_requests import FORM, answer, for_clients
from idp.oidc.client_requests import read as read_form
from idp.oidc.errors import InvalidRequestError, OAuth2Error
from idp.oidc.grants import GrantLost
from idp.oidc.tokens.claims import acting_for, claims_of_scope, subject_claims
from idp.store import hot
from idp.web import Access, access

OPENID = "openid"


class BearerRefused(OAuth2Error):
    """RFC 6750 §3: the answer names the scheme, and what is wrong if a token was presented at all."""

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the `WWW-Authenticate` challenge."""
        details = [f'error="{self.error}"', f'error_description="{self.description}"', *self.more]
        return [("WWW-Authenticate", f"Bearer {', '.join(details)}")]

    more: tuple[str, ...] = ()


class InvalidToken(BearerRefused):
    """RFC 6750 §3.1: expired, revoked, malformed, or no access token of ours."""

    error = "invalid_token"
    description = "The access token is expired, revoked or not one of this issuer"
    status_code = HTTPStatus.UNAUTHORIZED


class InsufficientScope(BearerRefused):
    """RFC 6750 §3.1: the token is good, but not for this."""

    error = "insufficient_scope"
    description = "The access token lacks the scope openid"
    status_code = HTTPStatus.FORBIDDEN
    more = (f'scope="{OPENID}"',)


class NoToken(OAuth2Error):
    """RFC 6750 §3: a request without any token is answered with the scheme alone."""

    error = "invalid_token"
    description = "An access token is needed"
    status_code = HTTPStatus.UNAUTHORIZED

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the `WWW-Authenticate` challenge."""
        return [("WWW-Authenticate", "Bearer")]


@blueprint.route("/oidc/userinfo", methods=["GET", "POST"])
@access(Access.TOKEN)
@for_clients
def userinfo() -> Response:
    """Core §5.3.1: GET, or POST with the token in the header or in the form."""
    return answer(HTTPStatus.OK, claims_for(hot.reader(), _bearer_token(request)))


def claims_for(on: hot.Executor, token: str) -> dict[str, Any]:
    """Return the claims for an access token. Raises InvalidToken, InsufficientScope."""
    found = access_tokens.find(on, token)
    if found is None:
        raise InvalidToken
    if found.grant is None or OPENID not in found.scope:
        raise InsufficientScope
    try:
        acting = access_tokens.standing(on, found)
    except GrantLost as lost:
        raise InvalidToken from lost
    claims = {"sub": found.grant.subject_id, **subject_claims(found.grant, claims_of_scope(found.scope))}
    for_whom = acting_for(found.grant, acting)
    return claims if for_whom is None else {**claims, "acting_for": for_whom}


def _bearer_token(request: Request) -> str:
    """Return the token, presented in one way only and never in the address (RFC 6750 §2). Raises OAuth2Error."""
    header = request.headers.get("Authorization")
    if "access_token" in request.args:
        raise InvalidRequestError("The access token belongs into the header, not into the address")
    in_form = read_form(request).form.get("access_token") if request.mimetype == FORM else None
    if header is None:
        if in_form is None:
            raise NoToken
        return in_form
    if in_form is not None:
        raise InvalidRequestError("The access token must be presented in one way only")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoToken
    return token.strip()
