"""银联实名认证: from 一级实名 to 二级实名 (P6), with the bank's doubts and silences."""

import pytest
import requests

from tests.journeys import pages
from tests.journeys.pages import ask_for_code
from tests.journeys.window import Window
from tests.journeys.world import Someone, World
from tests.support import fictional

DOWN = "银联核验服务暂时不可用，您填写的内容已保留，请稍后重试"


def at_the_check(window: Window, world: World) -> Someone:
    """Return somebody at 一级实名 who has found the way to the check."""
    who = world.registered(real_name_level=1)
    pages.sign_in_person(window, who)
    window.reads("一级实名")
    window.follow("实名等级")
    window.look("level-one")
    window.follow("银联实名认证")
    window.is_at("/account/unionpay")
    return who


def is_kept(window: Window, who: Someone, code: str) -> None:
    """Everything that was typed stands there still."""
    kept = {"bank_card": who.card, "phone": who.card_phone, "code": code}
    assert window.values("bank_card", "phone", "code") == kept


def test_a_matching_card_lifts_the_person(window: Window, world: World) -> None:
    """P6: name, document, card and mobile agree. The session's secret is a new one (DESIGN 8)."""
    who = at_the_check(window, world)
    window.look("unionpay")
    before = session_cookie(window)
    pages.check_card(window, who)
    window.reads("实名认证成功，您已达到二级实名。")
    window.look("level-two")
    assert session_cookie(window) != before
    window.go("/account")
    window.reads("二级实名")


def session_cookie(window: Window) -> str:
    """Return the secret of the browser's session."""
    cookies = window.page.context.cookies(window.provider)
    return next(str(cookie["value"]) for cookie in cookies if cookie["name"] == "jingban_session")


def test_what_cannot_be_a_card_is_refused_at_its_field(window: Window, world: World) -> None:
    """P6: format and check digit, before the bank is asked."""
    who = at_the_check(window, world)
    for card, sentence in {
        "12345": "银行卡号应为 13–19 位数字",
        who.card[:-1] + str((int(who.card[-1]) + 1) % 10): "银行卡号有误（校验位不符），请核对",
    }.items():
        window.fill(bank_card=card, phone=who.card_phone, code="000000")
        window.press("认证")
        window.refused_at("bank_card", sentence)
        assert window.values("bank_card", "phone") == {"bank_card": card, "phone": who.card_phone}


def test_a_mismatch_is_told_without_saying_which(window: Window, world: World) -> None:
    """P6: somebody else's card, the right phone. Nothing is lost, and the right card may follow with the same code."""
    who, other = at_the_check(window, world), world.someone()
    window.fill(bank_card=other.card, phone=who.card_phone)
    code = ask_for_code(window, who.card_phone)
    window.fill(code=code)
    window.press("认证")
    window.reads("银联核验未通过：姓名、证件号码、银行卡号与预留手机号不一致，请核对后重试")
    assert window.values("bank_card", "code") == {"bank_card": other.card, "code": code}
    window.look("unionpay-mismatch")
    window.fill(bank_card=who.card)
    window.press("认证")
    window.reads("实名认证成功，您已达到二级实名。")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("not_supported", "该银行卡不支持实名认证，请更换一张银行卡"),
        ("blocked", "该银行卡状态异常，请更换银行卡或联系发卡银行"),
    ],
)
def test_a_card_that_will_not_do(window: Window, world: World, state: str, sentence: str) -> None:
    """P6."""
    who = at_the_check(window, world)
    card = fictional.bank_card(500_000 + who.n)
    holder = {
        "name": who.name,
        "document_type": who.document_type,
        "document_number": who.document,
        "card_number": card,
        "phone": who.card_phone,
        "state": state,
    }
    requests.post(f"{world.stack.addresses.unionpay}/unionpay/cards", json=holder, timeout=5).raise_for_status()
    pages.check_card(window, who, bank_card=card)
    window.refused_at("bank_card", sentence)


@pytest.mark.parametrize("mode", ["slow", "garbage", "down", "error"])
def test_a_bank_that_does_not_answer_loses_nothing(window: Window, world: World, mode: str) -> None:
    """P6: the sentence says that it is not the person's fault, and once the bank is back one click is enough."""
    who = at_the_check(window, world)
    window.fill(bank_card=who.card, phone=who.card_phone)
    code = ask_for_code(window, who.card_phone)
    window.fill(code=code)
    with world.fault("unionpay", mode, seconds=4):
        window.press("认证")
        window.reads(DOWN)
    window.silent_about("提交的信息有误")
    is_kept(window, who, code)
    if mode == "garbage":
        window.look("unionpay-down")
    window.press("认证")
    window.reads("实名认证成功，您已达到二级实名。")


def test_a_bank_that_refuses_says_what_to_do(window: Window, world: World) -> None:
    """P6: well-formed, and never to be taken."""
    who = at_the_check(window, world)
    with world.fault("unionpay", "refuse"):
        pages.check_card(window, who)
        window.reads("银联未受理此次核验，请核对银行卡号或更换银行卡")


def test_silences_of_the_bank_cost_no_try(window: Window, world: World) -> None:
    """P6: five checks a day are the person's; what never took place is not counted."""
    who = at_the_check(window, world)
    window.fill(bank_card=who.card, phone=who.card_phone)
    window.fill(code=ask_for_code(window, who.card_phone))
    with world.fault("unionpay", "down"):
        for _ in range(6):
            window.press("认证")
            window.reads(DOWN)
            window.page.wait_for_load_state()
    window.press("认证")
    window.reads("实名认证成功，您已达到二级实名。")


def test_five_mismatches_are_enough_for_a_day(window: Window, world: World) -> None:
    """P6: nobody tries cards at will."""
    who, other = at_the_check(window, world), world.someone()
    window.fill(bank_card=other.card, phone=who.card_phone)
    window.fill(code=ask_for_code(window, who.card_phone))
    for _ in range(5):
        window.press("认证")
        window.reads("银联核验未通过")
    window.fill(bank_card=who.card)
    window.press("认证")
    window.reads("今日实名认证次数已达上限，请 24 小时后再试")
