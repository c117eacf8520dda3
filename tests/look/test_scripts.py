"""What the modules in idp/static/js add."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

POST = "POST"


def test_password_can_be_shown(catalogue: str, page: Page) -> None:
    page.goto(f"{catalogue}/sign-in")
    password = page.get_by_label("密码", exact=True)
    eye = page.get_by_role("button", name="显示密码")
    password.fill("Abcd.2468")
    eye.click()
    expect(password).to_have_attribute("type", "text")
    expect(eye).to_have_attribute("aria-pressed", "true")
    eye.click()
    expect(password).to_have_attribute("type", "password")


def test_shown_password_is_hidden_before_it_is_sent(catalogue: str, page: Page) -> None:
    page.goto(f"{catalogue}/sign-in")
    page.get_by_role("button", name="显示密码").click()
    page.route("**/sign-in", lambda route: route.fulfill(status=204))  # the page stays as it was sent
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_label("密码", exact=True)).to_have_attribute("type", "password")


def test_code_counts_down(catalogue: str, page: Page) -> None:
    page.clock.install()
    page.goto(f"{catalogue}/register-person-errors")
    button = page.locator("[data-wait]")
    expect(button).to_have_text("42 秒后可重新获取")
    expect(button).to_have_attribute("aria-disabled", "true")
    posts: list[Request] = []
    page.on("request", lambda request: posts.append(request) if request.method == POST else None)
    button.evaluate("button => button.click()")
    page.clock.run_for(10_000)
    expect(button).to_have_text("32 秒后可重新获取")
    page.clock.run_for(33_000)
    expect(button).to_have_text("获取验证码")
    assert posts == []
    with page.expect_request(lambda request: request.method == POST):
        button.click()


def test_regions_fill_each_other(catalogue: str, page: Page) -> None:
    """DESIGN 7: three levels, two for 东莞, two for 北京."""
    page.goto(f"{catalogue}/register-unit-2")
    province, city, district = (page.get_by_label(name) for name in ("省份", "城市", "区县"))
    expect(page.get_by_role("button", name="选择下一级地区")).to_be_hidden()
    province.select_option(label="广东省")
    city.select_option(label="江门市")
    district.select_option(label="蓬江区")
    city.select_option(label="东莞市")
    expect(district).to_be_hidden()
    province.select_option(label="北京市")
    expect(city).to_be_hidden()
    district.select_option(label="海淀区")
    province.select_option(label="请选择省份")
    expect(district).to_be_hidden()


@pytest.mark.browser_errors("Failed to load resource")
def test_regions_fall_back_to_the_button(catalogue: str, page: Page) -> None:
    page.goto(f"{catalogue}/register-unit-2")
    page.route("**/regions*", lambda route: route.fulfill(status=503))
    page.get_by_label("省份").select_option(label="广东省")
    page.get_by_role("button", name="选择下一级地区").click()
    expect(page.get_by_label("城市")).to_be_visible()


def test_older_answer_does_not_overwrite_a_newer_choice(catalogue: str, page: Page) -> None:
    page.goto(f"{catalogue}/register-unit-2")
    late: list[str] = []
    page.route("**/regions?parent=440000", lambda route: late.append(route.request.url))
    page.get_by_label("省份").select_option(label="广东省")
    page.get_by_label("省份").select_option(label="北京市")
    expect(page.get_by_label("区县")).to_be_visible()
    expect(page.get_by_label("城市")).to_be_hidden()
    assert len(late) == 1


def test_form_is_sent_once(catalogue: str, page: Page) -> None:
    page.goto(f"{catalogue}/sign-in")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.is_navigation_request() else None)
    page.route("**/sign-in", lambda route: route.fulfill(status=204))
    for _ in range(3):
        page.get_by_role("button", name="登录", exact=True).click()
    assert sent == [POST]


def test_keyboard_stays_on_the_tab(catalogue: str, page: Page) -> None:
    page.goto(f"{catalogue}/sign-in")
    page.get_by_role("link", name="单位登录").press("Enter")
    tab = page.get_by_role("link", name="单位登录")
    expect(tab).to_have_attribute("aria-current", "page")
    expect(tab).to_be_focused()


def test_summary_is_where_reading_starts(catalogue: str, page: Page) -> None:
    page.goto(f"{catalogue}/register-person-errors")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="登录账号：用户名已被使用").click()
    expect(page.get_by_label("登录账号")).to_be_focused()


def test_reference_can_be_copied(catalogue: str, new_page: Callable[..., Page]) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{catalogue}/error")
    page.get_by_role("button", name="复制编号").click()
    expect(page.get_by_text("已复制")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "7f3a-91c2"
