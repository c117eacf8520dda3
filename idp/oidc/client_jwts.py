"""JWTs that clients sign for us: client assertions, authorization grants (RFC 7523), request objects (RFC 9101).

`read` gives back what a client signed, or refuses. The key comes from the client's registration and from nowhere
else: `jwk`, `jku`, `x5u` and `x5c` of a header are not looked at, and what would change how the token is to be read
(`crit`, `b64`, `zip`) is refused. The algorithm must be one that the caller takes, and the key must be made for it, so
no public key is ever used as the secret of an HMAC. Then `check_times` and `check_parties` look at the claims.

    token = client_jwts.unverified(text)                     # to learn whose it says it is
    client_jwts.check_type(token, "client-authentication+jwt")
    client_jwts.verify(token, client, client_jwts.ASYMMETRIC)
    client_jwts.check_times(token.claims)
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key, OctKey
from joserfc.jws import JWSRegistry

from idp import clock
from idp.clients import public_keys
from idp.clients.registry import RegisteredClient
from idp.oidc import client_keys, strict_json
from idp.oidc.strict_json import JsonRefused

ASYMMETRIC = public_keys.ALGORITHMS
SYMMETRIC = ("HS256",)
"""RFC 7518 §3.2 wants a key as long as the hash: our secrets have 256 bits."""

FAPI = tuple(alg for alg in ASYMMETRIC if alg != "RS256")
"""FAPI 2.0 Security Profile §5.4.1: no RSASSA-PKCS1-v1_5."""

LONGEST, LONGEST_HEADER = 16 * 1024, 2048
LONGEST_LIFE = 3600
SKEW = 30
"""Seconds by which a client's clock may be ahead (FAPI 2.0 §5.3.2.1 wants 10 to pass, and 60 not)."""

LONGEST_JTI = 256
MAX_TRIES = 8
_CHANGES_READING = frozenset({"b64", "crit", "zip"})
_LAST_MOMENT = 1 << 40


class JwtRefused(Exception):
    """The JWT is not good for what it came for. The text is for the client's developer: ASCII, nothing of the JWT."""


@dataclass(frozen=True, slots=True)
class ClientJwt:
    """A JWT taken apart. Until `verify` nothing of it is true."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def alg(self) -> str:
        """The algorithm that the header names; empty if it names none."""
        alg = self.header.get("alg")
        return alg if isinstance(alg, str) else ""


class _Algorithms(JWSRegistry):
    """joserfc's registry for exactly these algorithms; its own warns at `EdDSA`, which RFC 9864 renamed."""

    max_header_length = LONGEST_HEADER
    max_payload_length = LONGEST

    def get_alg(self, name: str) -> JWSAlgModel:
        """Return the algorithm, which was checked to be one of ours."""
        return self.algorithms[name]


_REGISTRY = _Algorithms(algorithms=(*ASYMMETRIC, *SYMMETRIC), strict_check_header=False)


def unverified(text: str) -> ClientJwt:
    """Take a compact JWS apart, strictly. Raises JwtRefused."""
    parts = text.split(".")
    if len(text) > LONGEST or not text.isascii() or len(parts) != 3 or len(parts[0]) > LONGEST_HEADER:  # noqa: PLR2004
        raise JwtRefused("Not a JWT in compact serialization, or too long")
    header, claims = _object(parts[0]), _object(parts[1])
    if not _CHANGES_READING.isdisjoint(header):
        raise JwtRefused("The header holds b64, crit or zip")
    return ClientJwt(text, header, claims)


def verify(token: ClientJwt, client: RegisteredClient, algorithms: Collection[str]) -> None:
    """Check the signature with the client's own keys, by one of `algorithms`. Raises JwtRefused."""
    if token.alg not in algorithms:
        raise JwtRefused("The algorithm is not one that is taken here")
    kid = token.header.get("kid")
    if not isinstance(kid, str | None):
        raise JwtRefused("kid is not a string")
    if not any(_is_signed(token, key) for key in _keys(client, token.alg, kid)):
        raise JwtRefused("The signature is not by a key of this client")


def _keys(client: RegisteredClient, alg: str, kid: str | None) -> list[Key]:
    if alg in SYMMETRIC:
        return [] if client.sealed_secret is None else [OctKey.import_key(client.sealed_secret)]
    return [candidate.key for candidate in client_keys.candidates(client, alg, kid)[:MAX_TRIES]]


def _is_signed(token: ClientJwt, key: Key) -> bool:
    try:
        jws.deserialize_compact(token.text, key, registry=_REGISTRY)
    except (JoseError, ValueError):
        return False
    return True


def check_type(token: ClientJwt, *types: str) -> None:
    """Check `typ`: `JWT`, one of `types`, or none at all, as most clients have it. Raises JwtRefused.

    What a client signed as something else must not serve here (RFC 8725 §3.11). RFC 7515 §4.1.9: `application/` may be
    left out, and case does not count.
    """
    typ = token.header.get("typ", "jwt")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in {"jwt", *types}:
        raise JwtRefused("typ is that of another kind of JWT")


def check_times(claims: dict[str, Any]) -> int:
    """Check `exp` (required, at most an hour ahead), `nbf` and `iat`; return `exp`, in seconds. Raises JwtRefused."""
    now = clock.timestamp()
    ends = _moment(claims, "exp")
    if ends is None or ends <= now:
        raise JwtRefused("exp is missing or has passed")
    if ends > now + LONGEST_LIFE + SKEW:
        raise JwtRefused("exp is too far ahead")
    if (_moment(claims, "nbf") or 0) > now + SKEW or (_moment(claims, "iat") or 0) > now + SKEW:
        raise JwtRefused("nbf or iat lies ahead")
    return ends


def jti_of(claims: dict[str, Any]) -> str:
    """Return `jti`. Raises JwtRefused when there is none that can be remembered."""
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise JwtRefused("jti is missing or too long")
    return jti


def audience_of(claims: dict[str, Any]) -> list[str]:
    """Return the values of `aud`; none if it is missing or malformed."""
    aud = claims.get("aud")
    values = aud if isinstance(aud, list) else [aud]
    return [value for value in values if isinstance(value, str)]


def _moment(claims: dict[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LAST_MOMENT:
        msg = f"{name} is not a moment"
        raise JwtRefused(msg)
    return int(value)


def _object(encoded: str) -> dict[str, Any]:
    try:
        decoded = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("utf-8", errors="strict")
        value = strict_json.read(decoded)
    except (binascii.Error, ValueError, JsonRefused) as error:
        raise JwtRefused("A part of the JWT is not JSON in base64url") from error
    if not isinstance(value, dict):
        raise JwtRefused("A part of the JWT is not a JSON object")
    return value
