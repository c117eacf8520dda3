"""The device flow in a real browser, with scripts and without: forms lead where the policy lets them."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from idp.sessions import passwords
from tests.oidc.device.scene import GRANTS, SCOPES
from tests.oidc.portal import Portal, body_of, claims_in
from tests.support import fictional, rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.browser import PHONE
from tests.support.ports import free_port
from tests.support.signing import plant_keys


@dataclass
class Site:
    """The provider, listening; a client for devices; an agent and the unit that granted a business."""

    address: str
    portal: Portal
    unit: str


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    port = free_port()
    address = f"http://localhost:{port}"
    app = make_app(migrated_sqlite_url, issuer=address)
    with app.app_context():
        plant_keys()
        portal = Portal.registered(app, client_name="招聘大屏", grant_types=GRANTS, scopes=SCOPES)
        rows.business("rec.position", name="招聘职位管理", description="发布和下架职位")
        person = rows.person(0, password_hash=passwords.hash_password(fictional.password()))
        unit = rows.unit(1)
        rows.grant(rows.binding(unit, person), "rec.position")
        server = make_server("127.0.0.1", port, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(address, portal, unit)
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_the_qr_code_to_the_tokens(site: Site, new_page: Callable[..., Page], *, scripts: bool) -> None:
    """RFC 8628 §3.3.1: scan, send, sign in, choose, look at it, agree."""
    asked = body_of(site.portal.post("/oidc/device_authorization", {"scope": "openid rec.position"}))
    page = new_page(java_script_enabled=scripts, viewport=PHONE)
    page.goto(asked["verification_uri_complete"])
    expect(page.get_by_label("设备上显示的代码")).to_have_value(asked["user_code"])
    page.get_by_role("button", name="继续").click()
    page.locator("[name=username]").fill(fictional.login_name(0))
    page.locator("[name=password]").fill(fictional.password())
    page.locator("main button[type=submit]").last.click()
    page.locator(f"[name=unit][value={site.unit}]").check(force=True)
    page.locator("main form:has([name=unit]) button[type=submit]").first.click()
    expect(page.get_by_text(asked["user_code"])).to_be_visible()
    expect(page.get_by_text("请确认设备就在您身边")).to_be_visible()
    if scripts:
        axe_check(page)
    page.get_by_role("button", name="同意并继续").click()
    expect(page.get_by_role("heading", name="设备已登录")).to_be_visible()
    form = {"grant_type": GRANTS[-1], "device_code": asked["device_code"]}
    tokens = body_of(site.portal.post("/oidc/token", form))
    assert claims_in(tokens["id_token"])["acting_for"]["sub"] == site.unit
