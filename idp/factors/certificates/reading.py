"""Reading certificates: pasted or uploaded (PEM, DER), or passed on by a proxy (RFC 9440, or nginx's escaped PEM).

The bytes come from anybody. Whatever they are, the answer is certificates that can be looked at without surprise, or
one of three refusals.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from idp.factors.certificates.errors import (
    CertificateAbsent,
    CertificateUnreadable,
    CertificateWeak,
    PrivateKeySent,
)

MOST = 5
"""Certificates in one chain: the holder's own, and authorities between it and one that is trusted."""

LONGEST = 40_000
"""Characters, of all of them."""

_PEM = re.compile(r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END")
_BYTE_SEQUENCE = re.compile(r":([A-Za-z0-9+/=]*):")  # RFC 8941 §3.3.5
_DER = 0x30


@dataclass(frozen=True, slots=True)
class Presented:
    """The holder's certificate, and what was sent with it to lead to a trusted authority."""

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...] = ()

    def to_pem(self) -> str:
        """Return all of them, the holder's first."""
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.leaf, *self.others)).decode()


def from_bytes(sent: bytes) -> Presented:
    """Read an uploaded file: DER of one certificate, or text. Raises as `from_text`."""
    if len(sent) > LONGEST:
        raise CertificateUnreadable
    if sent[:1] == bytes([_DER]):
        return _presented([sent])
    return from_text(sent.decode("latin-1"))


def from_text(text: str) -> Presented:
    """Read PEM, the holder's certificate first. Text around it is passed over, as `openssl` writes it.

    Raises CertificateUnreadable, CertificateWeak, PrivateKeySent.
    """
    if len(text) > LONGEST:
        raise CertificateUnreadable
    if "PRIVATE KEY-----" in text:
        raise PrivateKeySent
    return _presented([_base64(found) for found in _PEM.findall(text)])


def from_headers(client_cert: str, client_cert_chain: str = "") -> Presented:
    """Read `Client-Cert` and `Client-Cert-Chain` (RFC 9440 §2), or nginx's `$ssl_client_escaped_cert` as the former.

    Raises CertificateAbsent, CertificateUnreadable, CertificateWeak.
    """
    value = client_cert.strip()
    if not value:
        raise CertificateAbsent
    if len(value) + len(client_cert_chain) > LONGEST:
        raise CertificateUnreadable
    if value.startswith("-----BEGIN"):
        return from_text(unquote(value))
    items = [value, *(each.strip() for each in client_cert_chain.split(",") if each.strip())]
    found = [_BYTE_SEQUENCE.fullmatch(each) for each in items]
    return _presented([_base64(each[1]) if each else b"" for each in found])


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CertificateUnreadable from error


def _presented(ders: Sequence[bytes]) -> Presented:
    if not 0 < len(ders) <= MOST:
        raise CertificateUnreadable
    leaf, *others = (_certificate(der) for der in ders)
    return Presented(leaf, tuple(others))


def _certificate(der: bytes) -> x509.Certificate:
    """Parse one, and look at each part that is looked at later: they are parsed only then.

    Raises CertificateUnreadable, CertificateWeak for algorithms that are unknown here (SM2 among them).
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _look_at(certificate)
        if certificate.serial_number <= 0:  # RFC 5280 §4.1.2.2
            raise CertificateUnreadable
    except UnsupportedAlgorithm as error:
        raise CertificateWeak from error
    except (
        ValueError,
        TypeError,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise CertificateUnreadable from error
    return certificate


def _look_at(certificate: x509.Certificate) -> tuple[object, ...]:
    return (
        certificate.public_key(),
        certificate.signature_hash_algorithm,
        certificate.subject,
        certificate.issuer,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        list(certificate.extensions),
    )
