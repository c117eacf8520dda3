"""The frame of session management in a real browser, asked by a real portal's page."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Page
from werkzeug.serving import make_server

from tests.oidc.authorize.browser import request_parameters
from tests.oidc.servers import Portal, portal
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.ports import free_port
from tests.support.signing import plant_keys

ASK = """([address, text]) => new Promise(resolve => {
    addEventListener('message', event => resolve([event.origin, event.data]), {once: true});
    document.querySelector('iframe').contentWindow.postMessage(text, address);
})"""


@dataclass
class Site:
    address: str
    portal: Portal
    token: str
    second_token: str

    @property
    def home(self) -> str:
        """The portal, on another port of the same site: over plain http, cookies of other sites are not to be had."""
        return f"http://localhost:{self.portal.port}"

    def sign_in(self, page: Page, token: str) -> str:
        """Be signed in at the portal and return `session_state`; the page is then the portal's, with the frame."""
        page.context.add_cookies([{"name": "jingban_session", "value": token, "url": self.address}])
        query = urlencode(request_parameters(redirect_uri=f"{self.home}/callback", prompt="none"))
        page.goto(f"{self.address}/oidc/authorize?{query}")
        page.frame_locator("iframe").locator("html[data-cookie]").wait_for(state="attached")
        return dict(parse_qsl(urlsplit(page.url).query))["session_state"]

    def ask(self, page: Page, text: object) -> str:
        origin, answer = page.evaluate(ASK, [self.address, text])
        assert origin == self.address
        return str(answer)


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    port = free_port()
    address = f"http://localhost:{port}"
    app = make_app(migrated_sqlite_url, issuer=address)
    frame = f"<title>x</title><iframe src='{address}/oidc/check_session'></iframe>".encode()
    with portal() as listening, app.app_context():
        listening.answer = lambda _path: (200, {"Content-Type": "text/html"}, frame)
        plant_keys()
        rows.client(redirect_uris=[f"http://localhost:{listening.port}/callback"], consent_required=False)
        tokens = rows.signed_in(rows.person(1)), rows.signed_in(rows.person(2))
        server = make_server("127.0.0.1", port, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(address, listening, *tokens)
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_the_frame_answers(site: Site, page: Page) -> None:
    """§3.2, §3.3: unchanged, changed, error; and only to who may ask."""
    state = site.sign_in(page, site.token)
    assert site.ask(page, f"portal {state}") == "unchanged"
    assert site.ask(page, f"portal {state}") == "unchanged"
    assert site.ask(page, f"other {state}") == "changed"
    assert site.ask(page, f"portal {'0' * 64}.salt") == "changed"
    for nonsense in ("", "portal", state, "portal x", f"portal {state}.x", None, {"client_id": "portal"}, 1):
        assert site.ask(page, nonsense) == "error", nonsense


def test_another_sign_in_and_sign_out_are_noticed(site: Site, page: Page) -> None:
    before = site.sign_in(page, site.token)
    second = page.context.new_page()
    after = site.sign_in(second, site.second_token)
    assert site.ask(page, f"portal {before}") == "changed"
    assert site.ask(page, f"portal {after}") == "unchanged"
    second.goto(f"{site.address}/sign-out")
    second.get_by_role("button", name="退出登录").click()
    second.get_by_text("您已安全退出").first.wait_for()
    assert site.ask(page, f"portal {after}") == "changed"
