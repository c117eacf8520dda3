"""扫码登录 in two browsers (P7): the page at the desk follows what happens on the phone by itself."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from sandbox.serving import Server
from tests.factors.sessions import start
from tests.support import qr, rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.browser import PHONE
from tests.support.ports import free_port


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[tuple[str, Flask]]:
    port = free_port()
    url = f"http://localhost:{port}"
    app = make_app(migrated_sqlite_url, issuer=url)
    with Server(app, port):
        yield url, app


def scanned(desk: Page) -> str:
    """Return what a camera reads off the desk's page."""
    return qr.read(desk.get_by_role("img", name="登录二维码"))


def test_from_the_code_to_the_account(site: tuple[str, Flask], new_page: Callable[..., Page]) -> None:
    url, app = site
    with app.app_context():
        token = start(rows.person())
    desk = new_page(reduced_motion="reduce")
    phone = new_page(reduced_motion="reduce", color_scheme="dark", viewport=PHONE)
    phone.context.add_cookies([{"name": "jingban_session", "value": token, "url": url}])

    desk.goto(f"{url}/sign-in")
    desk.get_by_role("link", name="扫码登录").press("Enter")
    expect(desk.get_by_role("img", name="登录二维码")).to_be_visible()
    axe_check(desk)
    address = scanned(desk)
    assert re.fullmatch(rf"{url}/scan/[A-Z]{{5}}-[A-Z]{{5}}", address), "the ticket, and nothing that opens anything"
    assert address == desk.locator(".scan__address").inner_text()
    phone.goto(address)
    axe_check(phone)
    number = desk.locator(".scan__number")
    expect(number).to_be_visible()  # by itself
    axe_check(desk)
    phone.get_by_label("屏幕上显示的两位数字").fill(number.inner_text())
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="已确认登录")).to_be_visible()
    axe_check(phone)
    expect(desk).to_have_url(f"{url}/account")  # by itself

    again = new_page(reduced_motion="reduce", color_scheme="dark", viewport=PHONE)
    again.goto(f"{url}/sign-in/scan")
    phone.goto(scanned(again))  # in the dark scheme, and small, cameras read it too
    phone.get_by_role("button", name="拒绝").click()
    expect(again.get_by_text("已在手机上拒绝")).to_be_visible()
    axe_check(again)
    again.get_by_role("link", name="刷新二维码").click()
    expect(again.get_by_role("img", name="登录二维码")).to_be_visible()
