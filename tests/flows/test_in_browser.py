"""The way of a person in a browser: registration, sign-in, UnionPay, devices, signing out; all pages accessible."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sandbox import sms_gateway, unionpay
from sandbox.serving import Server
from tests.sandbox.client import Client
from tests.support import fictional
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.browser import PHONE

PASSWORD = fictional.password()


@dataclass
class Site:
    """The provider with its outside world, served for real."""

    url: str
    sms: Client

    def code(self) -> str:
        """Return the newest code that arrived."""
        messages: list[dict[str, Any]] = self.sms.request("GET", "/sms/messages").json()
        return str(messages[0]["code"])


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Site]:
    holder = {
        "name": fictional.person_name(),
        "document_type": "resident_id",
        "document_number": fictional.resident_id(),
        "card_number": fictional.bank_card(),
        "phone": fictional.mobile(7),
    }
    with (
        Server(sms_gateway.create_app("sms-key")) as sms,
        Server(unionpay.create_app("unionpay-key", [holder])) as bank,
    ):
        outside = {"sms_url": sms.url, "sms_key": "sms-key", "unionpay_url": bank.url, "unionpay_key": "unionpay-key"}
        with Server(make_app(migrated_sqlite_url, **outside)) as provider:
            yield Site(provider.url, Client(sms.url))


def register(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/register/person")
    page.get_by_label("证件号码").fill(fictional.resident_id())
    page.get_by_label("姓名").fill(fictional.person_name())
    page.get_by_label("手机号").fill("13800138000")
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证码已发送至 138****8000")).to_be_visible()
    expect(page.get_by_label("短信验证码")).to_be_focused()
    axe_check(page)
    page.get_by_label("短信验证码").fill(site.code())
    page.get_by_label("用户名").fill("user_0000")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("确认密码").fill(PASSWORD)
    page.get_by_label("我已阅读并同意").check()
    page.get_by_role("button", name="注册", exact=True).click()
    expect(page.get_by_role("heading", name="注册成功")).to_be_visible()
    axe_check(page)


def sign_in(page: Page, site: Site, password: str = PASSWORD) -> None:
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("手机号 / 身份证号 / 用户名").fill("13800138000")
    page.get_by_label("密码", exact=True).fill(password)
    page.keyboard.press("Enter")


def test_from_registration_to_signing_out(page: Page, site: Site) -> None:
    """P1, P6, P8 on the desktop."""
    register(page, site)
    page.get_by_role("link", name="去登录").click()
    axe_check(page)
    sign_in(page, site, "Wrong-Owl0000")
    expect(page.get_by_text("用户名或密码错误，还可尝试 4 次")).to_be_visible()
    axe_check(page)
    sign_in(page, site)
    expect(page.get_by_role("heading", name="个人资料")).to_be_visible()
    axe_check(page)
    page.get_by_role("link", name="实名等级").first.click()
    axe_check(page)
    page.get_by_role("link", name="银联实名认证").click()
    axe_check(page)
    page.get_by_label("银行卡号").fill(fictional.bank_card())
    page.get_by_label("银行预留手机号").fill("13800138007")
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证码已发送至 138****8007")).to_be_visible()
    page.get_by_label("短信验证码").fill(site.code())
    page.keyboard.press("Enter")
    expect(page.get_by_text("实名认证成功，您已达到二级实名")).to_be_visible()
    page.get_by_role("link", name="登录设备").click()
    expect(page.get_by_role("heading", name="Chrome · Linux")).to_be_visible()
    axe_check(page)
    page.get_by_role("banner").get_by_role("link", name="退出").click()
    axe_check(page)
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="您已安全退出")).to_be_visible()
    page.goto(f"{site.url}/account")
    expect(page).to_have_url(f"{site.url}/sign-in?next=/account")


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in?tab=unit",
        "/register/person",
        "/help",
        "/recover",
        "/terms",
        "/privacy",
        "/nowhere",
        "/register/person/done",
    ],
)
def test_pages_for_anyone_are_accessible_on_the_phone(site: Site, new_page: Any, path: str) -> None:
    page: Page = new_page(viewport=PHONE)
    page.goto(site.url + path)
    axe_check(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"


def test_errors_are_summed_up_and_focused(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/register/person")
    page.get_by_role("button", name="注册", exact=True).click()
    expect(page.get_by_role("heading", name="提交的信息有误，请检查以下内容")).to_be_visible()
    expect(page).to_have_title(re.compile("^错误："))
    axe_check(page)


def test_the_way_works_without_scripts(site: Site, new_page: Any) -> None:
    """DESIGN 3: pages work without JavaScript."""
    page: Page = new_page(java_script_enabled=False)
    page.goto(f"{site.url}/register/person")
    page.get_by_label("手机号").fill("13800138000")
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证码已发送至 138****8000")).to_be_visible()
    assert len(site.code()) == 6
