"""Passkeys in Chromium with its virtual authenticator (WebAuthn §11): added, to sign in, as a further factor."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pyotp
import pytest
from flask import Flask
from playwright.sync_api import CDPSession, Page, expect

from idp.notify import worker
from sandbox import sms_gateway
from sandbox.serving import Server
from tests.factors.sessions import start
from tests.flows.authorizing import parameters
from tests.sandbox.client import Client
from tests.support import qr, rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.ports import free_port


@dataclass
class Site:
    """The provider under a name, for passkeys are bound to one, with an SMS gateway."""

    url: str
    app: Flask
    sms: Client

    def texts(self) -> list[str]:
        """Let what waits be delivered, and return the SMS that arrived, the newest first."""
        with self.app.app_context():
            while worker.deliver_one():
                pass
        messages: list[dict[str, Any]] = self.sms.request("GET", "/sms/messages").json()
        return [str(message["text"]) for message in messages]

    def sign_in(self, page: Page, person_id: str, *amr: str) -> None:
        with self.app.app_context():
            token = start(person_id, *amr)
        page.context.add_cookies([{"name": "jingban_session", "value": token, "url": self.url}])


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    port = free_port()
    url = f"http://localhost:{port}"
    with Server(sms_gateway.create_app("sms-key")) as sms:
        app = make_app(migrated_sqlite_url, issuer=url, sms_url=sms.url, sms_key="sms-key")
        with Server(app, port):
            yield Site(url, app, Client(sms.url))


class Device:
    """The authenticator of a page: a phone or laptop that unlocks with a finger."""

    def __init__(self, page: Page) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def recognises(self, *, its_owner: bool) -> None:
        """Let the finger be the owner's, or not."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": its_owner})

    def passkeys(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found


def add_passkey(page: Page, site: Site, person_id: str) -> None:
    site.sign_in(page, person_id, "pwd", "sms")
    page.goto(f"{site.url}/account/security")
    page.get_by_role("link", name="添加通行密钥").click()
    page.get_by_label("名称").fill("我的手机")
    axe_check(page)
    page.get_by_role("button", name="添加通行密钥").click()
    expect(page.get_by_text("通行密钥已添加")).to_be_visible()
    expect(page.get_by_role("heading", name="我的手机")).to_be_visible()


def demand_readable_app(page: Page, site: Site) -> None:
    """Demand that the QR code of the authenticator app holds the key that the page shows, and names the account."""
    page.goto(f"{site.url}/account/security/totp")
    scanned = qr.read(page.get_by_role("img", name="添加身份验证器的二维码"))
    assert scanned == page.get_by_role("link", name="在本机的身份验证器应用中打开").get_attribute("href")
    app = pyotp.parse_uri(scanned)
    assert app.secret == page.locator("#totp-secret").inner_text().replace(" ", "")
    assert (app.name, app.issuer) == ("user_0000", "统一身份认证平台")


def test_added_and_used_to_sign_in_without_a_name(page: Page, site: Site) -> None:
    """P8: the passkey is discoverable, so the browser knows whose account it is."""
    device = Device(page)
    with site.app.app_context():
        person_id = rows.person()
    add_passkey(page, site, person_id)
    [passkey] = device.passkeys()
    assert passkey["isResidentCredential"]
    assert passkey["rpId"] == "localhost"
    assert "您的账号刚刚添加了通行密钥" in site.texts()[0]
    demand_readable_app(page, site)
    page.context.clear_cookies()
    page.goto(f"{site.url}/sign-in")
    page.get_by_role("link", name="通行密钥").click()
    axe_check(page)
    page.get_by_role("button", name="使用通行密钥登录").click()
    expect(page).to_have_url(f"{site.url}/account")
    expect(page.get_by_text("user_0000").first).to_be_visible()


def test_somebody_else_at_the_device_is_told_and_can_go_another_way(page: Page, site: Site) -> None:
    """The user is verified, always; without that the page says so and leads on."""
    device = Device(page)
    with site.app.app_context():
        person_id = rows.person()
    add_passkey(page, site, person_id)
    page.context.clear_cookies()
    page.goto(f"{site.url}/sign-in/passkey")
    device.recognises(its_owner=False)
    page.get_by_role("button", name="使用通行密钥登录").click()
    expect(page.get_by_text("未能使用通行密钥")).to_be_visible()
    device.recognises(its_owner=True)
    page.get_by_role("button", name="使用通行密钥登录").click()
    expect(page).to_have_url(f"{site.url}/account")


def test_a_further_factor_on_the_way_to_a_portal(page: Page, site: Site, callback: str) -> None:
    """F6: back into the same interaction, and from there to the portal."""
    Device(page)
    with site.app.app_context():
        person_id = rows.person(real_name_level=3)
        rows.client(redirect_uris=[callback], consent_required=False, min_person_level=2)
    add_passkey(page, site, person_id)
    page.context.clear_cookies()
    site.sign_in(page, person_id, "pwd")
    page.goto(f"{site.url}/oidc/authorize?{urlencode(parameters(redirect_uri=callback))}")
    axe_check(page)
    page.get_by_role("link", name="通行密钥").click()
    axe_check(page)
    page.get_by_role("button", name="使用通行密钥验证").click()
    expect(page.get_by_text("at the portal")).to_be_visible()
    assert "code=" in page.url
