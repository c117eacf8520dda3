"""Certificates taken as a browser brings them, for tests of what follows."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.errors import DomainError
from idp.factors.certificates import accounts, challenges, proofs, reading
from idp.factors.certificates.challenges import Asked, Door, Purpose
from idp.factors.certificates.proofs import Proven
from idp.factors.model import Certificate
from idp.persons.model import AccountKind
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import db
from tests.factors.sessions import BROWSER, who
from tests.support import certificates, rows
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority
from tests.support.certificates import Token

HERE = "browser"
ASKED = Asked(Purpose.SIGN_IN, HERE)
PERSON, UNIT = AccountKind.PERSON, AccountKind.UNIT
Text = certificates.text


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str, ca: RunningAuthority) -> Iterator[Flask]:
    application = make_app(migrated_sqlite_url, **ca.settings)
    with application.app_context():
        yield application


@pytest.fixture
def person_id(app: Flask) -> str:
    return rows.person()


def prove(token: Token, asked: Asked = ASKED) -> Proven:
    """Sign a challenge with the token."""
    challenge = challenges.begin(asked, Door.SIGN)
    signature = token.signature(challenges.to_sign(asked.purpose, challenge))
    return proofs.by_signature(asked, challenge, reading.from_text(token.pem), signature)


def sign_in(token: Token, tab: AccountKind = PERSON, here: SignedIn | None = None) -> SignedIn:
    return who(accounts.sign_in_by(prove(token), tab, BROWSER, here))


def refused(token: Token, error: type[DomainError]) -> None:
    with pytest.raises(error):
        sign_in(token)
    assert db.session.scalars(select(func.count()).select_from(Certificate)).one() == 0
