"""Request objects (RFC 9101, OpenID Connect Core §6): the parameters as a JWT that the client signed.

Only what stands in the object counts (RFC 9101 §6.3); outside of it `client_id` says whose it is, and a
`response_type` must not contradict it. Authlib takes `alg: none`, a foreign `aud` or `iss`, and objects without end
(DESIGN 3, trap 9).
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from idp.clients.registry import RegisteredClient
from idp.gateways import fetch
from idp.gateways.fetch import FetchFailed
from idp.oidc import client_jwts
from idp.oidc.authorize import parse
from idp.oidc.authorize.parse import RESOURCE, Parameters, RequestUnreadable
from idp.oidc.client_jwts import ASYMMETRIC, FAPI, ClientJwt, JwtRefused
from idp.oidc.errors import InvalidRequestObjectError, InvalidRequestUriError
from idp.settings import settings

JWT_TYPE = "oauth-authz-req+jwt"
NONE = "none"
ALGORITHMS = ASYMMETRIC
"""What discovery offers. Whoever registers for unsigned objects is served, but nobody is invited to."""

_ABOUT_THE_JWT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
_STRUCTURED = frozenset({"authorization_details", "claims", "registration"})


def read(text: str, client: RegisteredClient, sent: Parameters) -> tuple[Parameters, bool]:
    """Return the parameters of a request object, and whether it is signed. Raises InvalidRequestObjectError."""
    try:
        token = client_jwts.unverified(text)
        is_signed = _check_signature(token, client)
        _check_claims(token.claims, client, is_signed=is_signed)
        parameters = _parameters(token.claims)
    except (JwtRefused, RequestUnreadable) as error:
        raise InvalidRequestObjectError(str(error) or "The request object cannot be read") from error
    if sent.get("response_type") not in {None, parameters.get("response_type")}:
        raise InvalidRequestObjectError("response_type is another one outside of the request object")
    return parameters, is_signed


def fetched(request_uri: str, client: RegisteredClient) -> str:
    """Return the request object at an address that the client registered (§5.2). Raises InvalidRequestUriError."""
    if request_uri not in client.protocol.request_uris:
        raise InvalidRequestUriError("The request_uri is not one that this client is registered for")
    address, _, expected = request_uri.partition("#")
    try:
        answer = fetch.get(address, accept="application/oauth-authz-req+jwt, application/jwt")
    except FetchFailed as error:
        raise InvalidRequestUriError("The request object could not be fetched") from error
    text = answer.body.strip().decode("ascii", errors="replace")
    # OpenID Connect Core §6.2: a fragment may hold the hash of the content, so that it cannot be changed over there.
    if answer.status != HTTPStatus.OK or expected not in {"", _hash(answer.body)}:
        raise InvalidRequestUriError("The request object could not be fetched, or is not the one that was registered")
    return text


def _hash(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _check_signature(token: ClientJwt, client: RegisteredClient) -> bool:
    """Return whether it is signed. Unsigned ones are taken only where the client is registered for them."""
    registered = client.protocol.request_object_signing_alg
    if token.alg == NONE:  # RFC 7519 §6: then the signature is empty
        if registered != NONE or not token.text.endswith("."):
            raise JwtRefused("An unsigned request object is not taken from this client")
        return False
    client_jwts.check_type(token, JWT_TYPE)
    allowed = FAPI if client.protocol.profile else ASYMMETRIC
    if registered not in {None, NONE}:
        allowed = tuple(alg for alg in allowed if alg == registered)
    client_jwts.verify(token, client, allowed)
    return True


def _check_claims(claims: dict[str, Any], client: RegisteredClient, *, is_signed: bool) -> None:
    """§4, §10.8: made by this client for us, to be used now; and no assertion that serves for something else."""
    if claims.get("client_id", client.client_id) != client.client_id:
        raise JwtRefused("client_id is another one in the request object")
    if "request" in claims or "request_uri" in claims:
        raise JwtRefused("A request object must not hold another one")
    if "sub" in claims:
        raise JwtRefused("A request object has no sub")
    if not is_signed:
        return
    if claims.get("iss") != client.client_id:
        raise JwtRefused("iss is not the client")
    if settings().issuer not in client_jwts.audience_of(claims):
        raise JwtRefused("aud is not this server")
    client_jwts.check_times(claims)


def _parameters(claims: dict[str, Any]) -> Parameters:
    """Return the claims as parameters: through the same door as those of an address. Raises JwtRefused."""
    pairs: list[tuple[str, str]] = []
    for name, value in claims.items():
        if name in _ABOUT_THE_JWT:
            continue
        if name == RESOURCE and isinstance(value, list):
            pairs.extend((name, _text(name, each)) for each in value)
        else:
            pairs.append((name, _text(name, value)))
    return parse.parse(urlencode(pairs).encode())


def _text(name: str, value: Any) -> str:
    """RFC 9101 §4: strings, numbers as JSON numbers, and JSON where the parameter is JSON."""
    if isinstance(value, str):
        return value
    if name in _STRUCTURED and isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise JwtRefused("A parameter in the request object has a type that it cannot have")
