"""Public keys that clients register (RFC 7517), by value or behind their `jwks_uri`: which of them may verify what.

A set comes from outside and may hold anything: what we cannot use is passed over, and what must not be there (a
private or symmetric key) spoils the key that it belongs to. Nothing of a key is trusted but its numbers: algorithm and
use only narrow what it may be used for.
"""

import binascii
import warnings
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key, import_key

KEY_OF = {
    "RS256": {"kty": "RSA"},
    "PS256": {"kty": "RSA"},
    "ES256": {"kty": "EC", "crv": "P-256"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
    "Ed25519": {"kty": "OKP", "crv": "Ed25519"},
}
"""Algorithms that clients may sign with, and the kind of key for each."""

ALGORITHMS = tuple(KEY_OF)
MAX_KEYS = 32
RSA_BITS = range(2048, 8193)

_NUMBERS = {("RSA", None): ("n", "e"), ("EC", "P-256"): ("crv", "x", "y"), ("OKP", "Ed25519"): ("crv", "x")}
"""The numbers of a key, by type and curve: those that an algorithm of ours can use, and no others."""

_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that can verify. `kid`, `alg` and `crv` are empty where the set does not say."""

    key: Key
    kty: str
    crv: str | None = None
    kid: str | None = None
    alg: str | None = None

    def fits(self, alg: str) -> bool:
        """Whether the key may verify signatures of `alg`."""
        wanted = KEY_OF[alg]
        same_curve = wanted.get("crv") in {None, self.crv}
        names = {"EdDSA", "Ed25519"} if alg in {"EdDSA", "Ed25519"} else {alg}
        return wanted["kty"] == self.kty and same_curve and (self.alg is None or self.alg in names)


def read(jwks: Any) -> tuple[PublicKey, ...]:
    """Return the keys of a set that can verify signatures; none of what is no set."""
    members = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(members, list):
        return ()
    found = (_key(member) for member in members[:MAX_KEYS])
    return tuple(key for key in found if key is not None)


def holds_secrets(jwks: Any) -> bool:
    """Whether a set holds what nobody but its owner may know."""
    members = jwks.get("keys") if isinstance(jwks, dict) else None
    return isinstance(members, list) and any(
        isinstance(member, dict) and not _SECRET.isdisjoint(member) for member in members
    )


def _key(member: Any) -> PublicKey | None:
    if not isinstance(member, dict) or not _SECRET.isdisjoint(member) or not _may_verify(member):
        return None
    kty = _text(member, "kty") or ""
    crv = None if kty == "RSA" else _text(member, "crv")
    names = _NUMBERS.get((kty, crv), ())
    numbers: dict[str, str | list[str]] = {name: value for name in names if isinstance(value := member.get(name), str)}
    if not numbers or len(numbers) != len(names) or not _is_strong(member):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            key = import_key({"kty": kty, **numbers})
    except (JoseError, ValueError, SecurityWarning):
        return None
    return PublicKey(key, kty, crv, _text(member, "kid"), _text(member, "alg"))


def _may_verify(member: dict[str, Any]) -> bool:
    """RFC 7517 §4.2, §4.3: a key for encryption is none for signatures."""
    operations = member.get("key_ops")
    # Compared one by one: a set would have to hash what may be a list.
    may_be_used = operations is None or (isinstance(operations, list) and "verify" in operations)
    return may_be_used and member.get("use") in (None, "sig")


def _is_strong(member: dict[str, Any]) -> bool:
    """RFC 7518 §3.3: RSA keys of 2048 bits or more; far more would only cost us time."""
    if member["kty"] != "RSA":
        return True
    try:
        modulus = urlsafe_b64decode(member["n"] + "=" * (-len(member["n"]) % 4))
    except (binascii.Error, ValueError):
        return False
    return int.from_bytes(modulus).bit_length() in RSA_BITS


def _text(member: dict[str, Any], name: str) -> str | None:
    value = member.get(name)
    return value if isinstance(value, str) else None
