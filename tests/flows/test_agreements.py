"""应用授权: from the list one begins at a portal (OpenID Connect Core §4)."""

from html import unescape

import pytest
from flask import Flask
from sqlalchemy import update

from idp import clock
from idp.clients import consents, login_initiation
from idp.clients.model import Client
from idp.store.db import transaction
from tests.flows.inside import InsideVisitor
from tests.support import fictional, rows

BEGIN = "https://portal.example/login"
ISSUER = "iss=http%3A%2F%2Flocalhost%3A8000"


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    """A person who let a portal have something."""
    rows.client(initiate_login_uri=BEGIN, client_uri="https://portal.example/")
    person_id = rows.person()
    _agree(person_id, "openid")
    return InsideVisitor(app).sign_in(person_id)


def _agree(person_id: str, *scopes: str) -> None:
    with transaction() as session:
        consents.give(session, subject_id=person_id, client_id="portal", unit_id=None, scopes=scopes)


def test_one_begins_at_the_portal(visitor: InsideVisitor) -> None:
    page = unescape(visitor.get("/account/agreements").text)
    assert f'href="{BEGIN}?{ISSUER}&target_link_uri=https%3A%2F%2Fportal.example%2F"' in page
    assert "前往登录" in page


def test_the_login_name_goes_only_where_it_may(visitor: InsideVisitor, app: Flask) -> None:
    assert "login_hint" not in visitor.get("/account/agreements").text
    person_id = rows.person(2)
    _agree(person_id, "openid", "profile")
    page = unescape(InsideVisitor(app).sign_in(person_id).get("/account/agreements").text)
    assert f"{BEGIN}?{ISSUER}&login_hint={fictional.login_name(2)}&" in page


@pytest.mark.parametrize("change", [{"disabled_at": True}, {"initiate_login_uri": None}], ids=str)
def test_no_link_where_nobody_can_begin(visitor: InsideVisitor, change: dict[str, object]) -> None:
    values = {name: clock.now() if value is True else value for name, value in change.items()}
    with transaction() as session:
        session.execute(update(Client).values(values))
    page = visitor.get("/account/agreements").text
    assert "撤回授权" in page
    assert "前往登录" not in page


@pytest.mark.parametrize(
    ("uri", "target", "expected"),
    [
        (BEGIN, None, f"{BEGIN}?iss=i"),
        (f"{BEGIN}?a=b", None, f"{BEGIN}?a=b&iss=i"),
        (BEGIN, "https://portal.example:8443/", f"{BEGIN}?iss=i"),
        (BEGIN, "https://elsewhere.example/", f"{BEGIN}?iss=i"),
    ],
)
def test_a_target_elsewhere_is_not_passed_on(uri: str, target: str | None, expected: str) -> None:
    assert login_initiation.address(uri, "i", target=target) == expected
