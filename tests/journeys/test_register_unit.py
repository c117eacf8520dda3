"""单位注册 in three steps, back and forth, with every refusal on the way (U1–U5, U8, P13)."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys import pages
from tests.journeys.pages import unit_form
from tests.journeys.window import Window
from tests.journeys.world import Company, Someone, World
from tests.support import fictional, rows

KEPT = ("document_number", "name", "legal_representative", "username")
REFERENCE = re.compile(r"单位证件号码已被使用\[([0-9a-f-]{36})\]")


def at_step_two(window: Window, agent: Someone) -> None:
    window.go("/register/unit")
    pages.give_agent(window, agent)
    window.is_at("/register/unit/2")


def typed(form: dict[str, str]) -> dict[str, str]:
    """Return what must stand in the second step again: everything but the passwords."""
    return {name: form[name] for name in KEPT}


def is_kept(window: Window, form: dict[str, str]) -> None:
    assert window.values(*KEPT) == typed(form)
    assert window.values("province", "city", "district") == {
        "province": "440000",
        "city": "440700",
        "district": rows.SEAT,
    }


def test_a_unit_is_registered_in_three_steps(window: Window, world: World) -> None:
    """U1, U8: the agent is bound at once and granted nothing; the unit is led to its contact and its agents."""
    agent, unit = world.registered(), world.company()
    window.go("/register/unit")
    window.look("register-unit-1")
    pages.give_agent(window, agent)
    pages.fill_unit(window, unit)
    window.look("register-unit-2")
    window.press("下一步")
    window.reads(unit.uscc, unit.name, "广东省江门市蓬江区", unit.legal_representative, unit.login)
    window.silent_about(agent.document, unit.password)
    window.look("register-unit-3")
    pages.confirm_unit(window, agent)
    window.reads(unit.name, "您已绑定为经办人员，但尚未获得任何业务授权。")
    window.look("register-unit-done")
    window.follow("设置常用联系人")
    window.is_at("/sign-in")
    pages.sign_in(window, unit.login, unit.password)
    window.is_at("/unit/sub-accounts")
    window.reads("尚未设置常用联系人", "已绑定", "尚无")
    window.look("sub-accounts-first")


def test_a_level_too_low_is_told_with_the_way_up(window: Window, world: World) -> None:
    """U2: word for word, and the way leads up and back."""
    agent = world.registered(real_name_level=1)
    window.go("/register/unit")
    pages.give_agent(window, agent)
    window.reads("当前账号实名等级不足，请至少提升至二级实名后重试")
    typed_before = {"agent_username": agent.login, "agent_document_number": agent.document}
    assert window.values(*typed_before) == typed_before
    window.look("register-unit-level")
    window.follow("银联实名认证")
    pages.sign_in(window, agent.login, agent.password)
    window.is_at("/account/unionpay")
    pages.check_card(window, agent)
    window.reads("实名认证成功，您已达到二级实名。")
    at_step_two(window, agent)


def test_name_and_number_of_the_agent_must_belong_together(window: Window, world: World) -> None:
    """U1: one answer, whichever of the two is wrong."""
    agent, other = world.registered(), world.registered()
    window.go("/register/unit")
    for name, number in ((agent.login, other.document), ("nobody_here", agent.document)):
        window.fill(agent_username=name, agent_document_number=number)
        window.press("下一步")
        window.reads("用户名与证件号码不匹配，请核对经办人员的个人账号信息")
        assert window.values("agent_username") == {"agent_username": name}


def test_two_accounts_of_one_person_are_refused(window: Window, world: World) -> None:
    """P13: word for word."""
    agent = world.registered()
    world.within(lambda: rows.person(agent.n, login_name=f"imported_{agent.n}", document_claim=None, phone_claim=None))
    window.go("/register/unit")
    pages.give_agent(window, agent)
    window.reads("[自然人用户信息]数据错误")


@pytest.mark.parametrize("kind", ["hk_macao_permit", "taiwan_permit", "hmt_residence_permit"])
def test_holders_of_hmt_documents_register_units(window: Window, world: World, kind: str) -> None:
    """U5: once they are at 二级实名."""
    agent, unit = world.registered(), world.company()
    number = str(getattr(fictional, kind)(agent.n))
    world.hold(agent, kind, number)
    window.go("/register/unit")
    window.fill(agent_username=agent.login, agent_document_number=number)
    window.press("下一步")
    window.is_at("/register/unit/2")
    pages.fill_unit(window, unit)
    window.press("下一步")
    pages.confirm_unit(window, agent)


def test_numbers_that_cannot_be_are_refused_and_nothing_is_lost(window: Window, world: World) -> None:
    """U3: spaces within and around, a wrong check digit, another length."""
    agent, unit = world.registered(), world.company()
    at_step_two(window, agent)
    pages.choose_region(window, *unit.region)
    code = unit.uscc
    spaces = "统一社会信用代码前后和中间都不能有空格"
    for number, sentence in {
        f" {code}": spaces,
        f"{code} ": spaces,
        f"{code[:9]} {code[9:]}": spaces,
        f"{code[:-1]}{'0' if code[-1] != '0' else '1'}": "统一社会信用代码有误（校验位不符），请核对",
        "914400000000000000": "统一社会信用代码有误（校验位不符），请核对",
        code[:17]: "统一社会信用代码应为 18 位，当前为 17 位",
        f"I{code[1:]}": "统一社会信用代码含有不允许的字符，请核对",
    }.items():
        form = unit_form(unit, document_number=number)
        window.fill(**form)
        window.press("下一步")
        window.refused_at("document_number", sentence)
        is_kept(window, form)
    window.look("register-unit-refused")
    window.fill(document_number=code, password=unit.password, password_again=unit.password)
    window.press("下一步")
    window.is_at("/register/unit/3")


def test_everything_wrong_with_a_unit_is_said_at_once(window: Window, world: World) -> None:
    """P2, P3, U1: each sentence at its field."""
    agent, unit = world.registered(), world.company()
    at_step_two(window, agent)
    form = unit_form(
        unit, name="广 州示例", legal_representative="张3", username="1abc", password="weak", password_again="weak"
    )
    window.fill(**form)
    window.press("下一步")
    window.refused_at("province", "该字段是必填字段。")
    pages.choose_region(window, "广东省", "江门市")
    window.fill(**form)
    window.press("下一步")
    window.refused_at("name", "单位名称中间不能有空格")
    window.refused_at("province", "请将单位所在地选择到最后一级")
    expect(window.page.locator("#legal_representative-error")).to_contain_text("姓名请与证件一致")
    window.refused_at("username", "用户名应为 5–20 位字母、数字或下划线，并以字母开头")
    expect(window.page.locator("#password-error")).to_contain_text("密码不能少于 8 位")
    assert window.values(*KEPT) == typed(form)


def test_a_taken_number_is_told_with_a_fresh_reference(window: Window, world: World) -> None:
    """U4: word for word, the reference also in the log, with a link to unit password recovery; nothing is lost."""
    agent = world.registered()
    taken, unit = world.unit_of(agent), world.company()
    at_step_two(window, agent)
    pages.choose_region(window, *unit.region)
    form = unit_form(unit, document_number=taken.uscc)
    references = set()
    for _ in range(2):
        window.fill(**form)
        window.press("下一步")
        error = window.page.locator("#document_number-error")
        found = REFERENCE.search(error.inner_text())
        assert found, error.inner_text()
        references.add(found[1])
        is_kept(window, form)
    window.look("register-unit-taken")
    assert len(references) == 2
    log = world.stack.provider.output()
    assert all(reference in log for reference in references)
    assert taken.uscc not in log
    window.page.locator("#document_number-error").get_by_role("link", name="单位找回密码").click()
    window.is_at("/recover")


def test_login_names_are_one_room_for_persons_and_units(window: Window, world: World) -> None:
    """P2: unique without regard to case."""
    agent, unit = world.registered(), world.company()
    at_step_two(window, agent)
    pages.fill_unit(window, unit, username=agent.login.upper())
    window.press("下一步")
    window.refused_at("username", "用户名已被使用")


def test_going_back_and_forth_loses_nothing(window: Window, world: World) -> None:
    """U1: from any step to any other, by our buttons and by the browser's own."""
    agent, unit = world.registered(), world.company()
    at_step_two(window, agent)
    pages.fill_unit(window, unit)
    window.press("下一步")
    window.is_at("/register/unit/3")
    window.press("上一步")
    is_kept(window, unit_form(unit))
    window.reads("已设置，留空则不变")
    window.fill(name="半路改名有限公司")
    window.press("上一步")
    window.is_at("/register/unit")
    assert window.values("agent_username") == {"agent_username": agent.login}
    window.press("下一步")
    is_kept(window, unit_form(unit, name="半路改名有限公司"))
    window.fill(name=unit.name)
    window.press("下一步")
    window.is_at("/register/unit/3")
    window.page.get_by_role("link", name="修改 单位名称").click()
    window.is_at("/register/unit/2")
    window.page.go_back()
    window.reads("核对信息")
    pages.confirm_unit(window, agent)
    pages.sign_in_unit(window, unit)  # the password of the first time holds
    window.reads(unit.name)


def test_a_new_login_name_needs_the_password_again(window: Window, world: World) -> None:
    """P3: the password was compared with the name of before."""
    agent, unit = world.registered(), world.company()
    at_step_two(window, agent)
    pages.fill_unit(window, unit)
    window.press("下一步")
    window.press("上一步")
    window.fill(username=f"{unit.login}_b")
    window.press("下一步")
    window.refused_at("password", "修改用户名或证件号码后，请重新设置密码")


@pytest.mark.parametrize(
    ("region", "name"),
    [(("广东省", "东莞市"), "广东省东莞市"), (("北京市",), "北京市朝阳区")],
    ids=["a city without districts", "a municipality"],
)
def test_a_seat_of_two_lists(window: Window, world: World, region: tuple[str, ...], name: str) -> None:
    """U1, DESIGN 7: 东莞 has no districts, 北京 no cities."""
    agent = world.registered()
    unit = Company(world.company().n, region)
    at_step_two(window, agent)
    pages.fill_unit(window, unit)
    if len(region) == 1:
        window.page.get_by_role("combobox", name="市", exact=True).select_option(label="朝阳区")
    window.press("下一步")
    window.reads(name)


def test_a_draft_is_gone_in_another_browser(window: Window, world: World) -> None:
    """U1, DESIGN 8: what was typed belongs to the browser; the way leads to the beginning and says why."""
    at_step_two(window, world.registered())
    window.page.context.clear_cookies()
    window.page.reload()
    window.is_at("/register/unit")
    window.reads("填写的内容已过期，请重新开始")
