"""Every page of the catalogue: accessible, fitting, free of inline code, working without JavaScript (DESIGN 3)."""

from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page

from tests.look.catalogue import PAGES
from tests.support.accessibility import axe_check

every_page = pytest.mark.parametrize("name", PAGES)

LOOKS = (("light", 1440), ("dark", 390))
"""Each scheme and each width once: colours and places do not depend on each other, and axe takes its time."""
NARROW = (390, 320)
DANGLING = """() => {
    const refs = [...document.querySelectorAll('[aria-describedby], label[for], [aria-labelledby]')].flatMap(element =>
        ['aria-describedby', 'for', 'aria-labelledby'].flatMap(name => (element.getAttribute(name) ?? '').split(' ')));
    return refs.filter(id => id && !document.getElementById(id));
}"""
OVERFLOW = """() => [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 0.5 && element.checkVisibility()
        && !element.closest('.visually-hidden, .table thead'))
    .map(element => element.outerHTML.slice(0, 120))"""


class Elements(HTMLParser):
    """Collects (tag, attributes) of a page, and the text inside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.code = ""
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, _tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in {"script", "style"}:
            self.code += data.strip()


@every_page
def test_accessible_and_fitting(name: str, catalogue: str, lasting_page: Page) -> None:
    """axe finds nothing serious, contrast included. Nothing overflows, unfolded or in English with longer words."""
    page = lasting_page
    page.goto(f"{catalogue}/{name}")
    assert page.evaluate(DANGLING) == []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        axe_check(page)
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": 800})
        for summary in page.locator("details:not([open]) > summary:visible").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERFLOW) == []
    page.goto(f"{catalogue}/{name}?ui_locales=en")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[-1]


@every_page
def test_no_inline_code(name: str, client: FlaskClient) -> None:
    """The CSP has no 'unsafe-inline'."""
    page = Elements(client.get(f"/{name}").text)
    assert page.code == ""
    for tag, attrs in page.found:
        assert tag != "style"
        assert "style" not in attrs, tag
        assert not [key for key in attrs if key.startswith("on")], tag
        assert not (attrs.get("href") or "").startswith("javascript:")
        assert (attrs.get("src") or "/").startswith("/"), "nothing is loaded from elsewhere"


@every_page
def test_forms_have_a_token_and_a_submit_button(name: str, client: FlaskClient) -> None:
    """Forms work without JavaScript and against forged requests."""
    html = client.get(f"/{name}").text
    for form in html.split("<form")[1:]:
        found = Elements("<form" + form.split("</form>")[0]).found
        tags = [(tag, attrs.get("type")) for tag, attrs in found]
        assert found[0][1]["method"] == "post"
        assert ("button", "submit") in tags
        assert [attrs["value"] for tag, attrs in found if attrs.get("name") == "csrf_token"]
        hidden = [attrs for tag, attrs in found if tag == "button" and "hidden" in attrs]
        assert all(attrs["type"] == "button" for attrs in hidden), "only what scripts add may be hidden"


@every_page
def test_names_itself(name: str, client: FlaskClient) -> None:
    html = client.get(f"/{name}").text
    assert html.count("<h1") == 1
    assert html.count("<main") == 1
    assert "· 统一身份认证平台</title>" in html


@pytest.mark.parametrize("tag", ["zh-Hans", "zh-Hant", "en"])
def test_page_says_its_language(tag: str, client: FlaskClient) -> None:
    html = client.get(f"/sign-in?ui_locales={tag}").text
    assert f'<html lang="{tag}">' in html
    assert html.count('aria-current="true"') == 1


def test_errors_stand_in_the_title(client: FlaskClient) -> None:
    assert "<title>错误：" in client.get("/sign-in-missing").text
    assert "<title>错误：" not in client.get("/sign-in").text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sign-in", ["密码连续错误5次后账号将被锁定1小时", "以单位身份登录"]),  # P9, C1
        ("choose-unit", ["单位选择", "为选中的单位办理业务，点击此处登录"]),  # C1
        ("account-parents", ["父账号信息"]),  # P14
        ("unit-sub-accounts", ["子账号信息", "新增", "取消绑定"]),  # U9, U12
        ("unit-bind", ["发起绑定"]),  # U9
    ],
)
def test_words_the_user_must_see(name: str, words: list[str], client: FlaskClient) -> None:
    """P9, C1, P14, U9, U12: these strings are binding, character by character."""
    html = client.get(f"/{name}").text
    assert [word for word in words if word not in html] == []
