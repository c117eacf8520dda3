"""短信登录 as a page (P8): the code, the way on, what is said when it does not go through."""

import re

import pytest
from flask import Flask

from idp.sessions import interactions
from tests.flows.inside import BROWSER, InsideVisitor
from tests.flows.test_sign_in import REQUEST
from tests.support import codes, fictional, rows

PHONE = fictional.mobile()


@pytest.fixture
def migrated_url(migrated_sqlite_url: str) -> str:
    """SQLite alone: tests/factors asks both databases what these pages rest on."""
    return migrated_sqlite_url


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/interaction/")


def ask_for_code(visitor: InsideVisitor, phone: str = "13800138000") -> InsideVisitor:
    return visitor.submit("phone", phone=phone, action="send_code")


def test_the_sign_in_page_leads_here_and_here_leads_in(visitor: InsideVisitor) -> None:
    """P8."""
    rows.person()
    assert 'href="/sign-in/sms' in visitor.get("/sign-in").text
    ask_for_code(visitor.get("/sign-in/sms"))
    visitor.submit("phone", phone="13800138000", code=codes.sent_to(PHONE)[-1], action="sign_in")
    assert visitor.url == "http://localhost/account"


def test_units_have_no_phone_to_sign_in_with(visitor: InsideVisitor) -> None:
    """U6."""
    assert "/sign-in/sms" not in visitor.get("/sign-in", tab="unit").text


def test_the_journey_goes_on(visitor: InsideVisitor) -> None:
    """C1: also for acting for a unit."""
    rows.client()
    rows.person()
    interaction_id = interactions.begin(REQUEST, BROWSER)
    ask_for_code(visitor.get("/sign-in/sms", interaction=interaction_id))
    code = codes.sent_to(PHONE)[-1]
    visitor.submit("phone", phone="13800138000", code=code, as_unit="y", action="sign_in")
    assert visitor.url == f"http://localhost/interaction/{interaction_id}"
    assert interactions.find(interaction_id, BROWSER).as_unit


def test_the_box_stays_ticked_on_the_way_here(visitor: InsideVisitor) -> None:
    """C1: the tile leads here with the tick of the page before."""
    tiles = re.findall(r'class="tile tile--as-unit" href="([^"]+)"', visitor.get("/sign-in").text)
    tile = next(each for each in tiles if each.startswith("/sign-in/sms"))
    for address, ticked in ((tile, True), ("/sign-in/sms", False)):
        [box] = re.findall(r'<input[^>]*name="as_unit"[^>]*>', visitor.get(address).text)
        assert ("checked" in box) is ticked


def test_known_and_unknown_phones_are_answered_alike(app: Flask) -> None:
    """DESIGN 8."""
    rows.person()
    pages = []
    for phone in ("13800138000", "13800138001"):
        visitor = InsideVisitor(app)
        ask_for_code(visitor.get("/sign-in/sms"), phone)
        pages.append(visitor.text.replace("8001", "8000").replace(visitor.value("csrf_token"), ""))
        assert visitor.status == 200
    assert pages[0] == pages[1]


def test_whoever_has_no_account_learns_it_after_the_code(visitor: InsideVisitor) -> None:
    ask_for_code(visitor.get("/sign-in/sms"))
    visitor.submit("phone", phone="13800138000", code=codes.sent_to(PHONE)[-1], action="sign_in")
    assert visitor.status == 400
    assert "该手机号没有可登录的个人账号" in visitor.text


@pytest.mark.parametrize(
    ("phone", "said"), [("13800138000", "短信验证码错误，还可尝试 4 次"), ("02087654321", "该号码不是手机号")]
)
def test_what_is_wrong_stands_at_its_field(visitor: InsideVisitor, phone: str, said: str) -> None:
    rows.person()
    ask_for_code(visitor.get("/sign-in/sms"))
    visitor.submit("phone", phone=phone, code=codes.wrong(codes.sent_to(PHONE)[-1]), action="sign_in")
    assert visitor.status == 400
    assert said in visitor.text
    assert f'value="{phone}"' in visitor.text


def test_whoever_is_signed_in_is_not_asked_again_unless_the_sign_in_is_too_old(visitor: InsideVisitor) -> None:
    visitor.sign_in(rows.person())
    assert visitor.get("/sign-in/sms").url == "http://localhost/account"
    assert visitor.get("/sign-in/sms", again="1").url.startswith("http://localhost/sign-in/sms")
    assert visitor.get("/sign-in", again="1").url.startswith("http://localhost/sign-in")
