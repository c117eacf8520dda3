"""Client authentication by a signed JWT: `client_secret_jwt`, `private_key_jwt` (OpenID Connect Core §9, RFC 7523).

An assertion serves once, whoever presents it where: its `jti` is used up by one statement when nothing else is wrong.
"""

from idp.clients.description import KEY_JWT, SECRET_JWT
from idp.clients.registry import RegisteredClient
from idp.oidc import client_jwts, replay
from idp.oidc.client_jwts import ASYMMETRIC, FAPI, SYMMETRIC, ClientJwt, JwtRefused
from idp.settings import settings
from idp.store import hot

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT_TYPE = "client-authentication+jwt"
ALGORITHMS = (*ASYMMETRIC, *SYMMETRIC)
PATHS = {
    "token": "/oidc/token",
    "introspection": "/oidc/introspect",
    "revocation": "/oidc/revoke",
    "par": "/oidc/par",
    "device_authorization": "/oidc/device_authorization",
}
"""The endpoints at which clients authenticate, by the names that Authlib's dispatch and ours give them."""


def method_of(text: str) -> str:
    """Return the method that an assertion is for, by its algorithm. Raises JwtRefused."""
    return SECRET_JWT if client_jwts.unverified(text).alg.startswith("HS") else KEY_JWT


def client_id_of(text: str) -> str:
    """Return the client that an assertion says it is of (RFC 7523 §3: `iss` and `sub`). Raises JwtRefused."""
    claims = client_jwts.unverified(text).claims
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or claims.get("sub") != issuer:
        raise JwtRefused("iss and sub are not one client id")
    return issuer


def check(text: str, client: RegisteredClient, endpoint: str) -> None:
    """Check an assertion for a call of `endpoint`, and use it up. Raises JwtRefused."""
    token = client_jwts.unverified(text)
    client_jwts.check_type(token, JWT_TYPE)
    client_jwts.verify(token, client, _algorithms(client))
    _check_audience(token, client, endpoint)
    ends_at = client_jwts.check_times(token.claims)
    jti = client_jwts.jti_of(token.claims)
    kind = replay.Kind.CLIENT_ASSERTION
    if not replay.claim(hot.reader(), kind, client.client_id, jti, expires_at=(ends_at + 1) * 1000):
        raise JwtRefused("The assertion was used before")


def _algorithms(client: RegisteredClient) -> tuple[str, ...]:
    """What the client may sign with: what it registered, within what its method and profile allow."""
    if client.token_endpoint_auth_method == SECRET_JWT:
        allowed: tuple[str, ...] = SYMMETRIC
    else:
        allowed = FAPI if client.protocol.profile else ASYMMETRIC
    registered = client.protocol.token_endpoint_auth_signing_alg
    return allowed if registered is None else tuple(alg for alg in allowed if alg == registered)


def _check_audience(token: ClientJwt, client: RegisteredClient, endpoint: str) -> None:
    """RFC 7523 §3: we are meant. FAPI 2.0 §5.3.2.1: then `aud` is our issuer as a string and nothing else.

    Libraries of the time before use the address that they call, or the token endpoint's; one that names several of
    ours names nobody else's.
    """
    issuer = settings().issuer
    if client.protocol.profile:
        if token.claims.get("aud") != issuer:
            raise JwtRefused("aud is not the issuer")
        return
    ours = {issuer, issuer + PATHS["token"], issuer + PATHS.get(endpoint, PATHS["token"])}
    if ours.isdisjoint(client_jwts.audience_of(token.claims)):
        raise JwtRefused("aud is not this server")
