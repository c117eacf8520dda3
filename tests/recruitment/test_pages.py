"""Every page in a real browser: accessible, within the screen, in both colour schemes, and usable by keyboard."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.recruitment.conftest import Portal
from tests.recruitment.issuer import UNIT_A, UNIT_B, Issuer, Visit, tell
from tests.recruitment.values import COMPANY, job
from tests.support.accessibility import axe_check
from tests.support.browser import PHONE
from tests.support.visitor import Visitor

CENTER = f"/center/{UNIT_A['sub']}/"
DESKTOP = {"width": 1440, "height": 900}
LOOKS: tuple[tuple[Literal["light", "dark"], dict[str, int]], ...] = (("light", DESKTOP), ("dark", PHONE))
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def made(sign_in: Callable[..., Visitor]) -> tuple[str, str]:
    """A published job and a draft of unit A: their ids."""
    agent = sign_in(UNIT_A)
    ids = []
    for action in ("publish", "save"):
        agent.get(f"{CENTER}positions/new").submit("title", **job(action=action))
        ids.append(agent.form("id").choices["id"][0])
    return ids[0], ids[1]


def check(page: Page) -> None:
    """Fail unless the page passes axe and fits its screen."""
    axe_check(page)
    assert not page.evaluate(TOO_WIDE), f"{page.url} is wider than the screen"


def check_each_way(page: Page) -> None:
    """Check the page in each scheme and each width once: colours and places do not depend on each other."""
    for scheme, viewport in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size(ViewportSize(**viewport))
        check(page)


def test_every_page_is_accessible(
    portal: Portal, issuer: Issuer, made: tuple[str, str], new_page: Callable[..., Page]
) -> None:
    published, draft = made
    page = new_page(reduced_motion="reduce")  # no colour half-way
    for path in ("/", "/?keyword=没有", f"/jobs/{published}", "/login", "/nowhere"):
        page.goto(portal.url + path)
        check_each_way(page)
    page.goto(f"{portal.url}/login/unit")
    check_each_way(page)
    issuer.visit = Visit(unit=UNIT_B)
    page.goto(f"{portal.url}/login/unit")
    check_each_way(page)
    issuer.visit = Visit(unit=UNIT_A)
    page.goto(f"{portal.url}/login/unit")
    states = [f"positions/?state={state}" for state in ("published", "draft", "taken_down")]
    for path in ("", "company", *states, "positions/new", f"positions/{published}", f"positions/{draft}/edit"):
        page.goto(portal.url + CENTER + path)
        check_each_way(page)
    for path in ("/me", "/"):
        page.goto(portal.url + path)
        check_each_way(page)
    page.locator("summary").click()
    check_each_way(page)


def test_pages_that_follow_a_click_are_accessible(portal: Portal, made: tuple[str, str], page: Page) -> None:
    page.goto(f"{portal.url}/login/unit")
    page.goto(f"{portal.url}{CENTER}positions/")
    page.get_by_label("全选").check()
    page.get_by_role("button", name="修改有效期").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("修改有效期")
    check(page)
    page.goto(f"{portal.url}{CENTER}positions/?state=draft")
    page.get_by_label("选择 数据库工程师").check()
    page.get_by_role("button", name="删除").click()
    check(page)
    page.get_by_role("button", name="确认删除").click()
    expect(page.get_by_role("status")).to_have_text("已删除 1 个职位。")
    page.goto(f"{portal.url}{CENTER}positions/new")
    page.get_by_role("button", name="保存并发布").click()
    expect(page.get_by_role("alert")).to_be_focused()
    check(page)


def test_agent_completes_publishes_and_is_shut_out(portal: Portal, issuer: Issuer, page: Page) -> None:
    """R2, R4, R5, U13 by mouse and keyboard: first entry, a job, its page, and the end of the grant."""
    issuer.visit = Visit(unit=UNIT_A)
    page.goto(portal.url)
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="企业中心").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("单位基本信息")
    for label, value in (("单位性质", "民营企业"), ("所属行业", "信息技术服务业"), ("人员规模", "20–99人")):
        page.get_by_label(label).select_option(label=value)
    for label, name in (("所在地区", "region"), ("详细地址", "address"), ("联系人", "contact_name")):
        page.get_by_label(label).fill(COMPANY[name])
    page.get_by_label("联系电话").fill(COMPANY["contact_phone"])
    page.get_by_label("单位简介").fill(COMPANY["introduction"])
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("企业中心")
    page.get_by_role("link", name="新增职位").first.click()
    page.get_by_label("职位名称").fill("数据库工程师")
    page.get_by_label("职位类别").select_option(label="信息技术")
    page.get_by_label("工作性质").select_option(label="全职")
    page.get_by_label("招聘人数").fill("2")
    page.get_by_label("薪资面议").check()
    page.get_by_label("学历要求").select_option(label="学历不限")
    page.get_by_label("经验要求").select_option(label="经验不限")
    page.get_by_label("职位描述").fill("负责数据库的设计、调优和备份。")
    page.get_by_role("button", name="保存并发布").click()
    expect(page.get_by_role("status")).to_contain_text("职位已发布")
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="找工作").click()
    page.get_by_label("关键词").fill("数据库")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="数据库工程师").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("数据库工程师")
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="企业中心").click()
    assert tell(portal.url, issuer.logout_token(sid=issuer.sid_of(UNIT_A))).status_code == 200
    page.get_by_role("link", name="职位管理").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("办理业务的授权已结束")
    check(page)


def test_switcher_by_keyboard(portal: Portal, issuer: Issuer, made: tuple[str, str], page: Page) -> None:
    """C4: opened, left with Escape, and used to go to another identity; logging out crosses to the provider."""
    page.goto(f"{portal.url}/login/unit")
    issuer.visit = Visit()
    page.goto(f"{portal.url}/login/person")
    summary = page.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="选择其他单位").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(page.get_by_text("当前浏览器登录的身份")).to_be_hidden()
    page.keyboard.press("Enter")
    page.locator("details").get_by_role("link", name=UNIT_A["name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("企业中心")
    page.locator("summary").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("status")).to_have_text("您已退出登录。")
    assert issuer.requests[-1]["post_logout_redirect_uri"] == f"{portal.url}/"
