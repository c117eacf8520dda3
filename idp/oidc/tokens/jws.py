"""Signing and reading our own JWTs with joserfc, under exactly one key and one algorithm a token.

A reader trusts nothing that a token says about its own verification: the key is looked up in our ring by `kid`, and
the algorithm is the one that key was made for. `jwk`, `jku`, `x5c` and `alg: none` in a header lead nowhere.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry
from pydantic_core import to_json

from idp import clock
from idp.settings import settings
from idp.store import keyring

LONGEST, LONGEST_HEADER = 8192, 256
"""Characters. Ours have some 900, and 120 in the header; whatever is longer was not made here."""

_MEMBERS = {"alg", "kid", "typ"}
"""What stands in our headers. joserfc reads others, `crit` for one, before it looks at the signature."""


class _Algorithms(JWSRegistry):
    """joserfc's registry, cut down to what we sign with.

    joserfc warns on every use of `EdDSA`, which RFC 9864 renamed `Ed25519`; clients know the old name, and so does
    our metadata.
    """

    def get_alg(self, name: str) -> JWSAlgModel:
        """Return the algorithm. Raises UnsupportedAlgorithmError for every other name, `none` included."""
        if name not in keyring.ALGORITHMS:
            raise UnsupportedAlgorithmError("not an algorithm of ours")
        return self.algorithms[name]


_REGISTRY = _Algorithms(algorithms=keyring.ALGORITHMS)


def sign(claims: dict[str, Any], *, alg: str, typ: str) -> str:
    """Return `claims` as a JWT signed with the active key of `alg`.

    The signature is joserfc's. Header and payload are put together here (RFC 7515 §7.1): the header is the same for
    thousands of tokens, and joserfc's checks of it and its way to JSON cost more than a signature with ES256.
    """
    signer = keyring.signer(alg)
    signing_input = _header_segment(signer.alg, signer.kid, typ) + b"." + _segment(to_json(claims))
    signature = _REGISTRY.get_alg(signer.alg).sign(signing_input, signer.key)
    return (signing_input + b"." + _segment(signature)).decode("ascii")


@lru_cache(maxsize=64)
def _header_segment(alg: str, kid: str, typ: str) -> bytes:
    return _segment(to_json({"alg": alg, "typ": typ, "kid": kid}))


def _segment(content: bytes) -> bytes:
    """Return `content` as RFC 7515 §2 encodes it: base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=")


def read(token: str, *, typ: str) -> dict[str, Any] | None:
    """Return the claims of a JWT that we signed as `typ`; None for anything else. `exp` is not looked at."""
    if len(token) > LONGEST or not token.isascii():
        return None
    header = _header(token)
    kid = header.get("kid")
    verifier = keyring.verifier(kid) if isinstance(kid, str) and header.keys() == _MEMBERS else None
    if verifier is None or header.get("alg") != verifier.alg or header.get("typ") != typ:
        return None
    try:
        claims = jwt.decode(token, verifier.key, registry=_REGISTRY).claims
    except (JoseError, ValueError):
        return None
    return claims if claims.get("iss") == settings().issuer else None


def _header(token: str) -> dict[str, Any]:
    """Return the unverified header, good for nothing but finding our key; empty when it cannot be read."""
    encoded = token.partition(".")[0]
    if len(encoded) > LONGEST_HEADER:
        return {}
    try:
        header = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return header if isinstance(header, dict) else {}


def is_live(claims: dict[str, Any]) -> bool:
    """Tell whether `exp` lies ahead (RFC 7519 §4.1.4: on or after it the token must not be accepted)."""
    return int(claims["exp"]) > clock.timestamp()
