"""The authenticator app: codes of six digits that change every 30 seconds (RFC 6238).

A new secret waits, encrypted and bound to the browser, until the app has shown that it holds it. Of every code that
is taken the time step is kept, and only a later one is taken after it: a code works once, also of two at once.
"""

import re

import pyotp
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock
from idp.factors import freshness, guesses, notice, recovery_codes
from idp.factors.errors import CodeWrong, ConfirmationWrong, FactorGone, TotpEnrolled
from idp.factors.model import RecoveryCode, Totp
from idp.factors.ways import METHODS, Way
from idp.sessions import browser_sessions, drafts
from idp.sessions.browser_sessions import SignedIn
from idp.store import hot
from idp.store.db import db, transaction

DRAFT = "totp"
STEPS_OFF = 1  # how far clocks may be apart, in time steps (RFC 6238 §5.2)
_CODE = re.compile(r"[0-9]{6}")

CLAIM_STEP = hot.Statement(
    "UPDATE totp SET last_step = :step, used_at = :now WHERE person_id = :person_id AND last_step < :step "
    "RETURNING person_id"
)


def begin(who: SignedIn, browser_id: str) -> str:
    """Make a secret for a new authenticator app; return the id of the draft that keeps it for this browser.

    Raises FreshLoginNeeded, SecondFactorNeeded, TotpEnrolled.
    """
    freshness.demand_for_enrolment(who)
    if enrolled(db.session(), who.subject_id) is not None:
        raise TotpEnrolled
    return drafts.begin(DRAFT, browser_id, {"person_id": who.subject_id, "secret": pyotp.random_base32()})


def waiting_secret(who: SignedIn, browser_id: str, draft_id: str) -> str:
    """Return the secret, in base32, that waits for its confirmation. Raises DraftGone."""
    kept = drafts.read(DRAFT, browser_id, draft_id)
    if kept["person_id"] != who.subject_id:
        raise drafts.DraftGone
    return str(kept["secret"])


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return the `otpauth:` address that an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def enrol(who: SignedIn, browser_id: str, draft_id: str, typed: str) -> list[str]:
    """Take the app for this person once it shows a right code; return the recovery codes, which are shown once.

    The secret was given out after a fresh sign-in; installing an app may take longer than that stays fresh.
    Raises DraftGone, ConfirmationWrong, TotpEnrolled.
    """
    secret = waiting_secret(who, browser_id, draft_id)
    step = _step_of(secret, typed)
    if step is None:
        raise ConfirmationWrong
    now = clock.now()
    with transaction() as session:
        session.add(Totp(person_id=who.subject_id, secret=secret, last_step=step, created_at=now))
        try:
            session.flush()
        except IntegrityError as error:
            raise TotpEnrolled from error
        codes = recovery_codes.make(session, who.subject_id)
        notice.tell(session, who.subject_id, "totp_added")
    drafts.drop(browser_id, draft_id)
    return codes


def step_up(who: SignedIn, typed: str) -> str:
    """Add a code of the app to the session; return the new secret for its cookie.

    Raises FactorGone, CodeWrong, FactorLocked, browser_sessions.SessionOver.
    """
    left = guesses.count(who.subject_id)
    app = enrolled(db.session(), who.subject_id)
    if app is None:
        raise FactorGone
    step = _step_of(app.secret, typed)
    with transaction() as session:
        if step is not None and _claim_step(session, who.subject_id, step):
            guesses.forget(session, who.subject_id)
            return browser_sessions.add_methods(session, who.session_id, METHODS[Way.TOTP], authenticates=False)
    raise guesses.wrong(who.subject_id, left, CodeWrong(left))


def remove(who: SignedIn) -> None:
    """Remove the app, and its recovery codes with it. Raises FreshLoginNeeded, FactorGone.

    Nobody is locked out by that: a code is never a way in by itself.
    """
    freshness.demand(who)
    with transaction() as session:
        gone = session.execute(delete(Totp).where(Totp.person_id == who.subject_id).returning(Totp.person_id))
        if gone.one_or_none() is None:
            raise FactorGone
        session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == who.subject_id))
        notice.tell(session, who.subject_id, "totp_removed")


def enrolled(session: Session, person_id: str) -> Totp | None:
    """Return the authenticator app that this person has."""
    return session.get(Totp, person_id)


def _step_of(secret: str, typed: str) -> int | None:
    """Return the time step that `typed` is the code of, now or one step away; None if it is no code."""
    code = "".join(typed.split())
    if not _CODE.fullmatch(code):
        return None
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=clock.now(), valid_window=STEPS_OFF)
    except OTPVerificationError:
        return None


def _claim_step(session: Session, person_id: str, step: int) -> bool:
    return hot.within(session).one(CLAIM_STEP, person_id=person_id, step=step, now=clock.millis()) is not None
