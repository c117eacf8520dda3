"""The province's pages, as people see them: sign-in, QR code, phone, levels (F1, F3, P7)."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.sandbox.client import Client
from tests.sandbox.province import PERSON, SSO_AUTHORIZE, UNIT, sso_query, user_object
from tests.support.accessibility import axe_check
from tests.support.browser import DESKTOP, PHONE


def address(client: Client, **changes: str) -> str:
    """Return the address of the sign-in page; the answer goes to the page of accounts."""
    query = sso_query(redirect_uri=client.url + "/") | changes
    return f"{client.url}{SSO_AUTHORIZE}?{urlencode(query)}"


def upgrade(client: Client) -> str:
    return f"{client.url}/upgrade?{urlencode({'redirect_uri': client.url + '/?state=1'})}"


def type_credentials(page: Page, account: dict[str, object]) -> None:
    page.get_by_label("用户名").fill(str(account["login"]))
    page.get_by_label("密码").fill(str(account["password"]))
    page.get_by_role("button", name="登录", exact=True).click()


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_every_page_is_accessible_and_says_what_it_is(
    upstream: Client, new_page: Callable[..., Page], viewport: dict[str, int], scheme: str
) -> None:
    page = new_page(viewport=viewport, color_scheme=scheme)
    for where in (
        upstream.url,
        address(upstream),
        address(upstream, tab="legal", way="scan"),
        address(upstream, client_id="stranger"),
        upgrade(upstream),
    ):
        page.goto(where)
        expect(page.get_by_role("note")).to_contain_text("演示用省统一身份认证")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
        axe_check(page)


def test_tabs_lead_to_the_legal_entities_form(upstream: Client, new_page: Callable[..., Page]) -> None:
    """F1"""
    page = new_page(java_script_enabled=False)
    page.goto(address(upstream))
    page.get_by_role("link", name="法人登录").click()
    type_credentials(page, PERSON)
    expect(page.get_by_role("alert")).to_have_text("用户名或密码不正确")
    expect(page.get_by_label("用户名")).to_have_value(str(PERSON["login"]))
    type_credentials(page, UNIT)
    page.wait_for_url("**/?code=*")


def test_the_desktop_follows_the_phone_by_itself(upstream: Client, new_page: Callable[..., Page]) -> None:
    """P7"""
    desktop, phone = new_page(), new_page(viewport=PHONE)
    desktop.goto(address(upstream))
    desktop.get_by_role("link", name="扫码登录").click()
    expect(desktop.get_by_role("img", name="登录二维码")).to_be_visible()
    phone.goto(str(desktop.get_by_role("link", name="没有手机").get_attribute("href")))
    axe_check(phone)
    expect(desktop.get_by_role("status")).to_have_text("已扫码，请在手机上确认")
    type_credentials(phone, PERSON)
    expect(phone.locator("dl")).to_contain_text("经办")
    expect(phone.locator("dl")).to_contain_text("Chrome，Linux")
    expect(phone.locator("dl")).to_contain_text(str(PERSON["name"]))
    axe_check(phone)
    phone.get_by_role("button", name="确认登录").click()
    expect(phone.get_by_text("登录已确认")).to_be_visible()
    desktop.wait_for_url("**/?code=*")


def test_without_scripts_a_button_goes_on(upstream: Client, new_page: Callable[..., Page]) -> None:
    """P7"""
    desktop, phone = (new_page(java_script_enabled=False) for _ in range(2))
    desktop.goto(address(upstream, tab="legal", way="scan"))
    phone.goto(str(desktop.get_by_role("link", name="没有手机").get_attribute("href")))
    type_credentials(phone, UNIT)
    desktop.get_by_role("button", name="我已在手机上确认").click()
    expect(desktop.get_by_role("alert")).to_contain_text("手机上还没有确认")
    phone.get_by_role("button", name="确认登录").click()
    desktop.get_by_role("button", name="我已在手机上确认").click()
    desktop.wait_for_url("**/?code=*")


def test_a_refusal_is_said_on_the_desktop(upstream: Client, new_page: Callable[..., Page]) -> None:
    desktop, phone = new_page(), new_page(viewport=PHONE)
    desktop.goto(address(upstream, way="scan"))
    phone.goto(str(desktop.get_by_role("link", name="没有手机").get_attribute("href")))
    type_credentials(phone, PERSON)
    phone.get_by_role("button", name="取消").click()
    expect(desktop.get_by_role("status")).to_have_text("手机上取消了登录，请换一个二维码")
    desktop.get_by_role("link", name="换一个二维码").click()
    expect(desktop.get_by_role("status")).to_have_text("手机确认后，本页自动继续")


def test_a_level_is_raised_and_leads_back(upstream: Client, page: Page) -> None:
    """F2, F3: electronic licence gives L2; what is reached already cannot be chosen."""
    upstream.put("/legal-entities/u-0001", UNIT | {"level": "L1", "level_way": "register_check"})
    page.goto(upgrade(upstream))
    page.get_by_role("link", name="法人登录").click()
    type_credentials(page, UNIT)
    expect(page.locator("dl")).to_contain_text("三级（L1）")
    expect(page.get_by_label("法人基础库核验")).to_be_disabled()
    axe_check(page)
    page.get_by_label("电子营业执照核验").check()
    page.get_by_role("button", name="完成核验").click()
    page.wait_for_url("**/?state=1")
    found = user_object(upstream, UNIT)
    assert (found["creditable_level_of_account"], found["creditable_level_of_account_way"]) == (
        "L2",
        "electronic_licence",
    )
    assert found["creditable_level_of_account_time"] > "2026-03-02 08:00:00"


def test_who_just_signed_in_for_a_client_raises_a_level_without_doing_so_again(upstream: Client, page: Page) -> None:
    """F3"""
    page.goto(address(upstream))
    type_credentials(page, PERSON)
    page.wait_for_url("**/?code=*")
    page.goto(upgrade(upstream))
    expect(page.locator("dl")).to_contain_text(str(PERSON["name"]))
    page.get_by_label("服务窗口核验").check()
    page.get_by_role("button", name="完成核验").click()
    page.wait_for_url("**/?state=1")
    page.goto(address(upstream))
    expect(page.get_by_label("用户名")).to_be_visible()
    assert user_object(upstream)["creditable_level_of_account"] == "L3"


def test_whoever_stays_as_they_are_may_go_back(upstream: Client, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(upgrade(upstream))
    type_credentials(page, PERSON | {"password": "wrong"})
    expect(page.get_by_role("alert")).to_have_text("用户名或密码不正确")
    type_credentials(page, PERSON)
    page.get_by_role("link", name="暂不提升，返回").click()
    page.wait_for_url("**/?state=1")
    assert user_object(upstream)["creditable_level_of_account"] == "L2"


def test_the_upgrade_leads_to_registered_addresses_only(upstream: Client) -> None:
    for redirect_uri in ("https://elsewhere.example/", "javascript:alert(1)", ""):
        for method, path in (("GET", "/upgrade"), ("POST", "/upgrade"), ("POST", "/upgrade/sign-in")):
            query = {"redirect_uri": redirect_uri}
            assert upstream.request(method, path, None, params=query, allow_redirects=False).status_code == 400


def test_a_check_that_there_is_not_raises_nothing(upstream: Client) -> None:
    query = {"redirect_uri": upstream.url + "/"}
    typed = {"tab": "person", "username": PERSON["login"], "password": PERSON["password"]}
    assert upstream.request("POST", "/upgrade/sign-in", None, params=query, data=typed).status_code == 200
    for way, status in (("electronic_licence", 400), ("", 400), ("register_check", 303)):
        answer = upstream.request("POST", "/upgrade", None, params=query, data={"way": way}, allow_redirects=False)
        assert answer.status_code == status
    assert user_object(upstream)["creditable_level_of_account"] == "L2", "a level is not lowered"


def test_the_social_card_has_its_own_name_and_no_tabs(social_card: Client, page: Page) -> None:
    """P7"""
    page.goto(address(social_card))
    expect(page.get_by_role("note")).to_contain_text("演示用电子社保卡")
    expect(page.get_by_role("link", name="法人登录")).to_have_count(0)
    axe_check(page)
    type_credentials(page, PERSON)
    page.wait_for_url("**/?code=*")


def test_the_policy_allows_nothing_inline(upstream: Client) -> None:
    headers = upstream.get("/", key=None).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
