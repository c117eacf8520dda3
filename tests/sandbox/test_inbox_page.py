"""The inbox page, as a person sees it in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.sandbox.client import Client
from tests.support import fictional
from tests.support.accessibility import axe_check
from tests.support.browser import DESKTOP, PHONE

NUMBER = fictional.mobile()
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\"'&amp;{{ 7*7 }}"


def send(sms: Client, message_id: str, code: str = "402913", phone: str = NUMBER, text: str = "") -> None:
    message = {
        "message_id": message_id,
        "phone": phone,
        "template": "verification_code",
        "params": {"code": code},
        "text": text or f"【经办】您正在办理个人注册，验证码{code}，5分钟内有效。",
    }
    assert sms.post("/sms/send", message).status_code == 200


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_shows_the_newest_first_and_its_code_big(
    sms: Client, new_page: Callable[..., Page], viewport: dict[str, int], scheme: str
) -> None:
    send(sms, "m-1", "111111")
    send(sms, "m-2", "222222", phone=fictional.mobile(1))
    send(sms, "m-2", "222222", phone=fictional.mobile(1))
    page = new_page(viewport=viewport, color_scheme=scheme)
    page.goto(sms.url)
    expect(page.locator(".code")).to_have_text(["验证码222222", "验证码111111"])
    expect(page.locator(".message").first).to_contain_text("提交了 2 次")
    sizes = [
        page.locator(part).first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        for part in (".code", ".text")
    ]
    assert sizes[0] >= 2 * sizes[1]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe_check(page)


def test_the_filter_shows_one_phone(sms: Client, page: Page) -> None:
    send(sms, "m-1", "111111")
    send(sms, "m-2", "222222", phone=fictional.mobile(1))
    page.goto(sms.url)
    page.get_by_label("手机号").fill(NUMBER.removeprefix("+86"))
    page.get_by_role("button", name="查看").click()
    expect(page.locator(".code")).to_have_text(["验证码111111"])
    page.get_by_role("link", name="全部短信").click()
    expect(page.locator(".code")).to_have_count(2)


def test_an_empty_inbox_says_so(sms: Client, page: Page) -> None:
    page.goto(f"{sms.url}/?phone=13700137000")
    expect(page.get_by_text("还没有发给 13700137000 的短信")).to_be_visible()
    axe_check(page)


def test_hostile_text_is_only_text(sms: Client, page: Page) -> None:
    """The page's own policy would stop a script too; here none may even come to be."""
    send(sms, "m-1", code="<b>1</b>", text=HOSTILE)
    page.goto(f"{sms.url}/?phone={NUMBER}")
    expect(page.locator(".text")).to_have_text(HOSTILE)
    expect(page.locator(".code")).to_have_text("验证码<b>1</b>")
    assert page.locator("#messages script, #messages img, #messages b").count() == 0
    page.goto(f"{sms.url}/?phone=%22%3E%3Cscript%3Ewindow.hacked=1%3C/script%3E")
    expect(page.get_by_label("手机号")).to_have_value('"><script>window.hacked=1</script>')
    assert page.evaluate("window.hacked") is None


def test_the_policy_allows_nothing_inline(sms: Client) -> None:
    headers = sms.get("/", key=None).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


def test_a_new_message_appears_while_one_types(sms: Client, page: Page) -> None:
    page.goto(sms.url)
    page.get_by_label("手机号").fill("138")
    send(sms, "m-1", "402913")
    expect(page.locator(".code")).to_have_text("验证码402913")
    expect(page.get_by_label("手机号")).to_have_value("138")
    expect(page.get_by_label("手机号")).to_be_focused()


def test_without_scripts_the_page_renews_itself(sms: Client, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(sms.url)
    expect(page.locator(".code")).to_have_count(0)
    send(sms, "m-1", "402913")
    expect(page.locator(".code")).to_have_text("验证码402913", timeout=10_000)


def test_a_long_list_is_cut_and_says_so(sms: Client, page: Page) -> None:
    for number in range(101):
        send(sms, f"m-{number}")
    page.goto(sms.url)
    expect(page.get_by_text("共 101 条，显示最新 100 条")).to_be_visible()
    expect(page.locator(".message")).to_have_count(100)
