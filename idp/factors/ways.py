"""The ways in which a person can prove who they are, what each counts for, and which are of use now (F6, P8)."""

from dataclasses import replace
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp import clock
from idp.factors.certificates import trust
from idp.factors.model import Certificate, Passkey, RecoveryCode, Totp, UpstreamLink
from idp.persons.model import AccountKind, Person
from idp.rules.levels import Acr, Amr, TrustLevel, session_ceiling
from idp.sessions.accounts import Account
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.levels import acr_of_session
from idp.settings import settings


class Way(StrEnum):
    """A way to prove who one is, in the order in which it is offered."""

    PASSKEY = "passkey"
    CERTIFICATE = "certificate"
    TOTP = "totp"
    SMS = "sms"
    PASSWORD = "password"  # noqa: S105 - the name of a way
    RECOVERY_CODE = "recovery_code"


METHODS: dict[Way, tuple[str, ...]] = {
    # Nothing proves where the key of a passkey is kept, so none counts as hardware.
    Way.PASSKEY: (Amr.SWK.value, Amr.USER.value),
    # At least that its key was used; `sc` where the authority says that it is in hardware, which counts as much.
    Way.CERTIFICATE: (Amr.POP.value,),
    Way.TOTP: (Amr.OTP.value,),
    Way.SMS: (Amr.SMS.value,),
    Way.PASSWORD: (Amr.PWD.value,),
    # RFC 8176 §2 has no value for a look-up secret; it is a password for one time.
    Way.RECOVERY_CODE: (Amr.OTP.value,),
}
"""What stands in `amr` after each way."""

BY_ITSELF = frozenset({Way.PASSKEY, Way.CERTIFICATE, Way.SMS, Way.PASSWORD})
"""The ways that sign somebody in without another one."""


def of(session: Session, person: Person) -> list[Way]:
    """Return the ways that this person has today."""
    has = {
        Way.PASSKEY: _any(session, Passkey, person.id),
        Way.CERTIFICATE: has_certificate(session, person.id),
        Way.TOTP: _any(session, Totp, person.id),
        # Who does not hold the claim to a phone shares the number with somebody else (P13).
        Way.SMS: person.phone_claim is not None,
        Way.PASSWORD: person.password_hash is not None,
        Way.RECOVERY_CODE: recovery_codes_left(session, person.id) > 0,
    }
    return [way for way in Way if has[way]]


def ways_in(session: Session, person: Person) -> list[Way]:
    """Return the ways of ours by which this person can sign in; see `can_sign_in`."""
    return [way for way in of(session, person) if way in BY_ITSELF]


def can_sign_in(session: Session, account: Account) -> bool:
    """Whether a way in is left: one of ours, or a linked account at an upstream that the settings still have."""
    if isinstance(account, Person):
        return bool(ways_in(session, account)) or _is_linked(session, AccountKind.PERSON, account.id)
    ours = account.password_hash is not None or has_certificate(session, account.id)
    return ours or _is_linked(session, AccountKind.UNIT, account.id)


def that_lift(session: Session, who: SignedIn, target: Acr) -> list[Way]:
    """Return the person's ways that would make this session reach `target`; none where the proofing is too low.

    None either where it has been reached: nothing is asked for without need.
    """
    if acr_of_session(who) >= target:
        return []
    return [way for way in of(session, _person(session, who)) if acr_of_session(_with(who, way)) >= target]


def that_strengthen(session: Session, who: SignedIn) -> list[Way]:
    """Return the person's ways that would make this session one of two kinds of factor, whatever the proofing."""
    return [way for way in of(session, _person(session, who)) if ceiling(_with(who, way)) >= Acr.L2]


def ceiling(who: SignedIn) -> Acr:
    """Return the highest `acr` that this session allows, whatever the proofing."""
    return session_ceiling(who.amr, TrustLevel(who.trust_level))


def _with(who: SignedIn, way: Way) -> SignedIn:
    # A certificate is a proof of who its holder is besides (DESIGN 5).
    level = int(TrustLevel.L3) if way is Way.CERTIFICATE else who.trust_level
    return replace(who, amr=(*who.amr, *METHODS[way]), trust_level=level)


def _person(session: Session, who: SignedIn) -> Person:
    return session.get_one(Person, who.subject_id)


def recovery_codes_left(session: Session, person_id: str) -> int:
    """Return how many recovery codes a person has not used yet."""
    unused = (RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return session.scalars(select(func.count()).select_from(RecoveryCode).where(*unused)).one()


def has_certificate(session: Session, owner_id: str) -> bool:
    """Whether an account has a certificate that can be used today."""
    if not trust.is_offered():
        return False
    usable = (Certificate.removed_at.is_(None), Certificate.expires_at > clock.now())
    found = session.scalars(select(Certificate.id).where(Certificate.owner_id == owner_id, *usable).limit(1))
    return found.first() is not None


def _is_linked(session: Session, kind: AccountKind, owner_id: str) -> bool:
    offered = [each.name for each in settings().upstreams if kind.value in each.kinds]
    mine = (UpstreamLink.owner_id == owner_id, UpstreamLink.kind == kind)
    linked = select(UpstreamLink.owner_id).where(*mine, UpstreamLink.upstream.in_(offered)).limit(1)
    return session.scalars(linked).first() is not None


def _any(session: Session, table: type[Passkey | Totp], person_id: str) -> bool:
    return bool(session.scalars(select(func.count()).select_from(table).where(table.person_id == person_id)).one())
