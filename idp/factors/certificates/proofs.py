"""A certificate taken as proof of who somebody is, by either door. What is refused is written to the audit."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509

from idp import clock
from idp.audit.log import Entry, record
from idp.errors import DomainError
from idp.factors.certificates import challenges, reading, revocation, signatures, subject, trust
from idp.factors.certificates.challenges import Answered, Asked
from idp.factors.certificates.reading import Presented
from idp.factors.certificates.subject import Subject
from idp.store.db import release, transaction


@dataclass(frozen=True, slots=True)
class Proven:
    """A certificate whose holder is here: verified, not revoked, and its key used for us just now.

    `chain` leads from it to a trusted authority, both included.
    """

    chain: tuple[x509.Certificate, ...]
    subject: Subject
    in_hardware: bool

    @property
    def certificate(self) -> x509.Certificate:
        """The holder's own."""
        return self.chain[0]


def by_signature(asked: Asked, challenge: str, presented: Presented, signature: bytes) -> Proven:
    """Take a signed challenge, which is used up whatever comes of it.

    Raises ChallengeGone, SignatureWrong, and what `_verified` does.
    """
    challenges.claim(challenge, asked)
    return _audited(presented, lambda: _signed(asked, challenge, presented, signature))


def by_presenting(answered: Answered) -> Proven:
    """Take what the proxy passed on: it saw the key used in the TLS handshake. Raises as `_verified`."""
    presented = reading.from_text(answered.chain)
    return _audited(presented, lambda: _verified(presented))


def _signed(asked: Asked, challenge: str, presented: Presented, signature: bytes) -> Proven:
    signatures.verify(presented.leaf, signature, challenges.to_sign(asked.purpose, challenge))
    return _verified(presented)


def _verified(presented: Presented) -> Proven:
    """Verify chain, dates, usage, strength, subject and revocation.

    Raises CertificateNotYetValid, CertificateExpired, CertificateSelfSigned, UsageWrong, CertificateWeak,
    IssuerUnknown, SubjectMissing, CertificateRevoked, RevocationUnknown.
    """
    chain = trust.verify(presented, clock.now())
    holder = subject.of(presented.leaf)
    release()
    revocation.check(chain)
    return Proven(tuple(chain), holder, trust.is_in_hardware(presented.leaf))


def _audited(presented: Presented, take: Callable[[], Proven]) -> Proven:
    try:
        return take()
    except DomainError as error:
        details = {"why": error.code, "serial": f"{presented.leaf.serial_number:x}"[:40]}
        with transaction() as session:
            record(session, Entry("certificate.refused", outcome="failed", details=details))
        raise
