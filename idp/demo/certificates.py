"""The demo's certification authority and its holders, as the sandbox reads them: one for every way that it can go."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from idp import clock
from idp.demo import fiction
from idp.demo.fiction import FictionalPerson, FictionalUnit

IN_HARDWARE = "1.2.156.99999.1.1"
"""The policy under which the sandbox's authority says that a key is in a USB token."""

NAME = "演示电子认证机构"
LIVES = timedelta(days=3650)
_KEPT = "sandbox.ca.json"
_ALLOWED = {"key_cert_sign", "crl_sign"}
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def file_of_authority(folder: Path) -> Path:
    """Return where the authority's certificate stands, for the setting `certificate_authorities`."""
    return folder / "sandbox.ca.pem"


def authority(folder: Path) -> dict[str, Any]:
    """Return the sandbox's data: the authority, made on the first run and kept, and everybody with a certificate."""
    kept = folder / _KEPT
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(_new()))
    ca: dict[str, str] = json.loads(kept.read_text())
    file_of_authority(folder).write_text(ca["certificate"])
    return {"ca": ca, "holders": holders()}


def holders() -> list[dict[str, Any]]:
    """Return who has a certificate."""
    return [
        _person("agent", fiction.AGENT, in_hardware=True),
        _person("contact", fiction.CONTACT, expired=True),
        _person("unbound", fiction.UNBOUND, revoked=True),
        _person("newcomer", fiction.NEWCOMER),  # 一级实名: must sign in by password first
        _person("stranger", fiction.UNREGISTERED),  # no account
        _unit("technology", fiction.TECHNOLOGY),
        _unit("staffing", fiction.STAFFING),
    ]


def _person(holder_id: str, person: FictionalPerson, **more: bool) -> dict[str, Any]:
    return {"id": holder_id, "kind": "person", "name": person.name, "document_number": person.document, **more}


def _unit(holder_id: str, unit: FictionalUnit) -> dict[str, Any]:
    return {"id": holder_id, "kind": "unit", "name": unit.name, "document_number": unit.uscc, "in_hardware": True}


def _new() -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    usage = x509.KeyUsage(**{each: each in _ALLOWED for each in _USAGES})
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIVES)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {
        "key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "certificate": certificate.public_bytes(Encoding.PEM).decode(),
    }
