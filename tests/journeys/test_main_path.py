"""The whole main path in one go, from nothing to a withdrawal (P1, P6, P8, U1, U8–U11, U13, C1–C4, R2–R5)."""

import time

import pytest

from tests.journeys import pages, portal
from tests.journeys.conftest import OpenWindow
from tests.journeys.pages import choose_unit
from tests.journeys.window import Window
from tests.journeys.world import Company, Someone, World, seconds_until
from tests.support.browser import DESKTOP, PHONE

BOTH = ("rec.company", "rec.position")
AT_ONCE = 5.0  # seconds


@pytest.mark.parametrize(
    "browser_options",
    [{"viewport": DESKTOP}, {"viewport": PHONE, "java_script_enabled": False}],
    ids=["desktop", "phone-without-scripts"],
)
def test_from_registration_to_withdrawal(
    open_window: OpenWindow, world: World, browser_options: dict[str, object]
) -> None:
    """A person registers and founds a unit; another, registered already, recruits for two units and loses one."""
    founder, agent, unit = world.someone(), world.registered(), world.company()
    office, window = open_window(**browser_options), open_window(**browser_options)
    pages.register_person(office, founder)
    pages.sign_in_person(office, founder)
    office.go("/account/unionpay")
    pages.check_card(office, founder)
    office.reads("二级实名")
    pages.register_unit(office, unit, founder)
    pages.sign_in_person(window, agent)
    bind_and_grant(office, window, unit, agent)

    portal.open_sign_in(window)
    choose_unit(window, unit.name)  # signed in already: no second login
    pages.agree(window)
    portal.is_in_center(window, unit)
    portal.complete_company(window)
    title = f"第{unit.n}号仓库管理员"
    portal.publish_job(window, unit, title)
    visitor = open_window(**browser_options)
    portal.search(visitor, title)
    visitor.reads(title)

    other = world.unit_of(agent, granting=BOTH)
    window.page.goto(f"{window.portal}/login/unit?org_hint={other.uscc}")
    pages.agree(window)
    portal.is_in_center(window, other)
    loses_one_unit_at_once(office, window, unit, other, agent)


def bind_and_grant(office: Window, window: Window, unit: Company, agent: Someone) -> None:
    """The unit asks, the person accepts, the unit grants (U9–U11)."""
    office.page.context.clear_cookies()
    pages.sign_in_unit(office, unit)
    pages.ask_to_bind(office, agent)
    office.reads("绑定请求已发出")
    pages.answer_request(window, unit)
    for business in BOTH:
        pages.on_sub_account(office, agent, "授权")
        pages.grant(office, business)


def loses_one_unit_at_once(office: Window, window: Window, unit: Company, other: Company, agent: Someone) -> None:
    """U13: the withdrawn unit is shut within five seconds; the other unit and the person go on."""
    lost, kept = portal.tokens(window, unit), portal.tokens(window, other)
    assert lost.is_active()
    assert not portal.shuts(window, unit)
    pages.on_sub_account(office, agent, "授权")
    pages.withdraw_grant(office, "招聘职位管理")
    office.press("收回授权")
    since = time.monotonic()
    assert not lost.is_active()
    refused = lost.refresh()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    took = seconds_until(lambda: portal.shuts(window, unit), since)
    assert took <= AT_ONCE, f"the portal was told after {took:.1f} s"
    assert kept.is_active()
    assert kept.refresh().status_code == 200
    window.page.goto(portal.center(window, other))
    portal.is_in_center(window, other)
    window.go("/account")
    window.reads("个人资料")
