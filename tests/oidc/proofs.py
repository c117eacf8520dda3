"""A client's key and the DPoP proofs that it makes (RFC 9449), good ones and bad ones. Signed by hand, so that any
header and any content can be sent."""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from idp import clock, ids
from idp.settings import settings

Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def b64(raw: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    """Return a JWK number (RFC 7518 §2, Base64urlUInt)."""
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def ath(token: str) -> str:
    """Return the hash of an access token as a proof repeats it."""
    return b64(hashlib.sha256(token.encode()).digest())


@dataclass(frozen=True)
class Key:
    """A key pair with its algorithm."""

    alg: str = "ES256"
    private: Private = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> dict[str, str]:
        """The public key."""
        public = self.private.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            numbers = public.public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        if isinstance(public, rsa.RSAPublicKey):
            rsa_numbers = public.public_numbers()
            return {"kty": "RSA", "n": number(rsa_numbers.n), "e": number(rsa_numbers.e)}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}

    @property
    def jkt(self) -> str:
        """The thumbprint (RFC 7638)."""
        return b64(hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def sign(self, data: bytes) -> bytes:
        """Return the signature that the algorithm wants (RFC 7518 §3, RFC 8037 §3.1)."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if isinstance(self.private, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            return self.private.sign(data, pss if self.alg == "PS256" else padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(data)

    def proof(self, path: str = "/oidc/token", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a proof for a POST to `path`; `header` and `claims` change it, None takes a member out."""
        usual = {"jti": ids.new_id(""), "htm": "POST", "htu": settings().issuer + path, "iat": clock.timestamp()}
        head = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk} | (header or {})
        parts = [
            b64(json.dumps({name: value for name, value in part.items() if value is not None}).encode())
            for part in (head, usual | claims)
        ]
        signed = ".".join(parts)
        return f"{signed}.{b64(self.sign(signed.encode()))}"
