"""Journeys through forms with JavaScript off (DESIGN 3)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def plain_page(new_page: Callable[..., Page]) -> Page:
    return new_page(java_script_enabled=False)


def test_errors_come_back_beside_their_fields(catalogue: str, plain_page: Page) -> None:
    plain_page.goto(f"{catalogue}/sign-in")
    plain_page.get_by_role("button", name="登录", exact=True).click()
    field = plain_page.get_by_label("手机号 / 身份证号 / 用户名")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("该字段是必填字段。")
    expect(plain_page.get_by_role("button", name="显示密码")).to_be_hidden()


def test_other_ways_follow_the_box(catalogue: str, plain_page: Page) -> None:
    """C1: of the two links the one is there that 「以单位身份登录」 says, for whoever hears the page too."""
    plain_page.goto(f"{catalogue}/sign-in")
    oneself = plain_page.get_by_role("link", name="省统一身份认证", exact=True)
    as_unit = plain_page.get_by_role("link", name="省统一身份认证 以单位身份登录", exact=True)
    expect(oneself).to_be_visible()
    expect(as_unit).to_be_hidden()
    plain_page.get_by_role("checkbox", name="以单位身份登录").press("Space")
    expect(oneself).to_be_hidden()
    as_unit.click()
    expect(plain_page).to_have_url(f"{catalogue}/?province&as_unit=1")


def test_tabs_are_links(catalogue: str, plain_page: Page) -> None:
    plain_page.goto(f"{catalogue}/sign-in")
    plain_page.get_by_role("link", name="单位登录").click()
    expect(plain_page).to_have_url(f"{catalogue}/sign-in?tab=unit")
    expect(plain_page.get_by_label("单位用户名")).to_be_visible()


def test_district_is_reached_level_by_level(catalogue: str, plain_page: Page) -> None:
    plain_page.goto(f"{catalogue}/register-unit-2")
    city, district = plain_page.get_by_label("城市"), plain_page.get_by_label("区县")
    expect(city).to_be_hidden()
    plain_page.get_by_label("省份").select_option(label="广东省")
    plain_page.get_by_role("button", name="选择下一级地区").click()
    city.select_option(label="江门市")
    expect(district).to_be_hidden()
    plain_page.get_by_role("button", name="选择下一级地区").click()
    district.select_option(label="蓬江区")


def test_dongguan_has_no_districts(catalogue: str, plain_page: Page) -> None:
    """DESIGN 7: two levels must do."""
    plain_page.goto(f"{catalogue}/register-unit-2")
    plain_page.get_by_label("省份").select_option(label="广东省")
    plain_page.get_by_role("button", name="选择下一级地区").click()
    plain_page.get_by_label("城市").select_option(label="东莞市")
    plain_page.get_by_role("button", name="选择下一级地区").click()
    expect(plain_page.get_by_label("城市")).to_have_value("441900")
    expect(plain_page.get_by_label("区县")).to_be_hidden()


def test_municipality_has_no_cities(catalogue: str, plain_page: Page) -> None:
    """DESIGN 7: 北京 goes straight to its districts."""
    plain_page.goto(f"{catalogue}/register-unit-2")
    plain_page.get_by_label("省份").select_option(label="北京市")
    plain_page.get_by_role("button", name="选择下一级地区").click()
    expect(plain_page.get_by_label("城市")).to_be_hidden()
    plain_page.get_by_label("区县").select_option(label="海淀区")


def test_enter_presses_the_main_button(catalogue: str, plain_page: Page) -> None:
    """Not 「获取验证码」, which stands first."""
    plain_page.goto(f"{catalogue}/register-person")
    with plain_page.expect_request(lambda request: request.method == "POST") as sent:
        plain_page.get_by_label("姓名").press("Enter")
    assert "action=register" in (sent.value.post_data or "")


def test_code_is_asked_for_by_a_button(catalogue: str, plain_page: Page) -> None:
    plain_page.goto(f"{catalogue}/register-person")
    plain_page.get_by_label("姓名").fill("陈示例")
    with plain_page.expect_request(lambda request: request.method == "POST") as sent:
        plain_page.get_by_role("button", name="获取验证码").click()
    assert "action=send_code" in (sent.value.post_data or "")
    expect(plain_page.get_by_label("姓名")).to_have_value("陈示例")


def test_unusable_units_cannot_be_chosen(catalogue: str, plain_page: Page) -> None:
    """C1: greyed with the reason, and with the way to mend it."""
    plain_page.goto(f"{catalogue}/choose-unit")
    closed = plain_page.get_by_role("radio", name="蓬江区示例社区服务中心")
    expect(closed).to_be_disabled()
    expect(closed).to_have_accessible_description("该单位未完成实名认证，暂不能办理此业务")
    expect(plain_page.get_by_role("link", name="单位实名认证").first).to_be_visible()
    plain_page.get_by_role("radio", name="本人").check()
    with plain_page.expect_request(lambda request: request.method == "POST") as sent:
        plain_page.get_by_role("button", name="为选中的单位办理业务，点击此处登录").click()
    assert "unit=self" in (sent.value.post_data or "")


def test_guide_unfolds_on_the_phone(catalogue: str, plain_page: Page) -> None:
    plain_page.set_viewport_size({"width": 390, "height": 844})
    plain_page.goto(f"{catalogue}/register-person")
    question = plain_page.get_by_text("密码有什么要求？").locator("visible=true")
    expect(question).to_have_count(0)
    plain_page.get_by_text("操作指引").locator("visible=true").click()
    expect(question).to_have_count(1)
