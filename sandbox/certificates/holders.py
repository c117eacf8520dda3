"""Who was issued a certificate: the key and the certificate together, as a USB token or a .p12 file holds them."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from sandbox import web
from sandbox.certificates.authority import Authority, Wanted

PASSPHRASE = "jingban-demo"  # noqa: S105 - shown on the page: everything here is fictional
VALID_FOR = timedelta(days=365)
DOCUMENT_NUMBER = r"[A-Za-z0-9]{5,30}"


@dataclass(frozen=True)
class Holder:
    """One holder. The certificate is made when it is first asked for: only then is the list's address known."""

    holder_id: str
    kind: str
    name: str
    document_number: str
    in_hardware: bool
    expired: bool
    revoked: bool
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read {id?, kind, name, document_number, in_hardware?, expired?, revoked?}. Raises web.Invalid."""
        return cls(
            holder_id=web.optional_text_field(body, "id", r"[a-z0-9-]{1,40}") or secrets.token_hex(8),
            kind=web.text_field(body, "kind", "person|unit"),
            name=web.text_field(body, "name", r"[^\x00]{1,64}"),
            document_number=web.text_field(body, "document_number", DOCUMENT_NUMBER),
            in_hardware=body.get("in_hardware") is True,
            expired=body.get("expired") is True,
            revoked=body.get("revoked") is True,
        )

    def wanted(self) -> Wanted:
        """Return what stands in the certificate."""
        begin = datetime.now(UTC) - timedelta(hours=1) - (2 * VALID_FOR if self.expired else timedelta())
        return Wanted(self.kind, self.name, self.document_number, begin, begin + VALID_FOR, self.in_hardware)

    def sign(self, line: str) -> bytes:
        """Return the signature of a token's middleware over `line`: ECDSA with SHA-256."""
        return self.key.sign(line.encode(), ec.ECDSA(hashes.SHA256()))

    def key_pem(self) -> str:
        """Return the private key, as no token would."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Holders:
    """Holders by id, safe for parallel requests: one is replaced whole, under a lock."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._holders: dict[str, Holder] = {}
        self._lock = threading.Lock()

    def put(self, holder: Holder) -> None:
        """Enter a holder, who has no certificate yet."""
        with self._lock:
            self._holders[holder.holder_id] = holder

    def ids(self) -> list[str]:
        """Return all ids, in the order in which they came."""
        return list(self._holders)

    def issued(self, holder_id: str, crl_url: str) -> tuple[Holder, x509.Certificate] | None:
        """Return a holder and the certificate, which is issued now if it was not before; None for nobody."""
        with self._lock:
            holder = self._holders.get(holder_id)
            if holder is None:
                return None
            certificate = holder.certificate
            if certificate is None:
                certificate = self._authority.issue(holder.wanted(), holder.key.public_key(), crl_url)
                self._holders[holder_id] = replace(holder, certificate=certificate)
                if holder.revoked:
                    self._authority.revoke(certificate.serial_number)
            return holder, certificate


def p12(holder: Holder, certificate: x509.Certificate, authority: Authority) -> bytes:
    """Return a .p12 file under PASSPHRASE."""
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    return pkcs12.serialize_key_and_certificates(
        holder.holder_id.encode(), holder.key, certificate, [authority.certificate], encryption
    )
