"""Front-channel logout in a real browser, with real portals: told, gone on, and never held up by a dead one."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from idp.oidc.tokens import jws
from idp.sessions import browser_sessions, portal_sessions
from idp.settings import settings
from idp.store.db import transaction
from tests.oidc.servers import Portal, portal, raw_server
from tests.support import rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.ports import free_port
from tests.support.signing import plant_keys


@dataclass
class Site:
    """The provider, listening, with a person signed in at portals."""

    app: Flask
    address: str
    living: Portal
    token: str
    person: str
    sids: dict[str, str] = field(default_factory=dict)

    def at(self, client_id: str, port: int) -> None:
        """Let the person be signed in at a portal on this port."""
        place = f"http://127.0.0.1:{port}"
        more = {"frontchannel_logout_uri": f"{place}/out", "frontchannel_logout_session_required": True}
        after = [f"{place}/after"]
        rows.client(client_id, redirect_uris=[f"{place}/callback"], post_logout_redirect_uris=after, more=more)
        found = browser_sessions.find(self.token)
        assert found is not None
        with transaction() as session:
            self.sids[client_id] = portal_sessions.open_or_join(
                session, session_id=found.session_id, client_id=client_id, subject_id=self.person, unit_id=None
            )

    def request(self) -> str:
        """Return the address to which the living portal sends the browser to sign out."""
        claims = {"iss": settings().issuer, "aud": "living", "sub": self.person, "sid": self.sids["living"]}
        query: dict[str, Any] = {
            "id_token_hint": jws.sign(claims, alg="ES256", typ="JWT"),
            "post_logout_redirect_uri": f"http://127.0.0.1:{self.living.port}/after",
            "state": "s",
        }
        return f"{self.address}/oidc/end_session?{urlencode(query)}"

    def told(self) -> list[str]:
        return [path for _, path, _, _ in self.living.received if path.startswith("/out")]

    def visit(self, page: Page) -> Page:
        page.context.add_cookies([{"name": "jingban_session", "value": self.token, "url": self.address}])
        page.goto(self.request(), wait_until="commit")
        return page


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    port = free_port()
    address = f"http://localhost:{port}"
    app = make_app(migrated_sqlite_url, issuer=address)
    with portal() as living, app.app_context():
        living.answer = lambda _path: (200, {"Content-Type": "text/html"}, b"<title>x</title><p id=done>done")
        plant_keys()
        person = rows.person()
        site = Site(app, address, living, rows.signed_in(person), person)
        site.at("living", living.port)
        server = make_server("127.0.0.1", port, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield site
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_goes_on_when_every_portal_was_told(site: Site, page: Page) -> None:
    began = time.monotonic()
    expect(site.visit(page).locator("#done")).to_be_visible()
    assert time.monotonic() - began < 4  # nobody was waited for
    (path,) = site.told()
    assert path == f"/out?{urlencode({'iss': site.address, 'sid': site.sids['living']})}"
    assert page.url == f"http://127.0.0.1:{site.living.port}/after?state=s"


def _hang(_connection: socket.socket, over: threading.Event) -> None:
    over.wait(30)


def test_a_dead_portal_delays_nobody(site: Site, page: Page) -> None:
    """The living one is told meanwhile; after some seconds the page goes on without the dead one."""
    with raw_server(_hang) as port:
        site.at("dead", port)
        began = time.monotonic()
        site.visit(page)
        expect(page.get_by_role("link", name="立即返回")).to_be_visible()
        axe_check(page)
        expect(page.locator("#done")).to_be_visible()
        assert 2 < time.monotonic() - began < 9
    assert len(site.told()) == 1


def test_without_scripts_the_browser_goes_on_by_itself(site: Site, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    expect(site.visit(page).locator("#done")).to_be_visible(timeout=15_000)
    assert len(site.told()) == 1


def test_without_scripts_a_link_passes_by_a_dead_portal(site: Site, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    with raw_server(_hang) as port:
        site.at("dead", port)
        site.visit(page).get_by_role("link", name="立即返回").click(no_wait_after=True)
        expect(page.locator("#done")).to_be_visible()


@pytest.mark.browser_errors("Unsafe attempt to initiate navigation", "does not have permission to navigate")
def test_a_portal_cannot_lead_the_browser_away(site: Site, page: Page) -> None:
    """The frames are sandboxed: a portal's page signs its own user out, and that is all."""
    script = b"<title>x</title><script>top.location = 'https://evil.example/'</script>"
    answer = site.living.answer
    site.living.answer = lambda path: (
        (200, {"Content-Type": "text/html"}, script) if path.startswith("/out") else answer(path)
    )
    expect(site.visit(page).locator("#done")).to_be_visible()
    assert page.url.startswith(f"http://127.0.0.1:{site.living.port}/after")
