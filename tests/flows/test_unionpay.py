"""银联实名认证 (P6) as a page: card, reserved mobile, code; back into the journey; nothing lost if the bank fails."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from idp.persons.model import Person
from idp.sessions import browser_sessions, interactions
from idp.store.db import db, release
from sandbox import unionpay
from sandbox.serving import Server
from tests.flows.inside import BROWSER, InsideVisitor
from tests.flows.test_sign_in import REQUEST
from tests.sandbox.client import Client
from tests.support import codes, fictional, rows
from tests.support.application import MakeApp

KEY = "unionpay-key"
CARD = fictional.bank_card()
PHONE = fictional.mobile(7)
FORM = {"bank_card": f"{CARD[:4]} {CARD[4:]}", "phone": "138 0013 8007"}


@dataclass
class Site:
    """A visitor who is person 0 at 一级实名, and the bank, which knows the card."""

    visitor: InsideVisitor
    person_id: str
    bank: Client

    def check(self, **changes: str) -> InsideVisitor:
        """Press 「获取验证码」, type the code, press 「认证」."""
        self.visitor.submit("bank_card", **(FORM | changes), action="send_code")
        code = codes.sent_to(PHONE)[-1]
        return self.visitor.submit("bank_card", **(FORM | changes), code=code, action="verify")

    def again(self, **changes: str) -> InsideVisitor:
        """Press 「认证」 once more with what stands in the form."""
        return self.visitor.submit("bank_card", **changes, action="verify")

    @property
    def level(self) -> int:
        """The person's level in the database."""
        release()
        return db.session.get_one(Person, self.person_id, populate_existing=True).real_name_level


@pytest.fixture
def site(make_app: MakeApp, migrated_url: str) -> Iterator[Site]:
    with Server(unionpay.create_app(KEY)) as server:
        app: Flask = make_app(migrated_url, unionpay_url=server.url, unionpay_key=KEY)
        with app.app_context():
            person_id = rows.person(real_name_level=1)
            bank = Client(server.url)
            holder = {
                "name": fictional.person_name(),
                "document_type": "resident_id",
                "document_number": fictional.resident_id(),
                "card_number": CARD,
                "phone": PHONE,
            }
            bank.request("POST", "/unionpay/cards", json=holder)
            visitor = InsideVisitor(app, "/interaction/").sign_in(person_id)
            yield Site(visitor, person_id, bank)
            release()


def test_a_match_lifts_and_renews_the_session(site: Site) -> None:
    """P6; DESIGN 8: the session's secret is renewed at a level change."""
    before = site.visitor.client.get_cookie("jingban_session")
    site.visitor.get("/account/unionpay")
    assert "*子" in site.visitor.text
    site.check()
    assert site.visitor.url == "http://localhost/raise-level"
    assert "实名认证成功，您已达到二级实名" in site.visitor.text
    assert site.level == 2
    after = site.visitor.client.get_cookie("jingban_session")
    assert before is not None
    assert after is not None
    assert browser_sessions.find(before.value) is None
    found = browser_sessions.find(after.value)
    assert found is not None
    assert found.real_name_level == 2


def test_a_mismatch_does_not_say_what_differs(site: Site) -> None:
    site.visitor.get("/account/unionpay")
    site.check(bank_card=fictional.bank_card(5))
    assert site.visitor.status == 400
    assert "银联核验未通过" in site.visitor.text
    assert site.level == 1


def test_what_was_typed_stays_to_be_mended(site: Site) -> None:
    """The same code serves for the corrected card."""
    site.visitor.get("/account/unionpay")
    other = fictional.bank_card(5)
    site.check(bank_card=other)
    assert site.visitor.value("bank_card") == other
    assert site.visitor.value("phone") == FORM["phone"]
    site.again(bank_card=CARD)
    assert site.level == 2


@pytest.mark.parametrize("mode", ["down", "error", "garbage", "slow"])
def test_a_bank_that_fails_is_a_503_and_nothing_is_lost(site: Site, mode: str) -> None:
    """P6: never a 500; the same code goes through once the bank is back."""
    site.bank.request("POST", "/faults", json={"mode": mode, "seconds": 5})
    site.visitor.get("/account/unionpay")
    site.check()
    assert site.visitor.status == 503
    assert "银联核验服务暂时不可用，您填写的内容已保留，请稍后重试" in site.visitor.text
    assert site.visitor.value("phone") == FORM["phone"]
    site.bank.request("POST", "/faults", json={"mode": "none"})
    site.again()
    assert site.level == 2


def test_a_bank_that_refuses(site: Site) -> None:
    site.bank.request("POST", "/faults", json={"mode": "refuse"})
    site.visitor.get("/account/unionpay")
    site.check()
    assert site.visitor.status == 422
    assert "银联未受理此次核验" in site.visitor.text


def test_daily_tries_are_limited(site: Site) -> None:
    site.visitor.get("/account/unionpay")
    site.check(bank_card=fictional.bank_card(5))
    for _ in range(4):
        site.again()
    site.again(bank_card=CARD)
    assert site.visitor.status == 429
    assert "今日实名认证次数已达上限" in site.visitor.text
    assert site.level == 1


def test_a_code_for_another_phone_proves_nothing(site: Site) -> None:
    site.visitor.get("/account/unionpay")
    site.visitor.submit("bank_card", bank_card=CARD, phone="13800138001", action="send_code")
    code = codes.sent_to(fictional.mobile(1))[-1]
    site.visitor.submit("bank_card", **FORM, code=code, action="verify")
    assert "短信验证码已失效" in site.visitor.text
    assert site.level == 1


def test_slips_are_told_at_their_fields(site: Site) -> None:
    site.visitor.get("/account/unionpay")
    site.visitor.submit("bank_card", bank_card=CARD[:-1] + "9", phone="123", code="123456", action="verify")
    assert "银行卡号有误（校验位不符）" in site.visitor.text
    assert "手机号格式有误" in site.visitor.text
    site.visitor.submit("bank_card", bank_card=CARD, phone="123", action="send_code")
    assert "手机号格式有误" in site.visitor.text


def test_the_journey_goes_on_afterwards(site: Site) -> None:
    """F6: a step-up within the interaction, not a new account."""
    rows.client(min_person_level=1)
    interaction_id = interactions.begin(REQUEST, BROWSER)
    site.visitor.get("/raise-level", interaction=interaction_id)
    assert "该应用要求更高的实名等级" in site.visitor.text
    site.visitor.get("/account/unionpay", interaction=interaction_id)
    site.check()
    assert site.visitor.url == f"http://localhost/interaction/{interaction_id}"
    assert site.level == 2


def test_who_is_at_level_two_goes_on_at_once(site: Site) -> None:
    site.visitor.get("/account/unionpay")
    site.check()
    site.visitor.get("/account/unionpay")
    assert site.visitor.url == "http://localhost/raise-level"


def test_giving_up_goes_back_without_the_level(site: Site) -> None:
    rows.client(min_person_level=1)
    interaction_id = interactions.begin(REQUEST, BROWSER)
    site.visitor.get("/raise-level", interaction=interaction_id)
    site.visitor.post(f"/raise-level/give-up?interaction={interaction_id}")
    assert site.visitor.url == f"http://localhost/interaction/{interaction_id}"
    refusal = interactions.find(interaction_id, BROWSER).refusal
    assert refusal == "unmet_authentication_requirements"
