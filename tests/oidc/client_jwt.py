"""A client that signs: its key, and the JWTs that it makes, right unless told otherwise."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from idp import clock
from idp.settings import settings

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEYS: dict[str, Key] = {
    "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "okp"}),
    "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "okp2"}),
    "PS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
}
KEYS["RS256"] = KEYS["PS256"]
ALL = tuple(KEYS)


def key_set(*keys: Key) -> dict[str, Any]:
    """Return the public parts as a client publishes them."""
    published = keys or [key for alg, key in KEYS.items() if alg != "RS256"]  # the same key as for PS256
    return {"keys": [key.as_dict(private=False) for key in published]}


def signed(
    claims: dict[str, Any], *, alg: str = "ES256", key: Key | None = None, header: dict[str, Any] | None = None
) -> str:
    """Return a JWT, signed by `alg` whatever its header says; claims and header members of None are left out."""
    key = key or KEYS[alg]
    model = jws.JWSRegistry.algorithms[alg]
    return compact({"alg": alg, "kid": key.kid} | (header or {}), claims, lambda content: model.sign(content, key))


def compact(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Return a compact JWS of exactly these members."""
    parts = [{name: value for name, value in part.items() if value is not None} for part in (header, claims)]
    content = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return (content + b"." + _encoded(sign(content))).decode()


def _encoded(value: bytes) -> bytes:
    return urlsafe_b64encode(value).rstrip(b"=")


def assertion(client_id: str, *, alg: str = "ES256", key: Key | None = None, **changes: Any) -> str:
    """Return a client assertion (RFC 7523 §3)."""
    now = clock.timestamp()
    claims = {"iss": client_id, "sub": client_id, "aud": settings().issuer, "jti": uuid4().hex, "exp": now + 60}
    return signed(claims | changes, alg=alg, key=key)


def request_object(client_id: str, parameters: dict[str, Any], *, alg: str = "ES256", **changes: Any) -> str:
    """Return a request object (RFC 9101 §4), signed unless `alg` is none."""
    now = clock.timestamp()
    about = {"iss": client_id, "aud": settings().issuer, "iat": now, "exp": now + 300}
    claims = about | parameters | changes
    if alg == "none":
        return compact({"alg": "none"}, claims, lambda _: b"")
    return signed(claims, alg=alg)


def credentials(client_id: str, **changes: Any) -> dict[str, str]:
    """Return the form parameters of a client that authenticates by assertion."""
    return {"client_assertion_type": TYPE, "client_assertion": assertion(client_id, **changes)}
