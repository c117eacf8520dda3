"""授权码实名 (U14): who may have an authorisation code issued for a unit, and who may type it, how often.

A code is issued by a window officer of the social-insurance agency; the unit's own account or anybody who is bound to
it types it. Five wrong ones in a row, whoever of them typed them, and nobody types one for this unit for an hour.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.log import Entry, record
from idp.delegation import contacts, errors
from idp.delegation.model import Binding, BindingStatus
from idp.persons.model import AccountStatus
from idp.sessions import throttle
from idp.sessions.throttle import TooManyFailures
from idp.store.db import db, transaction
from idp.units import authorisation_codes
from idp.units.authorisation_codes import Issued
from idp.units.model import Unit

VERIFIED_BY = "authorisation_code"


def issue(number: str, *, by_sms: bool = False) -> Issued:
    """Issue a code for the unit of this USCC or organisation code, as a window officer does (U14).

    `by_sms` also sends it to the unit's common contact, else to its agents. Raises UnitUnknown,
    UnitVerified, NobodyToTell.
    """
    with transaction() as session:
        issued = authorisation_codes.issue(session, authorisation_codes.unit_of(session, number))
        if by_sms:
            until = issued.expires_at.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M")
            if not contacts.tell(session, issued.unit_id, "unit_authorisation_code", code=issued.code, until=until):
                raise errors.NobodyToTell
    return issued


def verify(actor_id: str, unit_id: str, typed: str) -> None:
    """Make the unit real-named by the code that `actor_id`, the unit itself or a person bound to it, typed (U14).

    The unit's common contact is told by SMS, else its agents. Nothing happens where the unit is verified
    by now. Raises BindingGone for everybody else, AuthorisationCodeMalformed, AuthorisationCodeWrong (a code of
    another unit is one), AuthorisationCodeLocked. A guess is counted before it is looked at.
    """
    code = authorisation_codes.canonical(typed)
    _check_part_of(db.session(), actor_id, unit_id)  # nobody else may use up the tries of the unit
    left = _count(unit_id)
    with transaction() as session:
        unit = session.get_one(Unit, unit_id, with_for_update={"key_share": True})
        _check_part_of(session, actor_id, unit_id)
        if unit.verified_at is not None or _verified(session, actor_id, unit_id, code):
            throttle.forget(session, _key(unit_id))
            return
    raise _wrong(actor_id, unit_id, left)


def _check_part_of(session: Session, actor_id: str, unit_id: str) -> None:
    """Let pass the account of an active unit, and who is bound to it. Raises BindingGone."""
    is_active = session.scalars(select(Unit.id).where(Unit.id == unit_id, Unit.status == AccountStatus.ACTIVE)).first()
    bound = select(Binding.id).where(
        Binding.unit_id == unit_id, Binding.person_id == actor_id, Binding.status == BindingStatus.ACTIVE
    )
    if is_active is None or (actor_id != unit_id and session.scalars(bound).one_or_none() is None):
        raise errors.BindingGone


def _count(unit_id: str) -> int:
    """Count a guess, and return how many tries are left if it is wrong. Raises AuthorisationCodeLocked."""
    try:
        return throttle.tries_left(throttle.count(_key(unit_id)))
    except TooManyFailures as locked:
        raise errors.AuthorisationCodeLocked(**locked.facts) from locked


def _verified(session: Session, actor_id: str, unit_id: str, code: str) -> bool:
    """Use the code up and note what follows from it; False: it is wrong."""
    if not authorisation_codes.claim(session, unit_id, code):
        return False
    session.execute(update(Unit).where(Unit.id == unit_id).values(verified_at=clock.now(), verified_how=VERIFIED_BY))
    contacts.tell(session, unit_id, "unit_verified")
    _record(session, actor_id, unit_id, "ok", {"how": VERIFIED_BY})
    return True


def _wrong(actor_id: str, unit_id: str, left: int) -> errors.AuthorisationCodeWrong | errors.AuthorisationCodeLocked:
    """Record a wrong guess, and return what to raise."""
    with transaction() as session:
        _record(session, actor_id, unit_id, "failed", {"how": VERIFIED_BY, "tries_left": left})
    return errors.AuthorisationCodeWrong(left) if left else errors.AuthorisationCodeLocked(throttle.LOCK_MINUTES)


def _record(session: Session, actor_id: str, unit_id: str, outcome: str, details: dict[str, object]) -> None:
    entry = Entry(
        "unit.verified", actor_id=actor_id, subject_id=unit_id, unit_id=unit_id, outcome=outcome, details=details
    )
    record(session, entry)


def _key(unit_id: str) -> str:
    return f"authorisation_code:{unit_id}"
