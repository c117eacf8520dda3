"""业务授权: which business, from when until when, changed and taken back (U11); and what the agent sees of it."""

from datetime import timedelta

from playwright.sync_api import expect

from idp import clock
from tests.journeys import pages, portal
from tests.journeys.conftest import OpenWindow
from tests.journeys.pages import granted, on_sub_account
from tests.journeys.window import Window
from tests.journeys.world import Company, Someone, World

POSITION, COMPANY = "招聘职位管理", "招聘单位信息"


def day(ahead: int) -> str:
    """Return the day so many days from today, as it is typed and shown: 2026-12-31."""
    return (clock.today() + timedelta(days=ahead)).isoformat()


def at_grants(window: Window, world: World) -> tuple[Company, Someone]:
    """Return a unit, signed in at the grants of its agent, and the agent."""
    who = world.registered()
    unit = world.unit_of(who)
    pages.sign_in_unit(window, unit)
    on_sub_account(window, who, "授权")
    return unit, who


def test_a_unit_grants_changes_and_withdraws(window: Window, open_window: OpenWindow, world: World) -> None:
    """U11: with a window and without; the change is in effect at once, for the agent too."""
    _, who = at_grants(window, world)
    window.reads("尚未授权任何业务")
    window.look("grants-none")
    pages.grant(window, "rec.position", first=day(0), last=day(30))
    expect(granted(window, POSITION)).to_contain_text(f"{day(0)} 至 {day(30)}")
    expect(granted(window, POSITION)).to_contain_text("有效")
    pages.grant(window, "rec.company")
    expect(granted(window, COMPANY)).to_contain_text(f"自 {day(0)} 起长期有效")
    window.look("grants")

    agent = open_window()
    pages.sign_in_person(agent, who)
    agent.go("/account/parent-accounts")
    agent.reads(POSITION, COMPANY, f"{day(0)} 至 {day(30)}")
    agent.look("parents-granted")

    granted(window, POSITION).get_by_role("link", name="更改有效期").click()
    typed = {"business": "rec.position", "valid_from": day(0), "valid_to": day(30)}
    expect(window.field("业务").get_by_role("option", selected=True)).to_contain_text("已授权，保存即更改")
    assert window.values(*typed) == typed
    window.fill(valid_to=day(90))
    window.press("授权")
    expect(granted(window, POSITION)).to_contain_text(f"{day(0)} 至 {day(90)}")
    expect(granted(window, POSITION)).to_have_count(1)

    pages.withdraw_grant(window, POSITION)
    window.look("withdraw-grant")
    window.follow("返回")
    expect(granted(window, POSITION)).to_have_count(1)
    pages.withdraw_grant(window, POSITION)
    window.press("收回授权")
    window.reads("授权已收回。")
    expect(granted(window, POSITION)).to_have_count(0)
    agent.page.reload()
    agent.silent_about(POSITION)
    agent.reads(COMPANY)


def test_windows_that_cannot_be(window: Window, world: World) -> None:
    """U11: told at the field, and nothing is lost."""
    at_grants(window, world)
    for first, last, sentence in (
        (day(5), day(4), "结束日期不能早于开始日期"),
        ("", day(-1), "结束日期已过，请重新选择"),
        (day(0), day(60 * 366), "日期过远，请重新选择"),
    ):
        window.fill(business="rec.position", valid_from=first, valid_to=last)
        window.press("授权")
        window.refused_at("valid_to", sentence)
        kept = {"business": "rec.position", "valid_from": first, "valid_to": last}
        assert window.values(*kept) == kept
    window.fill(business="", valid_from="", valid_to="")
    window.press("授权")
    window.refused_at("business", "该字段是必填字段。")
    window.look("grants-refused")


def test_a_grant_that_has_not_begun_is_shown_and_does_nothing(
    window: Window, open_window: OpenWindow, world: World
) -> None:
    """U11, C1: 未开始 at the unit, greyed with the reason in the chooser."""
    unit, who = at_grants(window, world)
    pages.grant(window, "rec.position", first=day(1), last=day(9))
    expect(granted(window, POSITION)).to_contain_text("未开始")
    agent = open_window()
    portal.open_sign_in(agent)
    pages.sign_in(agent, who.login, who.password, as_unit=True)
    agent.is_at("/choose-unit")
    pages.cannot_choose(agent, unit.name, "授权尚未开始生效")
