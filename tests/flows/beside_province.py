"""The provider served for real beside the province, for journeys across both in a browser."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from flask import Flask
from playwright.sync_api import Page

from idp.sessions.model import Authorization
from idp.store.db import db
from sandbox.serving import Server
from tests.flows.authorizing import parameters
from tests.support.application import MakeApp
from tests.support.browser import DESKTOP, PHONE
from tests.support.ports import free_port
from tests.support.upstreams import stand_in

LOOKS = ({"color_scheme": "light", "viewport": DESKTOP}, {"color_scheme": "dark", "viewport": PHONE})

in_both_looks = pytest.mark.parametrize("look", LOOKS, ids=["desktop", "phone"])


@dataclass
class Site:
    """The provider, served for real beside the province, and its database."""

    url: str
    app: Flask

    def from_portal(self, page: Page, callback: str) -> None:
        """Come from a portal that wants its answer at `callback`."""
        page.goto(f"{self.url}/oidc/authorize?{urlencode(parameters(redirect_uri=callback))}")

    def granted(self) -> Authorization:
        """Return the only grant there is."""
        with self.app.app_context():
            return db.session.query(Authorization).one()


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    with stand_in() as there:
        port = free_port()
        issuer = f"http://localhost:{port}"
        app = make_app(migrated_sqlite_url, issuer=issuer, upstreams=(there.setting(),))
        with Server(app, port):
            yield Site(issuer, app)


def sign_in_there(page: Page, account: dict[str, str]) -> None:
    """Sign in on the province's page, where the browser stands."""
    if "uscc" in account:
        page.get_by_role("link", name="法人登录").click()
    page.get_by_label("用户名").fill(account["login"])
    page.get_by_label("密码").fill(account["password"])
    page.keyboard.press("Enter")
