"""form_post in a real browser: sent by our own script under our own policy, and by a button without scripts."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.oidc.authorize.browser import request_parameters
from tests.oidc.servers import Portal, portal
from tests.support import rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.ports import free_port


@dataclass
class Site:
    """The provider and a portal, listening."""

    app: Flask
    address: str
    portal: Portal
    token: str

    def request(self, **changes: str) -> str:
        callback = f"http://127.0.0.1:{self.portal.port}/callback"
        parameters = request_parameters(redirect_uri=callback, response_mode="form_post", **changes)
        return f"{self.address}/oidc/authorize?{urlencode(parameters)}"

    def signed_in(self, page: Page) -> Page:
        page.context.add_cookies([{"name": "jingban_session", "value": self.token, "url": self.address}])
        return page

    def posted(self) -> list[dict[str, str]]:
        """What the portal's callback got; browsers ask for a favicon as well."""
        posts = [each for each in self.portal.received if each[0] == "POST"]
        for _, path, headers, _ in posts:
            assert path == "/callback"
            assert headers["Content-Type"] == "application/x-www-form-urlencoded"
            assert "Referer" not in headers
        return [dict(parse_qsl(body.decode())) for _, _, _, body in posts]


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    port = free_port()
    address = f"http://localhost:{port}"
    app = make_app(migrated_sqlite_url, issuer=address)
    with portal() as listening:
        listening.answer = lambda _path: (200, {"Content-Type": "text/html"}, b"<title>x</title><p id=done>done")
        with app.app_context():
            rows.client(redirect_uris=[f"http://127.0.0.1:{listening.port}/callback"], consent_required=False)
            token = rows.signed_in(rows.person())
        server = make_server("127.0.0.1", port, app)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(app, address, listening, token)
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_script_sends_it(site: Site, page: Page) -> None:
    site.signed_in(page).goto(site.request(state='"><script>alert(1)</script>&单'))
    expect(page.locator("#done")).to_be_visible()
    (answer,) = site.posted()
    assert answer["state"] == '"><script>alert(1)</script>&单'
    assert answer["iss"] == site.address
    assert len(answer["code"]) == 43


def test_a_button_sends_it_without_scripts(site: Site, new_page: Callable[..., Page]) -> None:
    page = site.signed_in(new_page(java_script_enabled=False))
    page.goto(site.request())
    assert site.posted() == []
    page.get_by_role("button", name="继续").click()
    expect(page.locator("#done")).to_be_visible()
    assert site.posted()[0]["iss"] == site.address


@pytest.mark.browser_errors("net::ERR_FAILED")
def test_the_page_is_accessible_while_one_waits(site: Site, page: Page) -> None:
    page.route("**/form-post.js", lambda route: route.abort())
    site.signed_in(page).goto(site.request())
    axe_check(page)
    assert site.posted() == []


def test_going_back_sends_nothing_again(site: Site, page: Page) -> None:
    """The code is used up by then: a second delivery would end what the first began (RFC 6749 §4.1.2)."""
    site.signed_in(page).goto(f"{site.address}/help")
    page.goto(site.request())
    expect(page.locator("#done")).to_be_visible()
    page.go_back()
    page.wait_for_timeout(500)
    codes = [answer["code"] for answer in site.posted()]
    assert codes
    assert len(set(codes)) == len(codes)
