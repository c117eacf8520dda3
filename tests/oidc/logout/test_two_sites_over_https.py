"""Session management and front-channel logout as in service: by https, the portal on another site than the provider.

Over plain http, browsers keep the cookies of frames to one site; what `SameSite=None; Secure` and the `__Host-` prefix
do is to be seen here only. `localhost` and `127.0.0.1` are two sites.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.oidc.authorize.browser import request_parameters
from tests.oidc.logout.test_check_session_in_a_browser import ASK
from tests.oidc.servers import Portal, portal, tls_for
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.ports import free_port
from tests.support.processes import until
from tests.support.signing import plant_keys

OWN = "portal_session=p; Path=/; Secure; HttpOnly; SameSite=None"


@dataclass
class Sites:
    """The provider at https://localhost, a portal at https://127.0.0.1, and the token of somebody's sign-in."""

    provider: str
    listening: Portal
    token: str

    @property
    def portal(self) -> str:
        return f"https://127.0.0.1:{self.listening.port}"

    def sign_in(self, page: Page) -> str:
        """Be signed in at the portal, whose page is open then with the provider's frame; return `session_state`."""
        cookie = {"name": "__Host-jingban_session", "value": self.token, "url": self.provider, "secure": True}
        page.context.add_cookies([cookie])
        query = urlencode(request_parameters(redirect_uri=f"{self.portal}/callback", prompt="none"))
        page.goto(f"{self.provider}/oidc/authorize?{query}")
        page.frame_locator("iframe").locator("html[data-cookie]").wait_for(state="attached")
        return dict(parse_qsl(urlsplit(page.url).query))["session_state"]

    def ask(self, page: Page, state: str) -> str:
        """Ask the frame in the portal's page."""
        origin, answer = page.evaluate(ASK, [self.provider, f"portal {state}"])
        assert origin == self.provider
        return str(answer)


@pytest.fixture
def sites(make_app: MakeApp, migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Sites]:
    port = free_port()
    provider = f"https://localhost:{port}"
    app = make_app(migrated_sqlite_url, issuer=provider)
    tls, _ = tls_for("localhost", tmp_path)
    frame = f"<title>x</title><p id=here>x</p><iframe src='{provider}/oidc/check_session'></iframe>".encode()
    with portal(tls) as listening, app.app_context():
        listening.answer = lambda _path: (200, {"Content-Type": "text/html", "Set-Cookie": OWN}, frame)
        plant_keys()
        home = f"https://127.0.0.1:{listening.port}"
        more = {"frontchannel_logout_uri": f"{home}/out", "frontchannel_logout_session_required": True}
        rows.client(redirect_uris=[f"{home}/callback"], consent_required=False, more=more)
        server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=tls)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Sites(provider, listening, rows.signed_in(rows.person()))
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def lenient(new_page: Callable[..., Page]) -> Page:
    """A browser that lets frames of other sites have their cookies, as Chrome does by default."""
    return new_page(ignore_https_errors=True)


@pytest.fixture
def strict(new_page: Callable[..., Page]) -> Page:
    """A browser that keeps cookies from the frames of other sites, as Debian's Chromium on a desk does by default."""
    page = new_page(ignore_https_errors=True)
    exceptions = {"disableThirdPartyCookieMetadata": True, "disableThirdPartyCookieHeuristics": True}
    cdp = page.context.new_cdp_session(page)
    cdp.send("Network.enable")
    cdp.send("Network.setCookieControls", {"enableThirdPartyCookieRestriction": True, **exceptions})
    return page


def sign_out(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.provider}/sign-out")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="您已安全退出")).to_be_visible()


def told_in_a_frame(sites: Sites) -> tuple[dict[str, str], str | None]:
    """Return what the portal was told, once, and the cookie that came with it."""
    until(lambda: any(path.startswith("/out") for _, path, _, _ in sites.listening.received))
    [(_, path, headers, _)] = [each for each in sites.listening.received if each[1].startswith("/out")]
    return dict(parse_qsl(urlsplit(path).query)), headers.get("Cookie")


def test_where_frames_have_cookies(sites: Sites, lenient: Page) -> None:
    """Session Management §3.2: unchanged while signed in, changed after signing out in another tab.

    Front-Channel Logout §2: the portal is told in a frame, with its own cookie.
    """
    state = sites.sign_in(lenient)
    [cookie] = [each for each in lenient.context.cookies() if each["name"] == "__Host-jingban_op_state"]
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("None", True, False)
    assert sites.ask(lenient, state) == "unchanged"
    sign_out(lenient.context.new_page(), sites)
    assert sites.ask(lenient, state) == "changed"
    told, own_cookie = told_in_a_frame(sites)
    assert (told["iss"], own_cookie) == (sites.provider, "portal_session=p")


def test_where_they_have_none(sites: Sites, strict: Page) -> None:
    """The frame sees no sign-in, so the portal asks with prompt=none; a logout names the session by `sid`."""
    state = sites.sign_in(strict)
    assert sites.ask(strict, state) == "changed"
    sign_out(strict, sites)
    told, own_cookie = told_in_a_frame(sites)
    assert set(told) == {"iss", "sid"}
    assert own_cookie is None
    assert not {"__Host-jingban_session", "__Host-jingban_op_state"} & {c["name"] for c in strict.context.cookies()}
