"""Certificates and accounts: who may sign in with one, what adds it to an account, and its removal (P8, U6, F6).

A certificate of an authority that settings name vouches for a name and a document number. So it is the account's that
has this number, without another proof of control, where somebody checked that number and name for the account too:
二级实名 for a person, a trust level for a unit. An account that proved nothing may be a stranger's who typed the
number first; to that a certificate is added only by who has just signed in to it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.factors import freshness, notice, ways
from idp.factors.certificates import errors
from idp.factors.certificates.proofs import Proven
from idp.factors.errors import FactorGone, LastWayIn
from idp.factors.model import Certificate
from idp.persons.model import AccountKind, AccountStatus, Person, PersonProofing
from idp.rules.levels import Amr, RealNameLevel, TrustLevel
from idp.sessions import browser_sessions, sign_in
from idp.sessions.accounts import MODELS, Account, hold
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.freshness import is_fresh
from idp.sessions.sign_in import Browser
from idp.store.db import db, transaction

MOST = 20
PROVEN_BY = "certificate"
VOUCHED = TrustLevel.L3
"""DESIGN 5: the authority saw its holder, as a counter does."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A certificate as its owner sees it."""

    id: str
    issuer: str
    serial: str
    in_hardware: bool
    expires_at: datetime
    created_at: datetime
    used_at: datetime | None


def of(session: Session, owner_id: str) -> list[Owned]:
    """Return the certificates of an account, the oldest first."""
    own = (Certificate.owner_id == owner_id, Certificate.removed_at.is_(None))
    rows = session.scalars(select(Certificate).where(*own).order_by(Certificate.created_at))
    return [
        Owned(row.id, row.issuer, row.serial, row.in_hardware, row.expires_at, row.created_at, row.used_at)
        for row in rows
    ]


def sign_in_by(proven: Proven, tab: AccountKind, browser: Browser, here: SignedIn | None) -> str:
    """Sign in whose certificate it is; return the secret for the new session's cookie. Its first use adds it.

    `here` is who is signed in in this browser. Raises KindWrong and what `_claim` does, AccountLocked,
    throttle.TooManyFailures.
    """
    if proven.subject.kind is not tab:
        raise errors.KindWrong(kind=proven.subject.kind.value)
    with transaction() as session:
        owner_id, certificate_id = _claim(session, proven, here)
        sign_in.demand_open(session, tab, owner_id)
        return browser_sessions.start(
            session,
            kind=tab,
            subject_id=owner_id,
            amr=methods_of(proven),
            address=browser.address,
            user_agent=browser.user_agent,
            replaces=browser.replaces,
            vouched_level=int(VOUCHED),
            vouched_by=certificate_id,
        )


def step_up(who: SignedIn, proven: Proven) -> str:
    """Add a certificate to the session; return the new secret for its cookie.

    Raises CertificateOfAnother and what `_claim` does, browser_sessions.SessionOver.
    """
    with transaction() as session:
        certificate_id = _claim_own(session, proven, who)
        return browser_sessions.add_methods(
            session,
            who.session_id,
            methods_of(proven),
            authenticates=True,
            vouched_level=int(VOUCHED),
            vouched_by=certificate_id,
        )


def enrol(who: SignedIn, proven: Proven) -> None:
    """Add a certificate to the account of who is signed in, also one that was removed. The owner is told by SMS.

    Raises FreshLoginNeeded, SecondFactorNeeded, CertificateOfAnother and what `_claim` does.
    """
    freshness.demand_for_enrolment(who)
    with transaction() as session:
        _claim_own(session, proven, who, anew=True)


def remove(who: SignedIn, certificate_id: str) -> None:
    """Take a certificate from the account; sessions that rest on it end, this one too. The owner is told by SMS.

    Raises FreshLoginNeeded, FactorGone, LastWayIn.
    """
    freshness.demand(who)
    with transaction() as session:
        account = hold(session, who.kind, who.subject_id)
        removed = session.execute(
            update(Certificate)
            .where(
                Certificate.id == certificate_id,
                Certificate.owner_id == who.subject_id,
                Certificate.removed_at.is_(None),
            )
            .values(removed_at=clock.now())
            .returning(Certificate.id)
        ).one_or_none()
        if removed is None:
            raise FactorGone
        if not ways.can_sign_in(session, account):
            raise LastWayIn
        browser_sessions.end_vouched_by(session, account.id, certificate_id, why="certificate_removed")
        notice.tell_owner(session, who.kind, account.id, "certificate_removed", certificate=certificate_id)


def methods_of(proven: Proven) -> tuple[str, ...]:
    """Return what stands in `amr` (RFC 8176 §2): `sc` only where the authority says that the key is in hardware."""
    return (Amr.SC.value if proven.in_hardware else Amr.POP.value,)


def _claim_own(session: Session, proven: Proven, who: SignedIn, *, anew: bool = False) -> str:
    """Return the id of the certificate, which must be that of who is signed in.

    Raises CertificateOfAnother, and as `_claim`.
    """
    owner_id, certificate_id = _claim(session, proven, who, anew=anew)
    if owner_id != who.subject_id:
        raise errors.CertificateOfAnother
    return certificate_id


def _claim(session: Session, proven: Proven, here: SignedIn | None, *, anew: bool = False) -> tuple[str, str]:
    """Return the ids of the account whose certificate this is, and of the certificate. The first use adds it.

    Raises HolderUnknown, SeveralAccounts, NameDiffers, ControlUnproven, CertificateRemoved, TooManyCertificates.
    """
    account = _account(session, proven)
    row = session.scalars(select(Certificate).where(Certificate.issuer_serial == _issuer_serial(proven))).one_or_none()
    is_ours = row is not None and row.owner_id == account.id
    if row is not None and is_ours and row.removed_at is not None and not anew and not _is_here(account, here):
        raise errors.CertificateRemoved
    if not is_ours:
        _demand_control(account, here)
    _demand_name(session, account, proven)
    if row is None or not is_ours or row.removed_at is not None:
        row = _add(session, account, proven, row)
    row.used_at, row.chain = clock.now(), _pem(proven)
    return account.id, row.id


def _account(session: Session, proven: Proven) -> Account:
    """Return the living account with the certificate's number, held for this transaction. Raises as `_claim`."""
    model = MODELS[proven.subject.kind]
    found: list[Account] = list(
        session.scalars(
            select(model)
            .where(model.document_lookup == proven.subject.document_lookup, model.status != AccountStatus.CANCELLED)
            .with_for_update()
        )
    )
    if not found:
        raise errors.HolderUnknown
    if len(found) > 1:
        raise errors.SeveralAccounts
    return found[0]


def _demand_control(account: Account, here: SignedIn | None) -> None:
    """Raise ControlUnproven unless the account's number was checked, or it has just been signed in to."""
    if _is_checked(account):
        return
    if not _is_here(account, here):
        raise errors.ControlUnproven


def _is_here(account: Account, here: SignedIn | None) -> bool:
    """Whether the account was signed in to in this browser just now."""
    return here is not None and here.subject_id == account.id and is_fresh(here)


def _is_checked(account: Account) -> bool:
    if isinstance(account, Person):
        return account.real_name_level > RealNameLevel.ONE
    return account.trust_level > TrustLevel.L0 or account.verified_at is not None


def _demand_name(session: Session, account: Account, proven: Proven) -> None:
    """Raise NameDiffers. A name that nobody ever checked becomes the one that the authority checked."""
    if account.full_name == proven.subject.name:
        return
    if not isinstance(account, Person) or _is_checked(account):
        raise errors.NameDiffers
    account.full_name = proven.subject.name
    session.flush()


def _add(session: Session, account: Account, proven: Proven, before: Certificate | None) -> Certificate:
    """Add a certificate to the account, whose holder is proven by it (DESIGN 5). Raises TooManyCertificates."""
    own = (Certificate.owner_id == account.id, Certificate.removed_at.is_(None))
    if session.scalars(select(func.count()).select_from(Certificate).where(*own)).one() >= MOST:
        raise errors.TooManyCertificates
    row = before or _row(proven)
    row.kind, row.owner_id = proven.subject.kind.value, account.id
    row.removed_at, row.created_at = None, clock.now()
    session.add(row)
    session.flush()
    if isinstance(account, Person):
        _proof(session, account, row)
    notice.tell_owner(session, proven.subject.kind, account.id, "certificate_added", certificate=row.id)
    return row


def _row(proven: Proven) -> Certificate:
    certificate = proven.certificate
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Certificate(
        id=ids.new_id("cert_"),
        issuer_serial=_issuer_serial(proven),
        key_fingerprint=hashlib.sha256(key).hexdigest(),
        issuer=_name_of(certificate.issuer)[:100],
        serial=f"{certificate.serial_number:x}"[:40],
        in_hardware=proven.in_hardware,
        chain=_pem(proven),
        expires_at=certificate.not_valid_after_utc,
    )


def _proof(session: Session, person: Person, row: Certificate) -> None:
    """三级实名 by certificate: a proofing of our own, which stays when the certificate goes."""
    proofing = PersonProofing(
        person_id=person.id,
        method=PROVEN_BY,
        level=int(RealNameLevel.THREE),
        reference=row.id,
        proved_at=clock.now(),
    )
    session.add(proofing)
    person.real_name_level = max(person.real_name_level, int(RealNameLevel.THREE))
    session.flush()


def _pem(proven: Proven) -> str:
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in proven.chain)


def _issuer_serial(proven: Proven) -> str:
    """Return what names a certificate (RFC 5280 §4.1.2.2), as one hash."""
    certificate = proven.certificate
    named = certificate.issuer.public_bytes() + b"|" + str(certificate.serial_number).encode()
    return hashlib.sha256(named).hexdigest()


def _name_of(authority: x509.Name) -> str:
    for place in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for found in authority.get_attributes_for_oid(place):
            if isinstance(found.value, str):
                return found.value
    return authority.rfc4514_string()


def of_account(owner_id: str) -> list[Owned]:
    """Return the certificates of an account, for its page."""
    return of(db.session(), owner_id)
