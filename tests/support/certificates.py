"""Certificates as an authority issues them, and as none should: every part can be changed."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.certificates.authority import IN_HARDWARE, NUMBER_PLACES, Authority
from tests.support import fictional

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
HARDWARE = IN_HARDWARE.dotted_string
PERSON, UNIT = NUMBER_PLACES["person"], NUMBER_PLACES["unit"]


def text(value: str, tag: int = 0x13) -> bytes:
    """Return a DER string: PrintableString unless another tag is named."""
    content = value.encode()
    return bytes([tag, len(content)]) + content


def usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{each: each in allowed for each in USAGES})


@dataclass
class Token:
    """A key with its certificate, as in a USB token."""

    key: Key
    certificate: x509.Certificate
    others: list[x509.Certificate] = field(default_factory=list)

    @property
    def pem(self) -> str:
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in (self.certificate, *self.others))

    @property
    def header(self) -> str:
        """The value of `Client-Cert` (RFC 9440)."""
        return f":{base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()}:"

    def signature(self, line: str) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(line.encode(), ec.ECDSA(hashes.SHA256()))
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

        return self.key.sign(line.encode(), padding.PKCS1v15(), hashes.SHA256())

    def sign(self, line: str) -> str:
        return base64.b64encode(self.signature(line)).decode()


def token(authority: Authority, crl_url: str | None, **changes: Any) -> Token:
    """Return a token of person 0, or what `changes` make of it.

    name, organisation, places {OID: DER}, begins, ends (offsets from now), usage, purposes (None: no extension), key,
    issuer_key, issuer, ca, policies, digest, critical (an unknown critical extension).
    """
    key: Key = changes.get("key") or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN")]
    if "organisation" in changes:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, changes["organisation"]))
    name = changes.get("name", fictional.person_name())
    if name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .issuer_name(changes.get("issuer", authority.certificate.subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + changes.get("begins", timedelta(hours=-1)))
        .not_valid_after(now + changes.get("ends", timedelta(days=30)))
    )
    for extension, critical in _extensions(crl_url, changes):
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(changes.get("issuer_key", authority.key), changes.get("digest", hashes.SHA256()))
    return Token(key, signed)


def unit_token(authority: Authority, crl_url: str | None, n: int = 1, **changes: Any) -> Token:
    """Return a token of unit `n`."""
    usual = {"organisation": fictional.unit_name(n), "name": "", "places": {UNIT: text(fictional.uscc(n))}}
    return token(authority, crl_url, **(usual | changes))


def _extensions(crl_url: str | None, changes: dict[str, Any]) -> list[tuple[x509.ExtensionType, bool]]:
    places: dict[ObjectIdentifier, bytes] = changes.get("places", {PERSON: text(fictional.resident_id())})
    purposes = changes.get("purposes", [ExtendedKeyUsageOID.CLIENT_AUTH])
    policies = [x509.PolicyInformation(ObjectIdentifier(each), None) for each in changes.get("policies", [])]
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=changes.get("ca", False), path_length=None), True),
        (changes.get("usage", usage("digital_signature")), True),
        *((x509.UnrecognizedExtension(place, value), False) for place, value in places.items()),
    ]
    if purposes is not None:
        found.append((x509.ExtendedKeyUsage(purposes), False))
    if policies:
        found.append((x509.CertificatePolicies(policies), False))
    if crl_url is not None:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        found.append((x509.CRLDistributionPoints([point]), False))
    if "critical" in changes:
        found.append((x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), changes["critical"]), True))
    return found
