"""A provider with one upstream, by either protocol, and a visitor who signs in over there."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from tests.flows.authorizing import parameters
from tests.flows.inside import InsideVisitor, forgetful
from tests.support import fictional
from tests.support.application import MakeApp
from tests.support.upstreams import PERSON, StandIn, sign_in_there

PASSWORD = fictional.password()


@pytest.fixture(params=["province", "oidc"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str, there: StandIn, protocol: str) -> Iterator[Flask]:
    """The provider with one upstream. Requests know nothing of each other (see conftest.py)."""
    application = forgetful(make_app(migrated_sqlite_url, upstreams=(there.setting(protocol),)))
    with application.app_context():
        yield application


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/account", "/unit")


def click(visitor: InsideVisitor, label: str = "省统一身份认证") -> InsideVisitor:
    """Follow the link of this label."""
    return visitor.get(visitor.link(label))


def come_back(visitor: InsideVisitor, account: dict[str, Any], **changes: str) -> InsideVisitor:
    """Sign in over there, where the visitor stands, and come back."""
    back = urlsplit(sign_in_there(visitor.url, account))
    query = {name: values[0] for name, values in parse_qs(back.query).items()} | changes
    return visitor.get(back.path, **query)


def trip(visitor: InsideVisitor, account: dict[str, Any] = PERSON, tab: str = "person") -> InsideVisitor:
    return come_back(click(visitor.get("/sign-in", tab=tab)), account)


def who(visitor: InsideVisitor) -> SignedIn | None:
    cookie = visitor.client.get_cookie("jingban_session")
    return browser_sessions.find(cookie.value) if cookie else None


def ask(visitor: InsideVisitor, **more: str) -> InsideVisitor:
    """Come from a portal."""
    return visitor.get("/oidc/authorize", **parameters(**more))
