"""The count of wrong codes, of the app and for recovery together: five in a row, then an hour (DESIGN 8)."""

from sqlalchemy.orm import Session

from idp.audit.log import Entry, record
from idp.errors import DomainError
from idp.factors.errors import FactorLocked
from idp.sessions import throttle
from idp.store.db import transaction


def count(person_id: str) -> int:
    """Count a guess before it is looked at, and return how many tries are left if it is wrong. Raises FactorLocked."""
    try:
        return throttle.tries_left(throttle.count(_key(person_id)))
    except throttle.TooManyFailures as locked:
        raise FactorLocked(**locked.facts) from locked


def wrong(person_id: str, left: int, refusal: DomainError) -> DomainError:
    """Record a wrong guess, and return what to raise: `refusal`, or FactorLocked after the last try."""
    with transaction() as session:
        details = {"why": refusal.code, "tries_left": left}
        record(session, Entry("factor.refused", subject_id=person_id, outcome="failed", details=details))
    return refusal if left else FactorLocked(throttle.LOCK_MINUTES)


def forget(session: Session, person_id: str) -> None:
    """End the row of wrong guesses: this one was right."""
    throttle.forget(session, _key(person_id))


def _key(person_id: str) -> str:
    return f"factor:{person_id}"
