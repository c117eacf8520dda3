"""Passkeys: enrolled, used to sign in without a name, used as a further factor, removed (WebAuthn Level 3)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.factors import challenges, freshness, notice, webauthn_messages
from idp.factors.challenges import Purpose
from idp.factors.errors import FactorGone, LastWayIn, PasskeyKnown, PasskeyRefused, TooManyPasskeys
from idp.factors.model import Passkey
from idp.factors.ways import METHODS, Way, can_sign_in
from idp.factors.webauthn_messages import Answer, Key
from idp.persons.model import AccountStatus, Person
from idp.sessions import browser_sessions, sign_in
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.sign_in import Browser
from idp.store import hot
from idp.store.db import db, transaction

MOST = 10
LONGEST_NAME = 30

# WebAuthn §7.2 step 22: a counter that does not grow tells of a copy. Both 0: the authenticator does not count.
CLAIM_COUNT = hot.Statement(
    "UPDATE passkey SET sign_count = :sign_count, used_at = :now WHERE id = :id "
    "AND (sign_count < :sign_count OR (sign_count = 0 AND :sign_count = 0)) RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Owned:
    """A passkey as its owner sees it."""

    id: str
    name: str
    created_at: datetime
    used_at: datetime | None


def of(session: Session, person_id: str) -> list[Owned]:
    """Return the passkeys of a person, the oldest first."""
    rows = session.scalars(select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.created_at))
    return [Owned(row.id, row.name, row.created_at, row.used_at) for row in rows]


def begin_enrolment(who: SignedIn, browser_id: str, *, site: str) -> str:
    """Return the options for a new passkey, as JSON. `site` is what the person knows this provider as.

    Raises FreshLoginNeeded, SecondFactorNeeded, TooManyPasskeys.
    """
    freshness.demand_for_enrolment(who)
    known = _credential_ids(who.subject_id)
    if len(known) >= MOST:
        raise TooManyPasskeys
    challenge = challenges.make(Purpose.ENROL, browser_id, who.subject_id)
    return webauthn_messages.creation_options(
        challenge, site=site, login_name=who.login_name, person_id=who.subject_id, known=known
    )


def enrol(who: SignedIn, browser_id: str, sent: str, name: str) -> None:
    """Take a new passkey. The owner is told by SMS. The challenge was given out after a fresh sign-in.

    Raises PasskeyRefused, PasskeyKnown, TooManyPasskeys.
    """
    answer = Answer.read(sent)
    if not challenges.claim(answer.challenge, Purpose.ENROL, browser_id, who.subject_id):
        raise PasskeyRefused
    key = webauthn_messages.verify_creation(answer)
    passkey = Passkey(
        id=ids.new_id("pk_"),
        person_id=who.subject_id,
        credential_id=key.credential_id,
        public_key=key.public_key,
        sign_count=key.sign_count,
        transports=webauthn_messages.transports_in(answer),
        name=name.strip()[:LONGEST_NAME],
        created_at=clock.now(),
    )
    with transaction() as session:
        # The person's row is held, so that passkeys of one person are added and removed one after the other.
        session.get_one(Person, who.subject_id, with_for_update=True)
        if len(of(session, who.subject_id)) >= MOST:
            raise TooManyPasskeys
        session.add(passkey)
        try:
            session.flush()
        except IntegrityError as error:
            raise PasskeyKnown from error
        notice.tell(session, who.subject_id, "passkey_added", passkey=passkey.id)


def begin_sign_in(browser_id: str) -> str:
    """Return the options to sign in with any passkey that the browser finds, as JSON."""
    return webauthn_messages.request_options(challenges.make(Purpose.SIGN_IN, browser_id))


def sign_in_by_passkey(browser_id: str, sent: str, browser: Browser) -> str:
    """Sign in whoever owns the passkey of this answer; return the secret for the new session's cookie.

    Raises PasskeyRefused, AccountLocked, throttle.TooManyFailures.
    """
    answer = Answer.read(sent)
    if not challenges.claim(answer.challenge, Purpose.SIGN_IN, browser_id):
        raise PasskeyRefused
    passkey = _known(answer)
    # §7.2 step 6: nobody said beforehand who is signing in, so the authenticator must.
    if answer.user_handle != passkey.person_id:
        raise PasskeyRefused
    count = _verify(answer, passkey)
    with transaction() as session:
        _claim_count(session, passkey.id, count)
        return sign_in.without_password(session, passkey.person_id, METHODS[Way.PASSKEY], browser)


def begin_step_up(who: SignedIn, browser_id: str) -> str:
    """Return the options to use one of this person's passkeys, as JSON. Raises FactorGone when there is none."""
    known = _credential_ids(who.subject_id)
    if not known:
        raise FactorGone
    return webauthn_messages.request_options(challenges.make(Purpose.STEP_UP, browser_id, who.subject_id), known)


def step_up(who: SignedIn, browser_id: str, sent: str) -> str:
    """Add a passkey to the session; return the new secret for its cookie.

    Raises PasskeyRefused, browser_sessions.SessionOver.
    """
    answer = Answer.read(sent)
    if not challenges.claim(answer.challenge, Purpose.STEP_UP, browser_id, who.subject_id):
        raise PasskeyRefused
    passkey = _known(answer)
    if passkey.person_id != who.subject_id or answer.user_handle not in {None, who.subject_id}:
        raise PasskeyRefused
    count = _verify(answer, passkey)
    with transaction() as session:
        _claim_count(session, passkey.id, count)
        return browser_sessions.add_methods(session, who.session_id, METHODS[Way.PASSKEY], authenticates=True)


def remove(who: SignedIn, passkey_id: str) -> None:
    """Remove a passkey. The owner is told by SMS. Raises FreshLoginNeeded, FactorGone, LastWayIn."""
    freshness.demand(who)
    with transaction() as session:
        person = session.get_one(Person, who.subject_id, with_for_update=True)
        own = (Passkey.id == passkey_id, Passkey.person_id == who.subject_id)
        if session.execute(delete(Passkey).where(*own).returning(Passkey.id)).one_or_none() is None:
            raise FactorGone
        if not can_sign_in(session, person):
            raise LastWayIn
        notice.tell(session, who.subject_id, "passkey_removed", passkey=passkey_id)


def _credential_ids(person_id: str) -> list[str]:
    return list(db.session().scalars(select(Passkey.credential_id).where(Passkey.person_id == person_id)))


def _known(answer: Answer) -> Passkey:
    """Return the passkey of an answer, of an account that is not cancelled. Raises PasskeyRefused."""
    found = db.session().scalars(
        select(Passkey)
        .join(Person, Person.id == Passkey.person_id)
        .where(Passkey.credential_id == answer.credential_id, Person.status != AccountStatus.CANCELLED)
    )
    passkey = found.one_or_none()
    if passkey is None:
        raise PasskeyRefused
    return passkey


def _verify(answer: Answer, passkey: Passkey) -> int:
    """Return the sign count of a right answer; a wrong one by a known passkey is recorded. Raises PasskeyRefused."""
    try:
        return webauthn_messages.verify_request(
            answer, Key(passkey.credential_id, passkey.public_key, passkey.sign_count)
        )
    except PasskeyRefused:
        person_id, details = passkey.person_id, {"why": PasskeyRefused.code, "passkey": passkey.id}
        with transaction() as session:
            record(session, Entry("factor.refused", subject_id=person_id, outcome="failed", details=details))
        raise


def _claim_count(session: Session, passkey_id: str, count: int) -> None:
    """Store the counter, unless it was overtaken or the passkey was removed meanwhile. Raises PasskeyRefused."""
    if hot.within(session).one(CLAIM_COUNT, id=passkey_id, sign_count=count, now=clock.millis()) is None:
        raise PasskeyRefused
