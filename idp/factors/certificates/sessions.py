"""Ending the sessions of certificates that were revoked since they began; the worker looks for them."""

import structlog
from cryptography import x509
from sqlalchemy import select

from idp import clock
from idp.audit.log import Entry, record
from idp.factors.certificates import revocation, trust
from idp.factors.certificates.errors import CertificateRevoked, RevocationUnknown
from idp.factors.model import Certificate
from idp.sessions import browser_sessions
from idp.sessions.model import BrowserSession
from idp.store.db import db, release, transaction

log = structlog.get_logger()


def end_of_revoked() -> None:
    """End what rests on a certificate that is on its issuer's list now (U13).

    A session goes on where the list cannot be had: the next sign-in is refused, and the next look asks again. Of an
    issuer that does not answer only the first certificate is waited for.
    """
    if not trust.is_offered():
        return
    silent: set[x509.Name] = set()
    for certificate_id, owner_id, pem in _in_use():
        chain = x509.load_pem_x509_certificates(pem.encode())
        if chain[0].issuer in silent:
            continue
        try:
            revocation.check(chain)
        except RevocationUnknown:
            silent.add(chain[0].issuer)
        except CertificateRevoked:
            _end(certificate_id, owner_id)


def _in_use() -> list[tuple[str, str, str]]:
    """Return (id, owner, chain) of the certificates on which a living session rests."""
    rows = db.session().execute(
        select(Certificate.id, Certificate.owner_id, Certificate.chain, BrowserSession.vouched_by)
        .join(BrowserSession, BrowserSession.subject_id == Certificate.owner_id)
        .where(
            BrowserSession.vouched_by != "",
            BrowserSession.ended_at.is_(None),
            BrowserSession.expires_at > clock.now(),
        )
    )
    found = {(row[0], row[1], row[2]) for row in rows if row[0] in row[3].split()}
    release()
    return sorted(found)


def _end(certificate_id: str, owner_id: str) -> None:
    with transaction() as session:
        browser_sessions.end_vouched_by(session, owner_id, certificate_id, why="certificate_revoked")
        details = {"certificate": certificate_id}
        record(session, Entry("certificate.revoked", subject_id=owner_id, details=details))
    log.info("certificate.revoked", certificate=certificate_id)
