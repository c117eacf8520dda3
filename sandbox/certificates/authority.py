"""The authority: its key, the certificates that it issued, and the list of those that it took back."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "演示电子认证机构"
IN_HARDWARE = ObjectIdentifier("1.2.156.99999.1.1")
"""The policy under which this authority says that a key was made in a USB token."""

# GM/T 0015: the identity code of a person, the organisation code of a unit (which holds the USCC today).
NUMBER_PLACES = {
    "person": ObjectIdentifier("1.2.156.10260.4.1.1"),
    "unit": ObjectIdentifier("1.2.156.10260.4.1.4"),
}
LIST_LIVES = timedelta(hours=1)
CA_LIVES = timedelta(days=3650)
_PRINTABLE_STRING = 0x13
_NO_USAGE = dict.fromkeys(
    (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    ),
    False,
)


@dataclass(frozen=True)
class Wanted:
    """What stands in a certificate. `kind` is person or unit."""

    kind: str
    name: str
    document_number: str
    not_before: datetime
    not_after: datetime
    in_hardware: bool = False


class Authority:
    """A root that issues to holders itself. Safe for parallel requests."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate
        self._revoked: dict[int, datetime] = {}
        self._lock = threading.Lock()

    @classmethod
    def new(cls, name: str = NAME) -> Self:
        """Return an authority with a key of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name((NameOID.COUNTRY_NAME, "CN"), (NameOID.COMMON_NAME, name))
        now = datetime.now(UTC)
        builder = _builder(subject, key.public_key(), subject, now - timedelta(days=1), now + CA_LIVES)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return cls(key, builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256()))

    @classmethod
    def from_pem(cls, key: str, certificate: str) -> Self:
        """Return an authority that exists already. Raises ValueError."""
        loaded = load_pem_private_key(key.encode(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ValueError("the authority's key is not of an elliptic curve")  # noqa: TRY004 - a value from a file
        return cls(loaded, x509.load_pem_x509_certificate(certificate.encode()))

    @property
    def pem(self) -> str:
        """The authority's certificate, for whoever trusts it."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def issue(self, wanted: Wanted, key: ec.EllipticCurvePublicKey, crl_url: str) -> x509.Certificate:
        """Return a certificate for the holder of `key`: to sign and to sign in with, nothing else."""
        subject = _subject(wanted)
        builder = _builder(subject, key, self.certificate.subject, wanted.not_before, wanted.not_after)
        number = wanted.document_number.encode()
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        policy = [x509.PolicyInformation(IN_HARDWARE, None)] if wanted.in_hardware else []
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage("digital_signature", "content_commitment"), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False),
            (x509.CRLDistributionPoints([point]), False),
            (
                x509.UnrecognizedExtension(
                    NUMBER_PLACES[wanted.kind], bytes([_PRINTABLE_STRING, len(number)]) + number
                ),
                False,
            ),
            *([(x509.CertificatePolicies(policy), False)] if policy else []),
        ]
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())

    def revoke(self, serial: int) -> None:
        """Put a certificate on the list."""
        with self._lock:
            self._revoked[serial] = datetime.now(UTC)

    def restore(self, serial: int) -> None:
        """Take a certificate off the list, as no real authority does."""
        with self._lock:
            self._revoked.pop(serial, None)

    def has_revoked(self, serial: int) -> bool:
        """Whether the certificate stands on the list."""
        return serial in self._revoked

    def crl(self, *, stale: bool = False, foreign: bool = False) -> bytes:
        """Return the list in DER. `stale`: its time is over. `foreign`: another key signed it."""
        until = datetime.now(UTC) - timedelta(minutes=1) if stale else datetime.now(UTC) + LIST_LIVES
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self.certificate.subject, last_update=until - 2 * LIST_LIVES, next_update=until
        )
        with self._lock:
            revoked = dict(self._revoked)
        for serial, at in revoked.items():
            entry = x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=at)
            builder = builder.add_revoked_certificate(entry.build())
        key = ec.generate_private_key(ec.SECP256R1()) if foreign else self.key
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _subject(wanted: Wanted) -> x509.Name:
    organisation = [(NameOID.ORGANIZATION_NAME, wanted.name)] if wanted.kind == "unit" else []
    return _name((NameOID.COUNTRY_NAME, "CN"), *organisation, (NameOID.COMMON_NAME, wanted.name))


def _name(*parts: tuple[ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(place, value) for place, value in parts])


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**(_NO_USAGE | dict.fromkeys(allowed, True)))


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(not_before).not_valid_after(not_after)
