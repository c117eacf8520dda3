"""Levels across two sites in a browser (F2, F3, F5): from a portal to the province, up, and back to the portal."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from idp.sessions import passwords
from tests.flows.beside_province import Site, in_both_looks, sign_in_there, site
from tests.support import fictional, rows
from tests.support.accessibility import axe_check
from tests.support.upstreams import UNIT

__all__ = ["site"]

PASSWORD = fictional.password()


@in_both_looks
def test_a_unit_is_lifted_over_there(
    site: Site, callback: str, new_page: Callable[..., Page], look: dict[str, object]
) -> None:
    """F2, F3: 四级 is L2, the portal takes L3; [确认], 五级 at a counter, and the portal hears of L3."""
    with site.app.app_context():
        rows.client(redirect_uris=[callback], consent_required=False, allows_unit_accounts=True, min_unit_level=3)
        rows.unit(password_hash=passwords.hash_password(PASSWORD))
    page = new_page(reduced_motion="reduce", **look)
    site.from_portal(page, callback)
    page.get_by_role("link", name="单位登录").click()
    page.get_by_role("link", name="省统一身份认证").click()
    sign_in_there(page, UNIT)
    page.get_by_label("密码", exact=True).fill(PASSWORD)  # the unit was here before: its account is linked once
    page.keyboard.press("Enter")
    expect(
        page.get_by_text(
            "当前省统一身份认证用户实名等级不足，单位用户最低实名等级为“L3”级，请点击[确认]按钮按照引导提升实名等级"
        )
    ).to_be_visible()
    axe_check(page)
    page.get_by_role("link", name="确认").click()
    page.get_by_label("服务窗口核验").check()
    page.get_by_role("button").first.click()
    sign_in_there(page, UNIT)  # the level is what the province says at a sign-in, so it asks once more
    expect(page.get_by_text("at the portal")).to_be_visible()
    assert site.granted().acr == "urn:jingban:acr:L3"


@in_both_looks
def test_an_organisation_code_is_not_enough(
    site: Site, callback: str, new_page: Callable[..., Page], look: dict[str, object]
) -> None:
    """F5: the sentence, and 【重新登录】 with another account leads to where it was."""
    with site.app.app_context():
        rows.client(redirect_uris=[callback], consent_required=False, allows_unit_accounts=True, uscc_only=True)
        code = rows.unit(
            3,
            document_type="org_code",
            document_number=fictional.org_code(3),
            password_hash=passwords.hash_password(PASSWORD),
        )
        uscc = rows.unit(4, password_hash=passwords.hash_password(PASSWORD))
    page = new_page(reduced_motion="reduce", **look)
    site.from_portal(page, callback)
    for unit_id, number in ((code, fictional.org_code(3)), (uscc, fictional.uscc(4))):
        page.get_by_role("link", name="单位登录").click()
        page.wait_for_url("**tab=unit**")
        page.locator("[name=username]").fill(number)
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        if unit_id == code:
            expect(page.get_by_text("请使用统一社会信用代码注册的账号登录办理业务")).to_be_visible()
            axe_check(page)
            page.get_by_role("link", name="重新登录").click()
    expect(page.get_by_text("at the portal")).to_be_visible()
    assert site.granted().subject_id == uscc
