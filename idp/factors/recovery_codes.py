"""Recovery codes: ten, each good once, in place of a lost app. Shown once; only keyed hashes are kept."""

import secrets

from sqlalchemy import delete
from sqlalchemy.orm import Session

from idp import clock
from idp.factors import freshness, guesses, notice
from idp.factors.errors import FactorGone, RecoveryCodeWrong
from idp.factors.model import RecoveryCode, Totp
from idp.factors.ways import METHODS, Way
from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.store import hot
from idp.store.base import vault
from idp.store.db import transaction

HOW_MANY = 10
HALF = 5
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without what looks alike on paper: I and 1, L, O and 0

USE = hot.Statement(
    "UPDATE recovery_code SET used_at = :now WHERE code_hash = :code_hash AND used_at IS NULL RETURNING person_id"
)


def make(session: Session, person_id: str) -> list[str]:
    """Put ten new codes in place of all that the person had, in the caller's transaction; return them in clear."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(2 * HALF)) for _ in range(HOW_MANY)]
    now = clock.now()
    session.add_all(
        RecoveryCode(code_hash=_hash(person_id, code), person_id=person_id, created_at=now) for code in codes
    )
    return [f"{code[:HALF]}-{code[HALF:]}" for code in codes]


def renew(who: SignedIn) -> list[str]:
    """Make ten new codes; the old ones are worth nothing any more.

    Raises FreshLoginNeeded, SecondFactorNeeded, FactorGone without an authenticator app.
    """
    freshness.demand_for_enrolment(who)
    with transaction() as session:
        # Held until the commit, so that the app is not removed meanwhile and leaves its codes behind.
        if session.get(Totp, who.subject_id, with_for_update=True) is None:
            raise FactorGone
        codes = make(session, who.subject_id)
        notice.tell(session, who.subject_id, "recovery_codes_renewed")
    return codes


def step_up(who: SignedIn, typed: str) -> str:
    """Use a code up for this session; return the new secret for its cookie. The owner is told by SMS.

    Raises RecoveryCodeWrong, FactorLocked, browser_sessions.SessionOver.
    """
    left = guesses.count(who.subject_id)
    code_hash = _hash(who.subject_id, typed)
    with transaction() as session:
        if hot.within(session).one(USE, code_hash=code_hash, now=clock.millis()) is not None:
            guesses.forget(session, who.subject_id)
            notice.tell(session, who.subject_id, "recovery_code_used")
            methods = METHODS[Way.RECOVERY_CODE]
            return browser_sessions.add_methods(session, who.session_id, methods, authenticates=False)
    raise guesses.wrong(who.subject_id, left, RecoveryCodeWrong(left))


def _hash(person_id: str, typed: str) -> str:
    """Return the hash of a code for this person, however it was typed."""
    code = "".join(each for each in typed.upper() if each.isalnum())
    return vault().lookup("recovery_code", f"{person_id}\0{code}")
