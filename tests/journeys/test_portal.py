"""From the recruitment portal through sign-in and the chooser into 企业中心 (C1, C3–C5, F3, R1, R2, R4–R7, U7)."""

import pytest
from playwright.sync_api import expect

from tests.journeys import pages, portal
from tests.journeys.conftest import OpenWindow
from tests.journeys.pages import cannot_choose, choose_unit, option
from tests.journeys.window import Window
from tests.journeys.world import Company, Someone, World

BOTH = ("rec.company", "rec.position")


def in_center(window: Window, who: Someone, unit: Company) -> None:
    """Sign an agent in at the portal, into 企业中心 of the unit."""
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    choose_unit(window, unit.name)
    pages.agree(window)
    portal.is_in_center(window, unit)


def test_an_agent_recruits_for_a_unit(window: Window, open_window: OpenWindow, world: World) -> None:
    """C1, C3, R1, R2, R4, R5: chosen, agreed to in plain words, data first, then a job that a visitor finds."""
    who = world.registered()
    unit = world.unit_of(who, granting=BOTH)
    window.page.goto(window.portal)
    window.look("portal-home")
    portal.open_sign_in(window)
    window.reads("登录后前往：公共招聘服务平台")
    window.look("portal-sign-in")
    pages.sign_in(window, who.login, who.password, as_unit=True)
    window.reads("为选中的单位办理业务，点击此处登录", unit.name, "经办人员", "未实名")
    window.silent_about(unit.uscc)
    window.look("chooser")
    choose_unit(window, unit.name)
    window.reads("办理「招聘职位管理」", "办理「招聘单位信息」", unit.name)
    window.look("consent")
    pages.agree(window)
    portal.is_in_center(window, unit)
    window.reads("首次进入企业中心，请先完善单位基本信息，再办理其他业务。")
    window.look("company-form")

    window.page.goto(f"{portal.center(window, unit)}positions/new")
    window.page.wait_for_url(f"{portal.center(window, unit)}company")  # R2: before anything else
    portal.complete_company(window)
    window.look("center")
    title = f"第{unit.n}号仓库管理员"
    portal.publish_job(window, unit, title)
    window.look("positions")

    visitor = open_window()
    portal.search(visitor, f"第{unit.n}号")
    visitor.look("search")
    visitor.follow(title)
    visitor.reads(unit.name, title, "8000")
    visitor.look("job")


def test_myself_is_a_choice_too(window: Window, world: World) -> None:
    """C1, R1: 「本人」 in the chooser; the portal says what 企业中心 needs and how to get there."""
    who = world.registered()
    world.unit_of(who, granting=BOTH)
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    choose_unit(window, "本人")
    window.reads("为本人办理")
    window.look("consent-self")
    pages.agree(window)
    window.reads("企业中心需要以单位身份登录")
    window.look("center-needs-unit")
    window.follow("个人中心")
    window.reads("还没有以单位身份登录")
    window.look("portal-me")


def test_a_job_seeker_is_shown_no_unit(window: Window, world: World) -> None:
    """R1: signing in for oneself asks for no business and no unit."""
    who = world.registered()
    world.unit_of(who, granting=BOTH)
    portal.open_sign_in(window, as_unit=False)
    pages.sign_in(window, who.login, who.password)
    pages.agree(window)
    window.reads("个人中心", "查询职位、联系单位")


def test_without_any_unit_the_chooser_says_how_to_get_one(window: Window, world: World) -> None:
    """C5: no dead end: an explanation, help, another account, and the way back to the portal."""
    who = world.registered()
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    window.reads("您还没有绑定任何单位", "请单位账号登录后，在「子账号信息」中用您的个人信息发起绑定")
    window.look("chooser-none")
    expect(option(window, "本人")).to_be_checked()  # the only choice there is
    expect(window.page.get_by_role("link", name="如何绑定单位")).to_be_visible()
    expect(window.page.get_by_role("link", name="换个账号登录")).to_be_visible()
    window.press("返回公共招聘服务平台")
    window.reads("您没有同意授权")
    window.look("portal-refused")


def test_a_unit_that_asks_is_accepted_on_the_way(window: Window, open_window: OpenWindow, world: World) -> None:
    """C5, U10: greyed in the chooser with the button that mends it, and the sign-in goes on where it was."""
    who, unit = world.registered(), world.unit_of()
    office = open_window()
    pages.sign_in_unit(office, unit)
    pages.ask_to_bind(office, who)
    office.reads("绑定请求已发出")
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    window.is_at("/choose-unit")
    cannot_choose(window, unit.name, "该单位请求绑定您，等待您确认")
    window.look("chooser-asked")
    window.follow("去确认")
    window.reads("处理完绑定请求后，可以继续登录公共招聘服务平台。")
    with window.page.expect_navigation():
        window.page.get_by_role("button", name="接受").click()
    pages.on_sub_account(office, who, "授权")
    pages.grant(office, "rec.position")
    window.follow("继续登录")
    choose_unit(window, unit.name)
    pages.agree(window)
    portal.is_in_center(window, unit)


def test_a_level_too_low_is_lifted_on_the_way(window: Window, world: World) -> None:
    """C3, F3, P6: greyed in the chooser, UnionPay, and back into the chooser without a new login."""
    who = world.registered(real_name_level=1)
    unit = world.unit_of(who, granting=BOTH)
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    window.is_at("/choose-unit")
    cannot_choose(window, unit.name, "您的实名等级不足，提升后即可办理")
    window.look("chooser-level")
    window.follow("提升实名等级")
    window.reads("公共招聘服务平台")
    window.look("raise-level")
    window.follow("银联实名认证")
    pages.check_card(window, who)
    choose_unit(window, unit.name)
    pages.agree(window)
    portal.is_in_center(window, unit)


def test_units_that_cannot_be_used_say_why(window: Window, world: World) -> None:
    """C1: not granted, locked; shown greyed below the one that can be chosen."""
    who = world.registered()
    fine, idle = world.unit_of(who, granting=BOTH), world.unit_of(who)
    locked = world.unit_of(who, granting=BOTH, status="locked")
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    window.is_at("/choose-unit")
    cannot_choose(window, idle.name, "该单位尚未授权您办理此应用的业务，请联系单位授权")
    cannot_choose(window, locked.name, "该单位账号已停用")
    expect(option(window, fine.name)).to_be_checked()
    window.look("chooser-reasons")


def test_whoever_refuses_is_not_signed_in(window: Window, world: World) -> None:
    """RFC 6749 §4.1.2.1: the portal is told, says so, and offers the way back."""
    who = world.registered()
    unit = world.unit_of(who, granting=BOTH)
    portal.open_sign_in(window)
    pages.sign_in(window, who.login, who.password, as_unit=True)
    choose_unit(window, unit.name)
    window.press("拒绝")
    window.reads("您没有同意授权")
    window.page.goto(f"{window.portal}/me")
    window.reads("您要以什么身份登录？")


def test_a_units_own_account_does_no_business(window: Window, world: World) -> None:
    """U7: the portal does not take it; the page says whom it takes, and leads on."""
    who = world.registered()
    unit = world.unit_of(who, granting=BOTH)
    pages.sign_in_unit(window, unit)
    portal.open_sign_in(window, as_unit=False)
    window.reads("当前账号不能登录该应用", "该应用不接受单位账号登录，请用经办人的个人账号登录")
    window.look("unit-account-refused")
    window.follow("重新登录")
    window.reads("登录后前往：公共招聘服务平台")
    expect(window.page.get_by_role("link", name="单位登录")).to_have_count(0)
    pages.sign_in(window, unit.login, unit.password)
    window.reads("用户名或密码错误")
    pages.sign_in(window, who.login, who.password, as_unit=True)
    choose_unit(window, unit.name)
    pages.agree(window)
    window.reads("企业中心")


def test_another_unit_without_a_new_login(window: Window, world: World) -> None:
    """C4: the chooser again, both units side by side, and each tab keeps its own."""
    who = world.registered()
    one, two = (world.unit_of(who, granting=BOTH) for _ in range(2))
    in_center(window, who, one)
    portal.complete_company(window)
    switch(window)
    window.is_at("/choose-unit")
    choose_unit(window, two.name)
    pages.agree(window)
    portal.is_in_center(window, two)
    portal.complete_company(window)
    window.page.locator(".switcher summary").click()
    window.look("portal-switcher")
    second_tab = Window(window.page.context.new_page(), world)
    for tab, unit, other in ((window, two, one), (second_tab, one, two)):
        tab.page.goto(portal.center(tab, unit))
        expect(tab.page.locator(".side-nav__name")).to_have_text(unit.name)
        portal.publish_job(tab, unit, f"{unit.n}号窗口的职位")
        expect(tab.page.locator("main")).not_to_contain_text(f"{other.n}号窗口的职位")


def switch(window: Window) -> None:
    """Use the portal's own switcher."""
    window.page.locator(".switcher summary").click()
    window.follow("选择其他单位")


def test_back_to_oneself_without_a_new_login(window: Window, world: World) -> None:
    """C4."""
    who = world.registered()
    unit = world.unit_of(who, granting=BOTH)
    in_center(window, who, unit)
    window.page.goto(f"{window.portal}/me")
    window.follow("以个人身份登录")
    pages.agree(window)
    window.reads("查询职位、联系单位", unit.name)


@pytest.mark.parametrize(
    ("business", "entry", "missing"),
    [("rec.position", "职位管理", "基本信息"), ("rec.company", "基本信息", "职位管理")],
)
def test_an_agent_sees_only_what_is_granted(
    window: Window, world: World, business: str, entry: str, missing: str
) -> None:
    """R7, C3: one of two businesses; the other is neither offered nor open by its address."""
    owner, who = world.registered(), world.registered()
    unit = world.unit_of(owner, who, granting=(business,))
    in_center(window, who, unit)
    navigation = window.page.get_by_role("navigation", name="企业中心")
    expect(navigation.get_by_role("link", name=entry)).to_be_visible()
    expect(navigation.get_by_role("link", name=missing)).to_have_count(0)
    address = {"rec.position": "company", "rec.company": "positions/new"}[business]
    window.page.goto(portal.center(window, unit) + address)
    expect(window.page.locator("main form")).to_have_count(0)
    window.look(f"portal-lacks-{business.removeprefix('rec.')}")


def test_a_job_taken_down_cannot_be_found(window: Window, open_window: OpenWindow, world: World) -> None:
    """R4, R5: taken down, copied into 未发布, and gone for job seekers at once."""
    who = world.registered()
    unit = world.unit_of(who, granting=BOTH)
    in_center(window, who, unit)
    portal.complete_company(window)
    title = f"第{unit.n}号电工"
    portal.publish_job(window, unit, title)
    visitor = open_window()
    portal.search(visitor, title)
    visitor.follow(title)
    visitor.reads(unit.name)
    job = visitor.page.url
    window.page.get_by_role("checkbox", name=f"选择 {title}").check()
    window.press("下架")
    window.reads("已下架 1 个职位。")
    portal.search(visitor, title)
    visitor.reads("没有找到符合条件的职位")
    visitor.look("search-none")
    visitor.page.goto(job)
    visitor.reads("没有找到这个页面")


def test_what_is_wrong_with_a_job_is_said_and_nothing_is_lost(window: Window, world: World) -> None:
    """R4."""
    who = world.registered()
    unit = world.unit_of(who, granting=BOTH)
    in_center(window, who, unit)
    portal.complete_company(window)
    window.page.goto(f"{portal.center(window, unit)}positions/new")
    window.fill(title="电工", salary_min="9000", salary_max="8000", description="短")
    window.press("保存并发布")
    window.refused_at("salary_max", "最高月薪不能低于最低月薪。")
    window.refused_at("description", "请填写10至3000个字。")
    assert window.values("title", "salary_min") == {"title": "电工", "salary_min": "9000"}
    window.look("position-refused")
