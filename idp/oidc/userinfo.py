"""UserInfo (OpenID Connect Core §5.3): the claims of whoever signed in, for the access token presented.

`sub` is the same as in the ID token, always. Whom the person acts for is read from the token's own grant, never
from a choice made elsewhere since (DESIGN 4).
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Request, request

from idp import clock
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.features import Feature
from idp.oidc import access_tokens, dpop, subjects
from idp.oidc.access_tokens import Found
from idp.oidc.blueprint import blueprint
from idp.oidc.client_requests import FORM, Answer, answer, answer_jwt, for_clients
from idp.oidc.client_requests import read as read_form
from idp.oidc.errors import InvalidDpopProofError, InvalidRequestError, OAuth2Error, UseDpopNonceError
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.tokens import jws
from idp.oidc.tokens.access_token import token_type
from idp.oidc.tokens.claims import acting_for, capacity, of_sign_in, subject_claims
from idp.rules.claims import of_scope
from idp.settings import settings
from idp.store import hot
from idp.web import Access, access

OPENID = "openid"
JWT_TYPE = "userinfo+jwt"
"""Not that of an ID token: the answer must not pass for one (RFC 8725 §3.11)."""
BEARER, DPOP = "bearer", "dpop"
"""The schemes, in lower case: RFC 9110 §11.1 compares them without regard to case."""


class TokenRefused(OAuth2Error):
    """RFC 6750 §3, RFC 9449 §7.1: the answer names the scheme, and what is wrong if a token was presented at all."""

    more: tuple[str, ...] = ()

    def __init__(self, scheme: str = BEARER) -> None:
        super().__init__()
        self.scheme = scheme

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the `WWW-Authenticate` challenge."""
        return [_challenge(self.scheme, self.error, self.description, *self.more)]


class InvalidToken(TokenRefused):
    """RFC 6750 §3.1: expired, revoked, malformed, or no access token of ours; or not presented as it must be."""

    error = "invalid_token"
    description = "The access token is expired, revoked or not one of this issuer"
    status_code = HTTPStatus.UNAUTHORIZED


class InsufficientScope(TokenRefused):
    """RFC 6750 §3.1: the token is good, but not for this."""

    error = "insufficient_scope"
    description = "The access token lacks the scope openid"
    status_code = HTTPStatus.FORBIDDEN
    more = (f'scope="{OPENID}"',)


class ProofRefused(OAuth2Error):
    """RFC 9449 §7.1, §9: what the token endpoint would say of the proof, as the challenge of a resource."""

    status_code = HTTPStatus.UNAUTHORIZED

    def __init__(self, error: OAuth2Error) -> None:
        super().__init__(description=error.description)
        self.error = error.error
        self._nonce = error.get_headers() if isinstance(error, UseDpopNonceError) else []

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the challenge, and the nonce if one is wanted."""
        return [_challenge(DPOP, self.error, self.description), *self._nonce]


class NoToken(OAuth2Error):
    """RFC 6750 §3: a request without any token is answered with the schemes alone."""

    error = "invalid_token"
    description = "An access token is needed"
    status_code = HTTPStatus.UNAUTHORIZED

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the `WWW-Authenticate` challenge."""
        return [("WWW-Authenticate", f"Bearer, DPoP {_ALGS}" if settings().is_on(Feature.DPOP) else "Bearer")]


_ALGS = f'algs="{" ".join(dpop.ALGORITHMS)}"'


def _challenge(scheme: str, error: str | None, description: str | None, *more: str) -> tuple[str, str]:
    details = [f'error="{error}"', f'error_description="{description}"', *more]
    if scheme == DPOP:
        details.append(_ALGS)
    return "WWW-Authenticate", f"{'DPoP' if scheme == DPOP else 'Bearer'} {', '.join(details)}"


@dataclass(frozen=True, slots=True)
class Presented:
    """How a token came: under which scheme, with which proof, in a request of which method."""

    token: str
    scheme: str = BEARER
    proof: str | None = None
    method: str = "GET"


@blueprint.route("/oidc/userinfo", methods=["GET", "POST"])
@access(Access.TOKEN)
def userinfo() -> Answer:
    """See `answer_userinfo`; `fast_paths` calls that without Flask."""
    return answer_userinfo(request)


@for_clients
def answer_userinfo(asked: Request) -> Answer:
    """Core §5.3.1: GET, or POST with the token in the header or in the form. §5.3.2: JSON, or signed as registered."""
    client, claims, headers = claims_for(hot.reader(), _presented(asked))
    alg = client.protocol.userinfo_signed_response_alg
    if alg is None:
        return answer(HTTPStatus.OK, claims, headers)
    signed = {"iss": settings().issuer, "aud": client.client_id, "iat": clock.timestamp(), **claims}
    return answer_jwt(jws.sign(signed, alg=alg, typ=JWT_TYPE), headers)


def claims_for(
    on: hot.Executor, presented: Presented
) -> tuple[RegisteredClient, dict[str, Any], list[tuple[str, str]]]:
    """Return the client of an access token, the claims for it, and headers of the answer.

    Raises InvalidToken, InsufficientScope, ProofRefused.
    """
    found = access_tokens.find(on, presented.token)
    if found is None:
        raise InvalidToken(presented.scheme)
    headers = _proven(found, presented)
    if found.grant is None or OPENID not in found.scope:
        raise InsufficientScope(presented.scheme)
    try:
        acting = access_tokens.standing(on, found)
    except GrantLost as lost:
        raise InvalidToken(presented.scheme) from lost
    client = registry.find(found.client_id)
    if client is None:
        raise InvalidToken(presented.scheme)
    sub = subjects.subject(client, found.grant.subject_id)
    claims = {"sub": sub, **capacity(found.grant), **_asked_for(found.grant, found.scope)}
    for_whom = acting_for(found.grant, acting, client)
    return client, claims if for_whom is None else {**claims, "acting_for": for_whom}, headers


def _asked_for(grant: Grant, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the claims of the token's scope (Core §5.4), and those asked for by name (§5.5)."""
    by_name = grant.claims.get("userinfo") or {}
    found = subject_claims(grant, of_scope(scope).union(by_name))
    return found | {name: value for name, value in of_sign_in(grant).items() if name in by_name}


def _proven(found: Found, presented: Presented) -> list[tuple[str, str]]:
    """Check that a bound token comes with the proof of its key, and an unbound one as bearer (RFC 9449 §7.1, §7.2)."""
    is_bound = token_type(found.claims) == "DPoP"
    if is_bound != (presented.scheme == DPOP):
        raise InvalidToken(DPOP if is_bound else BEARER)
    if not is_bound:
        return []
    client = registry.find(found.client_id)
    if client is None:
        raise InvalidToken(DPOP)
    try:
        return dpop.at_resource(
            presented.proof or "", presented.method, client, token=presented.token, jkt=found.claims["cnf"]["jkt"]
        ).headers
    except (InvalidDpopProofError, UseDpopNonceError) as error:
        raise ProofRefused(error) from error


def _presented(request: Request) -> Presented:
    """Return the token, presented in one way only and never in the address (RFC 6750 §2). Raises OAuth2Error."""
    header = request.headers.get("Authorization")
    if "access_token" in request.args:
        raise InvalidRequestError("The access token belongs into the header, not into the address")
    in_form = read_form(request).form.get("access_token") if request.mimetype == FORM else None
    if header is None:
        if in_form is None:
            raise NoToken
        return Presented(in_form)
    if in_form is not None:
        raise InvalidRequestError("The access token must be presented in one way only")
    scheme, _, token = header.partition(" ")
    if scheme.lower() not in _schemes() or not token.strip():
        raise NoToken
    return Presented(token.strip(), scheme.lower(), request.headers.get(dpop.HEADER), request.method)


def _schemes() -> tuple[str, ...]:
    return (BEARER, DPOP) if settings().is_on(Feature.DPOP) else (BEARER,)
