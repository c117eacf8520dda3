"""法人实人认证 on a desktop and a phone (U18): the page follows the phone by itself; by keyboard, accessible."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from idp.persons.model import AccountKind
from idp.web import session_cookie_name
from sandbox.serving import Server
from tests.flows.authorizing import parameters
from tests.support import qr, rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.browser import DESKTOP, PHONE
from tests.support.ports import free_port
from tests.support.representing import STABILIZATION, catalogue, outside
from tests.support.signing import plant_keys


@dataclass
class Site:
    """The provider, served for real beside register and face check, and the cookie of a unit without agents."""

    url: str
    cookie: tuple[str, str]

    @property
    def request(self) -> str:
        """The portal's authorization request. The portal stands in for itself at one of our addresses."""
        query = parameters(f"openid {STABILIZATION}", redirect_uri=f"{self.url}/help")
        return f"{self.url}/oidc/authorize?{urlencode(query)}"


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    with outside() as systems:
        port = free_port()
        issuer = f"http://localhost:{port}"
        app = make_app(migrated_sqlite_url, issuer=issuer, **systems.settings())
        with app.app_context():
            plant_keys()
            catalogue()
            systems.enter()
            uris, scopes = [f"{issuer}/help"], ["openid", STABILIZATION]
            rows.client(redirect_uris=uris, scopes=scopes, allows_unit_accounts=True, consent_required=False)
            cookie = (session_cookie_name(), rows.signed_in(rows.unit(trust_level=2), AccountKind.UNIT))
        with Server(app, port):
            yield Site(issuer, cookie)


def test_desktop_and_phone(site: Site, new_page: Callable[..., Page]) -> None:
    desktop = new_page(reduced_motion="reduce", viewport=DESKTOP, color_scheme="light")
    name, value = site.cookie
    desktop.context.add_cookies([{"name": name, "value": value, "url": site.url}])
    desktop.goto(site.request)
    expect(desktop.get_by_role("heading", name="法人实人认证")).to_be_visible()
    axe_check(desktop)
    desktop.get_by_role("button", name="确定").press("Enter")
    expect(desktop.get_by_role("img", name="法人实人认证的二维码")).to_be_visible()
    axe_check(desktop)
    address = desktop.get_by_role("link", name="在本机上打开认证页面").get_attribute("href")
    scanned = qr.read(desktop.get_by_role("img", name="法人实人认证的二维码"))
    assert scanned == address, "nothing but where the check is made"
    phone = new_page(viewport=PHONE)
    phone.goto(scanned)
    expect(phone.get_by_text("失业保险稳岗返还")).to_be_visible()
    phone.get_by_role("button", name="通过", exact=True).press("Enter")
    expect(phone.get_by_text("认证通过")).to_be_visible()
    expect(desktop).to_have_url(re.compile(r"/help\?code="), timeout=10_000)
