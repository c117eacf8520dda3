"""省统一身份认证 in a browser (F1, F4, P7): across two sites and back, by keyboard, accessible in both looks."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from idp.sessions import passwords
from tests.flows.beside_province import Site, in_both_looks, sign_in_there, site
from tests.support import codes, fictional, rows
from tests.support.accessibility import axe_check
from tests.support.upstreams import PERSON, UNIT

__all__ = ["site"]

PASSWORD = fictional.password()


def leave(page: Page, account: dict[str, str]) -> None:
    """Leave by the tile and sign in at the province."""
    page.get_by_role("link", name="省统一身份认证").click()
    expect(page.get_by_label("用户名")).to_be_visible()
    sign_in_there(page, account)


@in_both_looks
def test_a_first_login(site: Site, new_page: Callable[..., Page], look: dict[str, object]) -> None:
    """F1, P7."""
    page = new_page(reduced_motion="reduce", **look)
    page.goto(f"{site.url}/sign-in")
    axe_check(page)
    leave(page, PERSON)
    expect(page.get_by_role("heading", name="首次登录")).to_be_visible()
    axe_check(page)
    page.get_by_role("checkbox", name="我已阅读并同意").press("Space")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/account")
    page.goto(f"{site.url}/raise-level")
    axe_check(page)


@in_both_looks
def test_an_account_with_the_same_number(site: Site, new_page: Callable[..., Page], look: dict[str, object]) -> None:
    """DESIGN 6: the pages of proof, and of what falls."""
    with site.app.app_context():
        rows.person(real_name_level=1, password_hash=passwords.hash_password(PASSWORD))
    page = new_page(reduced_motion="reduce", **look)
    page.goto(f"{site.url}/sign-in")
    leave(page, PERSON)
    expect(page.get_by_role("heading", name="关联已有账号")).to_be_visible()
    axe_check(page)
    page.get_by_role("link", name="注销该账号，重新开始").click()
    expect(page.get_by_text("原账号将被注销")).to_be_visible()
    axe_check(page)
    page.go_back()
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/account")


@in_both_looks
def test_initialisation_of_a_unit(site: Site, new_page: Callable[..., Page], look: dict[str, object]) -> None:
    """F4."""
    with site.app.app_context():
        rows.person(3)
    page = new_page(reduced_motion="reduce", **look)
    page.goto(f"{site.url}/sign-in?tab=unit")
    leave(page, UNIT)
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
