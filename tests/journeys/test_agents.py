"""子账号信息 and 父账号信息: who is bound to whom, how it begins and how it ends (U7, U9, U10, U12, P14)."""

from playwright.sync_api import expect

from tests.journeys import pages
from tests.journeys.conftest import OpenWindow
from tests.journeys.pages import ask_to_bind, confirm, on_sub_account, sub_account
from tests.journeys.window import Window
from tests.journeys.world import Company, Someone, World

NOT_FOUND = "未查询到对应用户，请检查用户信息后重新发起绑定"


def test_a_person_is_bound_once_they_accept(window: Window, open_window: OpenWindow, world: World) -> None:
    """U9, U10, P14: asked by correct data, told by SMS, shown in 父账号信息, bound by acceptance only."""
    who, unit = world.registered(), world.unit_of()
    pages.sign_in_unit(window, unit)
    window.follow("子账号信息")
    window.look("sub-accounts-none")
    window.follow("新增")
    window.look("bind")
    known = len(world.sent_to(who.phone))
    ask_to_bind(window, who)
    window.reads("绑定请求已发出，对方登录个人账号在「父账号信息」中接受后生效。")
    expect(sub_account(window, who)).to_contain_text("待对方确认")
    window.silent_about("请在已绑定的人员中设置")  # there is nobody yet
    window.look("sub-accounts-pending")
    assert unit.name in world.next_sms(who.phone, known)["text"]

    agent = open_window()
    pages.sign_in_person(agent, who)
    agent.reads("有 1 个单位请求绑定您为子账号。")
    agent.look("account-asked")
    agent.follow("去处理")
    agent.reads("待您确认", unit.name)
    agent.silent_about(unit.uscc)
    agent.look("parents-asked")
    pages.answer_request(agent, unit)
    agent.reads("已接受绑定。单位授权业务后，您即可为其办理。")
    agent.look("parents-bound")

    window.go("/unit/sub-accounts")
    expect(sub_account(window, who)).to_contain_text("已绑定")
    window.silent_about(who.document, who.phone)


def test_data_that_does_not_match_finds_nobody(window: Window, world: World) -> None:
    """U9: word for word the same, whichever is wrong; what was typed stays."""
    who, other, unit = world.registered(), world.registered(), world.unit_of()
    pages.sign_in_unit(window, unit)
    for wrong in ({"name": other.name}, {"document_number": other.document}, {"username": other.login}):
        ask_to_bind(window, who, **wrong)
        window.reads(NOT_FOUND)
        typed = {"name": who.name, "document_number": who.document, "username": who.login} | wrong
        assert window.values(*typed) == typed
    window.look("bind-not-found")
    ask_to_bind(window, world.someone())
    window.reads(NOT_FOUND)
    ask_to_bind(window, who, document_number="440106188001010011")
    window.refused_at("document_number", "证件号码有误（校验位不符），请核对")
    window.go("/unit/sub-accounts")
    window.reads("还没有子账号")


def test_a_person_is_asked_once(window: Window, world: World) -> None:
    """U9: not while a request waits, and not once bound."""
    who, bound = world.registered(), world.registered()
    unit = world.unit_of(bound)
    pages.sign_in_unit(window, unit)
    ask_to_bind(window, who)
    window.reads("绑定请求已发出")
    for known in (who, bound):
        ask_to_bind(window, known)
        window.reads("该用户已绑定，或已有等待其确认的绑定请求")


def test_a_request_may_be_refused_or_taken_back(window: Window, open_window: OpenWindow, world: World) -> None:
    """P14: refused by the person, or withdrawn by the unit; then it may be asked anew."""
    who, unit = world.registered(), world.unit_of()
    pages.sign_in_unit(window, unit)
    ask_to_bind(window, who)
    agent = open_window()
    pages.sign_in_person(agent, who)
    pages.answer_request(agent, unit, "拒绝")
    agent.reads("已拒绝绑定。", "您还没有绑定任何单位")
    agent.look("parents-none")
    window.go("/unit/sub-accounts")
    expect(sub_account(window, who)).to_contain_text("对方已拒绝")
    ask_to_bind(window, who)
    window.reads("绑定请求已发出")
    agent.go("/account/parent-accounts")
    with window.page.expect_navigation():
        sub_account(window, who).filter(has_text="待对方确认").get_by_role("button", name="撤回").click()
    window.reads("绑定请求已撤回。")
    with agent.page.expect_navigation():
        agent.page.get_by_role("button", name="接受").click()
    agent.reads("该绑定已被处理或已解除，请刷新页面查看")


def test_a_unit_has_several_agents_and_an_agent_several_units(
    window: Window, open_window: OpenWindow, world: World
) -> None:
    """U9."""
    first, second = world.registered(), world.registered()
    one, two = world.unit_of(first, second), world.unit_of(first)
    pages.sign_in_unit(window, one)
    window.go("/unit/sub-accounts")
    for who in (first, second):
        expect(sub_account(window, who)).to_contain_text("已绑定")
    agent = open_window()
    pages.sign_in_person(agent, first)
    agent.go("/account/parent-accounts")
    agent.reads(one.name, two.name)


def with_contact(window: Window, world: World) -> tuple[Company, Someone, Someone]:
    """Return a unit, signed in, with a common contact and one more agent."""
    contact, agent = world.registered(), world.registered()
    unit = world.unit_of(contact, agent)
    pages.sign_in_unit(window, unit)
    on_sub_account(window, contact, "设为常用联系人")
    window.reads("找回单位账号和密码时，将由")
    window.look("set-contact")
    confirm(window, "设为常用联系人")
    window.reads("常用联系人已设置。")
    expect(sub_account(window, contact)).to_contain_text("常用联系人")
    return unit, contact, agent


def test_a_common_contact_stays_until_there_is_another(window: Window, open_window: OpenWindow, world: World) -> None:
    """U12: refused for the common contact, by the unit and by themselves; then another one is set, and it goes."""
    unit, contact, agent = with_contact(window, world)
    on_sub_account(window, contact, "取消绑定")
    window.reads("常用联系人须先设置新的常用联系人，方可取消绑定")
    window.look("sub-accounts-contact-stays")
    at_home = open_window()
    pages.sign_in_person(at_home, contact)
    at_home.go("/account/parent-accounts")
    at_home.follow("退出单位")
    confirm(at_home, "退出单位")
    at_home.reads("您是该单位的常用联系人，须由单位先设置新的常用联系人，方可退出")

    on_sub_account(window, agent, "设为常用联系人")
    window.reads("变为经办人员，绑定和授权不变。")
    confirm(window, "设为常用联系人")
    expect(sub_account(window, contact)).to_contain_text("经办人员")
    on_sub_account(window, contact, "取消绑定")
    window.look("unbind")
    confirm(window, "取消绑定")
    window.reads("已取消绑定。")
    expect(sub_account(window, contact)).to_have_count(0)
    at_home.go("/account/parent-accounts")
    at_home.reads("您还没有绑定任何单位")
    window.go("/unit")
    window.silent_about("尚未设置常用联系人")
    window.look("unit")
    assert unit.name in window.page.content()


def test_a_new_common_contact_accepts_first(window: Window, open_window: OpenWindow, world: World) -> None:
    """U10, U12: asked to be the common contact; the one before stays in place until then, and bound after."""
    _, contact, _ = with_contact(window, world)
    successor = world.registered()
    ask_to_bind(window, successor, kind="常用联系人")
    window.reads("绑定请求已发出")
    expect(sub_account(window, contact)).to_contain_text("常用联系人")
    at_home = open_window()
    pages.sign_in_person(at_home, successor)
    at_home.go("/account/parent-accounts")
    with at_home.page.expect_navigation():
        at_home.page.get_by_role("button", name="接受").click()
    window.go("/unit/sub-accounts")
    expect(sub_account(window, successor)).to_contain_text("常用联系人")
    expect(sub_account(window, contact)).to_contain_text("经办人员")


def test_an_agent_leaves_a_unit(window: Window, world: World) -> None:
    """P14: after a question that says what it means."""
    who = world.registered()
    unit = world.unit_of(who)
    pages.sign_in_person(window, who)
    window.go("/account/parent-accounts")
    window.follow("退出单位")
    window.reads(f"确定退出{unit.name}吗？")
    window.look("leave")
    confirm(window, "退出单位")
    window.reads("您已退出该单位。", "您还没有绑定任何单位")


def test_a_unit_changes_its_own_data_only_within_limits(window: Window, world: World) -> None:
    """U7, U16: name, legal representative and seat while unverified; the number never."""
    who = world.registered()
    unit = world.unit_of(who)
    pages.sign_in_unit(window, unit)
    window.page.get_by_role("link", name="修改 单位名称").click()
    window.reads("证件类型和证件号码不可修改。")
    window.look("unit-edit")
    expect(window.page.locator("main [name=document_number]")).to_have_count(0)
    window.fill(name="改名示例有限公司")
    pages.choose_region(window, "广东省", "东莞市")
    window.press("保存")
    window.reads("单位资料已保存。", "改名示例有限公司", "广东省东莞市", unit.uscc)
