"""Lists of revoked certificates (RFC 5280 §5): fetched from where the authority says, kept for minutes, never guessed.

Every certificate below a trusted authority is looked for in its issuer's list. No address, no answer, a list that is
out of date or wrongly signed: then nobody can say whether the certificate still stands, and it is not taken.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from idp import clock
from idp.factors.certificates import trust
from idp.factors.certificates.errors import CertificateRevoked, RevocationUnknown
from idp.gateways import fetch
from idp.gateways.fetch import FetchFailed

KEEP = timedelta(minutes=10)
"""How long a list is used before it is fetched again: a revocation is seen here that much later."""

LARGEST = 4 * 1024 * 1024
MOST_KEPT = 32
CLOCKS_DIFFER = timedelta(minutes=5)
_OK = 200
_MOST_ADDRESSES = 2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Kept:
    crl: x509.CertificateRevocationList
    fetched_at: datetime


_lists: dict[str, _Kept] = {}
_lock = threading.Lock()


def check(chain: list[x509.Certificate]) -> None:
    """Look for each certificate of a verified chain but the last in its issuer's list.

    Raises CertificateRevoked, RevocationUnknown.
    """
    for certificate, issuer in pairwise(chain):
        crl = _list_of(certificate, issuer)
        if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise CertificateRevoked


def forget() -> None:
    """Forget all lists: the next check fetches them."""
    with _lock:
        _lists.clear()


def _list_of(certificate: x509.Certificate, issuer: x509.Certificate) -> x509.CertificateRevocationList:
    unknown = RevocationUnknown("no_address")
    for url in _addresses(certificate)[:_MOST_ADDRESSES]:
        try:
            crl = _at(url)
            _demand_valid(crl, issuer)
        except RevocationUnknown as error:
            unknown = error
            log.warning("certificate.revocation_unknown", reason=error.reason)
        else:
            return crl
    raise unknown


def _addresses(certificate: x509.Certificate) -> list[str]:
    """Return where the issuer says that its whole list is (RFC 5280 §4.2.1.13)."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    names = (name for point in points if not point.reasons and not point.crl_issuer for name in point.full_name or ())
    return [
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.startswith(("http://", "https://"))
    ]


def _at(url: str) -> x509.CertificateRevocationList:
    """Return the list at this address, fetched not longer than KEEP ago. Raises RevocationUnknown."""
    now = clock.now()
    with _lock:
        kept = _lists.get(url)
    if kept is not None and now - KEEP < kept.fetched_at <= now:
        return kept.crl
    crl = _fetch(url)
    with _lock:
        if len(_lists) >= MOST_KEPT:
            _lists.clear()
        _lists[url] = _Kept(crl, now)
    return crl


def _fetch(url: str) -> x509.CertificateRevocationList:
    try:
        answer = fetch.get_signed(url, accept="application/pkix-crl", most=LARGEST)
    except FetchFailed as error:
        raise RevocationUnknown(error.reason) from error
    if answer.status != _OK:
        raise RevocationUnknown("status")
    is_pem = answer.body.startswith(b"-----BEGIN")
    try:
        return (x509.load_pem_x509_crl if is_pem else x509.load_der_x509_crl)(answer.body)
    except (ValueError, x509.InvalidVersion) as error:
        raise RevocationUnknown("unreadable") from error


def _demand_valid(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
    """Raise RevocationUnknown unless the list is its issuer's own, whole, and of today (RFC 5280 §6.3.3)."""
    now = clock.now()
    try:
        if crl.issuer != issuer.subject or not _is_signed_by(crl, issuer):
            raise RevocationUnknown("not_the_issuers")
        if crl.next_update_utc is None or crl.next_update_utc < now or crl.last_update_utc > now + CLOCKS_DIFFER:
            raise RevocationUnknown("stale")
        if not all(_is_whole(each) for each in crl.extensions if each.critical):
            raise RevocationUnknown("partial")
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.DuplicateExtension) as error:
        raise RevocationUnknown("unreadable") from error


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    if not usage.crl_sign or not isinstance(crl.signature_hash_algorithm, (*trust.HASHES, type(None))):
        return False
    key = issuer.public_key()
    if not trust.is_strong(issuer):
        return False
    return bool(crl.is_signature_valid(key))  # type: ignore[arg-type]  # a strong key is one of those that sign


def _is_whole(extension: x509.Extension[x509.ExtensionType]) -> bool:
    """Whether a critical extension leaves the list what it seems to be: all of the issuer's revoked certificates."""
    point = extension.value
    if not isinstance(point, x509.IssuingDistributionPoint):
        return False
    return not (
        point.indirect_crl
        or point.only_contains_ca_certs
        or point.only_contains_attribute_certs
        or point.only_some_reasons
    )
