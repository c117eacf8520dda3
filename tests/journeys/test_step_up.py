"""What a sign-in lacks is made up for on the way (C5, F6): a portal's step-up, a grant that a unit is asked for."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import expect
from sqlalchemy import update

from idp.delegation import unit_verification
from idp.delegation.model import Business
from idp.store.db import transaction
from tests.journeys import pages, portal
from tests.journeys.conftest import OpenWindow
from tests.journeys.pages import cannot_choose, choose_unit
from tests.journeys.test_portal import BOTH, in_center
from tests.journeys.window import Window
from tests.journeys.world import Company, Someone, World
from tests.recruitment.values import COMPANY

L2 = "urn:jingban:acr:L2"
NEW = {"contact_phone": "020-81111111", "introduction": "改写过的单位简介，不应在途中丢失。"}


def patch(window: Window, unit: Company) -> requests.Response:
    """Change the contact by the portal's API, with a token of this browser's session."""
    token = portal.tokens(window, unit).answer["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    phone = {"contact_phone": "020-82222222"}
    return requests.patch(f"{window.portal}/api/company", json=phone, headers=headers, timeout=10)


def by_sms(window: Window, who: Someone) -> None:
    """Choose a code by SMS on the page that asks for more, and type it."""
    window.is_at("/raise-level")
    window.follow("短信验证码")
    window.is_at("/step-up/sms")
    window.fill(code=pages.ask_for_code(window, who.phone))
    window.press("验证")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_contact_is_changed_after_a_step_up(open_window: OpenWindow, world: World, scripts: bool) -> None:
    """F6, RFC 9470: nothing typed is lost, passing the step-up over changes nothing, a confirmation does."""
    who = world.registered(real_name_level=3)
    unit = world.unit_of(who, granting=BOTH)
    window = open_window(java_script_enabled=scripts)
    in_center(window, who, unit)
    portal.complete_company(window)
    refused = patch(window, unit)
    assert refused.status_code == 401
    assert 'error="insufficient_user_authentication"' in refused.headers["WWW-Authenticate"]
    assert f'acr_values="{L2}"' in refused.headers["WWW-Authenticate"]

    company = f"{portal.center(window, unit)}company"
    window.page.goto(company)
    window.fill(**NEW)
    window.press("保存")
    window.is_at("/raise-level")
    window.look("step-up")
    window.follow("继续登录")
    window.reads("还需要验证身份", *NEW.values())
    window.look("portal-change-lacking")
    window.press("验证身份")
    by_sms(window, who)
    window.reads("身份验证已完成", COMPANY["contact_phone"], *NEW.values())
    window.look("portal-change")
    window.follow("返回修改")
    expect(window.page.locator("main [name=contact_phone]")).to_have_value(NEW["contact_phone"])
    assert window.values("introduction") == {"introduction": NEW["introduction"]}
    window.press("保存")
    window.reads("单位基本信息已保存。")
    window.page.goto(company)
    assert window.values(*NEW) == NEW
    assert patch(window, unit).status_code == 200


def test_a_confirmation_makes_the_change(window: Window, world: World) -> None:
    """F6: coming back is not enough."""
    who = world.registered(real_name_level=3)
    unit = world.unit_of(who, granting=BOTH)
    in_center(window, who, unit)
    portal.complete_company(window)
    company = f"{portal.center(window, unit)}company"
    window.page.goto(company)
    window.fill(**NEW)
    window.press("保存")
    by_sms(window, who)
    window.reads("身份验证已完成")
    back = window.page.url
    window.page.goto(company)
    assert window.values("contact_phone") == {"contact_phone": COMPANY["contact_phone"]}
    window.page.goto(back)
    window.press("确认变更")
    window.reads("单位基本信息已保存。")
    window.page.goto(company)
    assert window.values(*NEW) == NEW


def test_a_unit_is_asked_for_the_grant_on_the_way(window: Window, open_window: OpenWindow, world: World) -> None:
    """C5: greyed with the button that mends it; the unit grants in 子账号信息, and the sign-in goes on."""
    who = world.registered()
    unit = world.unit_of(who)
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    window.is_at("/choose-unit")
    cannot_choose(window, unit.name, "该单位尚未授权您办理此应用的业务，请联系单位授权")
    window.follow("申请授权")
    window.reads("请该单位授权您办理", unit.name, "招聘职位管理", "招聘单位信息")
    window.look("ask-for-grant")
    window.press("发送申请")
    cannot_choose(window, unit.name, "已向该单位申请授权，等待单位处理")
    window.look("chooser-waiting")

    office = open_window()
    pages.sign_in_unit(office, unit)
    office.go("/unit/sub-accounts")
    office.reads("待处理的授权申请", "申请办理「招聘职位管理」")
    office.look("grant-requests")
    line = office.page.get_by_role("listitem").filter(has_text="申请办理「招聘职位管理」")
    line.get_by_role("link", name="授权").click()
    assert office.values("business") == {"business": "rec.position"}
    office.press("授权")
    office.reads("授权已保存，立即生效。")
    office.go("/unit/sub-accounts")
    with office.page.expect_navigation():
        office.page.get_by_role("button", name="拒绝").click()
    office.reads("已拒绝该授权申请，对方 7 天内不能再次申请。")
    office.silent_about("待处理的授权申请")

    window.page.reload()
    choose_unit(window, unit.name)
    pages.agree(window)
    portal.is_in_center(window, unit)


@pytest.fixture
def for_verified_units(world: World) -> Iterator[None]:
    """Let the portal's businesses take verified units alone during the test (U15)."""

    def set_to(needed: bool) -> None:
        with transaction() as session:
            session.execute(update(Business).where(Business.code.in_(BOTH)).values(needs_verified_unit=needed))

    world.within(lambda: set_to(True))
    yield
    world.within(lambda: set_to(False))


@pytest.mark.usefixtures("for_verified_units")
def test_a_unit_is_real_named_on_the_way(window: Window, world: World) -> None:
    """C5, U14, U15: greyed, the button, a wrong code, the code, chosen in the same sign-in, a token with scopes."""
    who = world.registered()
    unit = world.unit_of(who, granting=BOTH)
    code = world.within(lambda: unit_verification.issue(unit.uscc).code)
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    window.is_at("/choose-unit")
    cannot_choose(window, unit.name, "该单位未完成实名认证，暂不能办理此业务")
    window.look("chooser-unverified")
    window.page.get_by_role("link", name="单位实名认证").press("Enter")
    window.reads("单位授权码", unit.name, "社保经办机构窗口", "广东省江门市蓬江区")
    window.look("unit-verification")
    window.fill(code="AAAA-BBBB-CCCC")
    window.press("认证")
    window.refused_at("code", "授权码不正确、已使用或已失效，还可尝试 4 次")
    window.look("unit-verification-wrong")
    window.field("单位授权码").fill(code.lower())
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    choose_unit(window, unit.name)
    pages.agree(window)
    portal.is_in_center(window, unit)
    granted = portal.tokens(window, unit).answer["scope"].split()
    assert set(BOTH) <= set(granted)
    assert "刚刚通过授权码完成单位实名认证" in world.next_sms(who.phone, 0)["text"]
