"""省统一身份认证 in a browser (F1, F4, P7): across two sites and back, by keyboard, accessible in both looks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from idp.sessions import passwords
from sandbox.serving import Server
from tests.support import codes, fictional, rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.browser import DESKTOP, PHONE
from tests.support.ports import free_port
from tests.support.upstreams import PERSON, UNIT, stand_in

PASSWORD = fictional.password()
LOOKS = ({"color_scheme": "light", "viewport": DESKTOP}, {"color_scheme": "dark", "viewport": PHONE})


@dataclass
class Site:
    """The provider, served for real beside the province, and its database."""

    url: str
    app: Flask


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    with stand_in() as there:
        port = free_port()
        issuer = f"http://localhost:{port}"
        app = make_app(migrated_sqlite_url, issuer=issuer, upstreams=(there.setting(),))
        with Server(app, port):
            yield Site(issuer, app)


def sign_in_there(page: Page, account: dict[str, str], tab: str) -> None:
    """Leave by the tile and sign in at the province."""
    page.get_by_role("link", name="省统一身份认证").click()
    expect(page.get_by_label("用户名")).to_be_visible()
    if tab == "unit":
        page.get_by_role("link", name="法人登录").click()
    page.get_by_label("用户名").fill(account["login"])
    page.get_by_label("密码").fill(account["password"])
    page.keyboard.press("Enter")


@pytest.mark.parametrize("look", LOOKS, ids=["desktop", "phone"])
def test_a_first_login(site: Site, new_page: Callable[..., Page], look: dict[str, object]) -> None:
    """F1, P7."""
    page = new_page(reduced_motion="reduce", **look)
    page.goto(f"{site.url}/sign-in")
    axe_check(page)
    sign_in_there(page, PERSON, "person")
    expect(page.get_by_role("heading", name="首次登录")).to_be_visible()
    axe_check(page)
    page.get_by_role("checkbox", name="我已阅读并同意").press("Space")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/account")
    page.goto(f"{site.url}/raise-level")
    axe_check(page)


@pytest.mark.parametrize("look", LOOKS, ids=["desktop", "phone"])
def test_an_account_with_the_same_number(site: Site, new_page: Callable[..., Page], look: dict[str, object]) -> None:
    """DESIGN 6: the pages of proof, and of what falls."""
    with site.app.app_context():
        rows.person(real_name_level=1, password_hash=passwords.hash_password(PASSWORD))
    page = new_page(reduced_motion="reduce", **look)
    page.goto(f"{site.url}/sign-in")
    sign_in_there(page, PERSON, "person")
    expect(page.get_by_role("heading", name="关联已有账号")).to_be_visible()
    axe_check(page)
    page.get_by_role("link", name="注销该账号，重新开始").click()
    expect(page.get_by_text("原账号将被注销")).to_be_visible()
    axe_check(page)
    page.go_back()
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/account")


@pytest.mark.parametrize("look", LOOKS, ids=["desktop", "phone"])
def test_initialisation_of_a_unit(site: Site, new_page: Callable[..., Page], look: dict[str, object]) -> None:
    """F4."""
    with site.app.app_context():
        rows.person(3)
    page = new_page(reduced_motion="reduce", **look)
    page.goto(f"{site.url}/sign-in?tab=unit")
    sign_in_there(page, UNIT, "unit")
    expect(page.get_by_role("heading", name="登录初始化")).to_be_visible()
    axe_check(page)
    page.get_by_label("经办人员用户名").fill(fictional.login_name(3))
    page.get_by_label("经办人员证件号码").fill(fictional.resident_id(3))
    page.keyboard.press("Enter")
    expect(page.get_by_text(fictional.unit_name(1))).to_be_visible()
    axe_check(page)
    for name, code in (("province", "440000"), ("city", "440700"), ("district", rows.SEAT)):
        page.locator(f"[name={name}]").select_option(code)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_label("短信验证码")).to_be_focused()
    with site.app.app_context():
        page.keyboard.type(codes.sent_to(fictional.mobile(3))[-1])
    page.locator("[name=username]").fill("unit_from_there")
    for name in ("password", "password_again"):
        page.locator(f"[name={name}]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/unit")
    axe_check(page)
