"""Whether a certificate may stand for its holder: dates, strength, usage, and a chain to an authority of the settings.

The proxy has looked at a client certificate before; here it is looked at again, as what comes by the other door is.
Each authority in the file of `certificate_authorities` is trusted as it stands there, also one between a root and the
holders: name those that issue certificates of persons and units, not a root that issues for web servers too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask import Flask, current_app

from idp.factors.certificates import errors
from idp.factors.certificates.reading import Presented
from idp.settings import Settings, SettingWrong

SMALLEST_RSA = 2048
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
Extension = TypeVar("Extension", bound=x509.ExtensionType)

HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclass(frozen=True, slots=True)
class Trust:
    """The authorities that vouch for holders, and the policies under which a key is kept in hardware."""

    anchors: tuple[x509.Certificate, ...]
    hardware_policies: frozenset[str]


def init_app(app: Flask, settings: Settings) -> None:
    """Read the authorities. Raises SettingWrong: at start, not at the first sign-in."""
    if settings.certificate_authorities is None:
        return
    anchors = _read(settings.certificate_authorities)
    app.extensions["jingban.certificate_trust"] = Trust(anchors, frozenset(settings.certificate_hardware_policies))


def is_offered() -> bool:
    """Whether certificates are taken at all: only where an operator named authorities."""
    return "jingban.certificate_trust" in current_app.extensions


def _trust() -> Trust:
    found: Trust = current_app.extensions["jingban.certificate_trust"]
    return found


def _read(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        found = tuple(x509.load_pem_x509_certificates(path.read_bytes()))
        for each in found:
            if not _basic(each) or not is_strong(each):
                raise SettingWrong(
                    "certificate_authorities", f"{path}: {each.subject.rfc4514_string()} is no authority"
                )
    except OSError as error:
        raise SettingWrong("certificate_authorities", f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise SettingWrong("certificate_authorities", f"{path} holds no certificates (PEM)") from error
    return found


def verify(presented: Presented, at: datetime) -> list[x509.Certificate]:
    """Return the chain from the holder's certificate to a trusted authority, both included.

    Raises CertificateNotYetValid, CertificateExpired, CertificateSelfSigned, UsageWrong, CertificateWeak,
    IssuerUnknown. The lists of revoked certificates are not asked here.
    """
    _check_holder(presented.leaf, at)
    policies = {
        "ca_policy": verification.ExtensionPolicy.webpki_defaults_ca(),
        # Web PKI wants names of hosts in a certificate: ours are people's. `_check_holder` judges what they have.
        "ee_policy": verification.ExtensionPolicy.permit_all(),
    }
    store = verification.Store(list(_trust().anchors))
    verifier = (
        verification.PolicyBuilder().store(store).time(at).extension_policies(**policies).build_client_verifier()
    )
    try:
        chain = verifier.verify(presented.leaf, list(presented.others)).chain
    except (verification.VerificationError, ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise errors.IssuerUnknown from error
    if not all(is_strong(each) for each in chain[1:-1]):
        raise errors.CertificateWeak
    return chain


def _check_holder(leaf: x509.Certificate, at: datetime) -> None:
    if at < leaf.not_valid_before_utc:
        raise errors.CertificateNotYetValid
    if at > leaf.not_valid_after_utc:
        raise errors.CertificateExpired
    if leaf.issuer == leaf.subject:
        raise errors.CertificateSelfSigned
    if not is_strong(leaf):
        raise errors.CertificateWeak
    if not _is_for_signing_in(leaf):
        raise errors.UsageWrong


def is_strong(certificate: x509.Certificate) -> bool:
    """Whether key and signature are of a kind and size that still hold."""
    key = certificate.public_key()
    is_ed25519 = certificate.signature_algorithm_oid == x509.SignatureAlgorithmOID.ED25519
    if not is_ed25519 and not isinstance(certificate.signature_hash_algorithm, HASHES):
        return False
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= SMALLEST_RSA
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, CURVES)
    return isinstance(key, ed25519.Ed25519PublicKey)


def _is_for_signing_in(leaf: x509.Certificate) -> bool:
    """RFC 5280 §4.2.1.3, §4.2.1.12: digitalSignature; clientAuth where purposes are named; no authority.

    Holders of two certificates have one to sign and one to encrypt: the second is refused here.
    """
    if _basic(leaf):
        return False
    usage = _value(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        return False
    purposes = _value(leaf, x509.ExtendedKeyUsage)
    return purposes is None or ExtendedKeyUsageOID.CLIENT_AUTH in purposes


def is_in_hardware(leaf: x509.Certificate) -> bool:
    """Whether the authority says, by a policy that settings name, that the key lives on a card or a USB token."""
    policies = _value(leaf, x509.CertificatePolicies) or ()
    return any(each.policy_identifier.dotted_string in _trust().hardware_policies for each in policies)


def expiring(by: datetime) -> Iterable[str]:
    """Return the names of trusted authorities whose time ends before `by`."""
    return [each.subject.rfc4514_string() for each in _trust().anchors if each.not_valid_after_utc < by]


def _basic(certificate: x509.Certificate) -> bool:
    basic = _value(certificate, x509.BasicConstraints)
    return basic is not None and basic.ca


def _value(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
