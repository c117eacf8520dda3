"""Sessions of persons, as strong and as old as a test wants them."""

from datetime import timedelta

from sqlalchemy import update

from idp import clock
from idp.persons.model import AccountKind
from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.model import BrowserSession
from idp.sessions.sign_in import Browser
from idp.store.db import transaction

BROWSER = Browser("192.0.2.1", "test")


def start(person_id: str, *amr: str, ago: timedelta = timedelta(0)) -> str:
    """Begin a session by `amr`, some time ago; return the secret for its cookie."""
    with transaction() as session:
        token = browser_sessions.start(
            session,
            kind=AccountKind.PERSON,
            subject_id=person_id,
            amr=amr or ("pwd",),
            address="192.0.2.1",
            user_agent="test",
            replaces=None,
        )
    if ago:
        found = who(token)
        with transaction() as session:
            session.execute(
                update(BrowserSession).where(BrowserSession.id == found.session_id).values(auth_time=clock.now() - ago)
            )
    return token


def who(token: str) -> SignedIn:
    """Return who the secret stands for; there must be somebody."""
    found = browser_sessions.find(token)
    assert found is not None
    return found


def signed_in(person_id: str, *amr: str, ago: timedelta = timedelta(0)) -> SignedIn:
    """Begin a session by `amr` (pwd unless said otherwise), some time ago, and return it."""
    return who(start(person_id, *amr, ago=ago))
