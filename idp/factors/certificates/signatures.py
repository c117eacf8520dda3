"""Whether a line was signed with the key of a certificate, as `openssl dgst -sha256 -sign` and the like sign it."""

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from idp.factors.certificates.errors import SignatureUnreadable, SignatureWrong

LONGEST = 2048
"""Bytes of a signature; RSA of 16384 bits has as many."""

_ENDINGS = (b"", b"\n", b"\r\n")
"""What an editor or `echo` leaves at the end of the line. The challenge in it stays the same."""


def from_text(text: str) -> bytes:
    """Read base64, in one line or in many. Raises SignatureUnreadable."""
    compact = "".join(text.split())
    if not 0 < len(compact) <= LONGEST * 2:
        raise SignatureUnreadable
    try:
        return base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureUnreadable from error


def from_bytes(sent: bytes) -> bytes:
    """Read an uploaded file: base64, else the signature itself. Raises SignatureUnreadable."""
    if not 0 < len(sent) <= LONGEST * 2:
        raise SignatureUnreadable
    try:
        return from_text(sent.decode("ascii"))
    except (UnicodeDecodeError, SignatureUnreadable):
        return sent


def verify(certificate: x509.Certificate, signature: bytes, line: str) -> None:
    """Raise SignatureWrong unless `signature` is this key's over `line`: SHA-256, RSA (PKCS #1 v1.5, PSS) or ECDSA."""
    key = certificate.public_key()
    if not any(_holds(key, signature, line.encode() + ending) for ending in _ENDINGS):
        raise SignatureWrong


def _holds(key: object, signature: bytes, signed: bytes) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
        return any(_holds_rsa(key, signature, signed, pad) for pad in (padding.PKCS1v15(), pss))
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
            return True
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
            return True
    except InvalidSignature:
        pass
    return False


def _holds_rsa(key: rsa.RSAPublicKey, signature: bytes, signed: bytes, pad: padding.AsymmetricPadding) -> bool:
    try:
        key.verify(signature, signed, pad, hashes.SHA256())
    except InvalidSignature:
        return False
    return True
