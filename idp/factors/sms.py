"""The code by SMS, as a way to sign in (P8) and as a second factor. Its limits stand in `notify.sms_codes`.

A code to sign in is sent to every phone that is asked for, so that only whoever holds a phone learns whether it has an
account.
"""

from sqlalchemy import select

from idp.factors.errors import NobodyWithPhone
from idp.factors.ways import METHODS, Way
from idp.notify import sms_codes
from idp.notify.sms_codes import Asked
from idp.persons.model import AccountStatus, Person
from idp.sessions import browser_sessions, sign_in
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.sign_in import Browser
from idp.store.base import vault
from idp.store.db import transaction

SIGN_IN, STEP_UP = "sign_in", "step_up"


def sign_in_by_code(asked: Asked, typed: str, browser: Browser) -> str:
    """Sign in the person who registered this phone; return the secret for the new session's cookie.

    Raises SmsCodeWrong, SmsCodeInvalid, NobodyWithPhone, AccountLocked, throttle.TooManyFailures.
    """
    proof = sms_codes.check(asked, typed)
    with transaction() as session:
        sms_codes.use(session, proof)
        person_id = session.scalars(
            select(Person.id).where(
                Person.phone_claim == vault().lookup("phone", asked.phone),
                Person.status != AccountStatus.CANCELLED,
            )
        ).one_or_none()
        if person_id is None:
            raise NobodyWithPhone
        return sign_in.without_password(session, person_id, METHODS[Way.SMS], browser)


def step_up(who: SignedIn, asked: Asked, typed: str) -> str:
    """Add a code to the phone on record to the session; return the new secret for its cookie.

    Raises SmsCodeWrong, SmsCodeInvalid, browser_sessions.SessionOver.
    """
    proof = sms_codes.check(asked, typed)
    with transaction() as session:
        sms_codes.use(session, proof)
        return browser_sessions.add_methods(session, who.session_id, METHODS[Way.SMS], authenticates=True)
