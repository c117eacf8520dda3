"""Codes by SMS (DESIGN 8): 6 digits, 5 minutes, 5 tries, bound, single use, capped; also when many try at once."""

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from idp.notify import outbox, sms_codes, worker
from idp.notify.model import OutboxMessage, Quota, SmsCode
from idp.notify.sms_codes import (
    Asked,
    Proof,
    SmsCodeInvalid,
    SmsCodeQuota,
    SmsCodeTooSoon,
    SmsCodeWrong,
)
from idp.notify.worker import Delivery
from idp.store.db import db, release, transaction
from sandbox import sms_gateway
from sandbox.serving import Server
from tests.sandbox.client import Client
from tests.support import codes, fictional
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture
from tests.support.parallel import all_at_once

PHONE = fictional.mobile()
ASKED = Asked("person_registration", PHONE, "browser")
ADDRESS = "192.0.2.1"
KEY = "sms-key"


def use(proof: Proof) -> str:
    with transaction() as session:
        sms_codes.use(session, proof)
    return "used"


def test_a_code_has_six_digits_and_is_stored_as_a_keyed_hash(app: Flask) -> None:
    code = codes.send(ASKED)
    assert len(code) == 6
    assert code.isdigit()
    row = db.session.scalars(select(SmsCode)).one()
    assert len(row.code_hash) == 64
    everything = str(db.session.execute(text("SELECT * FROM sms_code")).all())
    everything += str(db.session.execute(text("SELECT payload FROM outbox_message")).all())
    assert code not in everything
    assert PHONE not in everything


def test_the_right_code_is_taken_once(app: Flask) -> None:
    proof = sms_codes.check(ASKED, f" {codes.send(ASKED)} ")
    assert use(proof) == "used"
    with pytest.raises(SmsCodeInvalid):
        use(proof)


def test_a_used_code_is_no_code_any_more(app: Flask) -> None:
    code = codes.send(ASKED)
    use(sms_codes.check(ASKED, code))
    with pytest.raises(SmsCodeInvalid):
        sms_codes.check(ASKED, code)


def test_a_right_code_stays_good_until_it_is_used(app: Flask) -> None:
    """A form that comes back for another reason need not be started anew."""
    code = codes.send(ASKED)
    for _ in range(10):
        proof = sms_codes.check(ASKED, code)
    assert use(proof) == "used"


@pytest.mark.parametrize(
    "other",
    [
        Asked("unionpay_check", PHONE, "browser"),
        Asked("person_registration", fictional.mobile(1), "browser"),
        Asked("person_registration", PHONE, "another browser"),
    ],
    ids=["purpose", "phone", "browser"],
)
def test_a_code_is_bound_to_purpose_phone_and_browser(app: Flask, other: Asked) -> None:
    code = codes.send(ASKED)
    with pytest.raises(SmsCodeInvalid):
        sms_codes.check(other, code)


def test_a_code_lives_five_minutes(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    code = codes.send(ASKED)
    moved_clock.advance(timedelta(minutes=4, seconds=50))
    sms_codes.check(ASKED, code)
    moved_clock.advance(timedelta(seconds=11))
    with pytest.raises(SmsCodeInvalid):
        sms_codes.check(ASKED, code)


def test_five_wrong_tries_spend_a_code(app: Flask) -> None:
    code = codes.send(ASKED)
    left = []
    for _ in range(4):
        with pytest.raises(SmsCodeWrong) as caught:
            sms_codes.check(ASKED, codes.wrong(code))
        left.append(caught.value.facts["left"])
    assert left == [4, 3, 2, 1]
    with pytest.raises(SmsCodeInvalid):
        sms_codes.check(ASKED, codes.wrong(code))
    with pytest.raises(SmsCodeInvalid):
        sms_codes.check(ASKED, code)


def test_parallel_guesses_are_never_more_than_five(app: Flask) -> None:
    """Of thirty guesses at once five are looked at: four are told what is left, the fifth ends the code."""
    code = codes.send(ASKED)
    guesses = [partial(sms_codes.check, ASKED, codes.wrong(code)) for _ in range(30)]
    results = all_at_once(app, guesses)
    wrong = sorted(result.facts["left"] for result in results if isinstance(result, SmsCodeWrong))
    assert wrong == [1, 2, 3, 4]
    assert sum(isinstance(result, SmsCodeInvalid) for result in results) == 26
    with pytest.raises(SmsCodeInvalid):
        sms_codes.check(ASKED, code)


def test_of_parallel_uses_one_gets_through(app: Flask) -> None:
    proof = sms_codes.check(ASKED, codes.send(ASKED))
    results = all_at_once(app, [partial(use, proof)] * 12)
    assert sum(result == "used" for result in results) == 1
    assert sum(isinstance(result, SmsCodeInvalid) for result in results) == 11


def test_a_use_that_is_rolled_back_gives_the_code_back(app: Flask) -> None:
    proof = sms_codes.check(ASKED, codes.send(ASKED))
    with transaction() as session:
        sms_codes.use(session, proof)
        session.rollback()
    assert use(proof) == "used"


def test_another_code_is_sent_after_a_minute(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    """The new code ends the one before."""
    first = codes.send(ASKED)
    moved_clock.advance(timedelta(seconds=20))
    with pytest.raises(SmsCodeTooSoon) as caught:
        sms_codes.send(ASKED, address=ADDRESS)
    assert 39 <= caught.value.facts["seconds"] <= 40
    assert sms_codes.wait(PHONE) == caught.value.facts["seconds"]
    moved_clock.advance(timedelta(seconds=41))
    second = codes.send(ASKED)
    with pytest.raises((SmsCodeWrong, SmsCodeInvalid)):
        sms_codes.check(ASKED, first if first != second else codes.wrong(second))
    sms_codes.check(ASKED, second)


def test_a_minute_holds_for_every_browser(app: Flask) -> None:
    """A phone is spared, whoever asks."""
    codes.send(ASKED)
    with pytest.raises(SmsCodeTooSoon):
        sms_codes.send(Asked("unionpay_check", PHONE, "another browser"), address="192.0.2.9")


def test_parallel_requests_send_one_sms(app: Flask) -> None:
    results = all_at_once(app, [partial(sms_codes.send, ASKED, address=ADDRESS)] * 10)
    assert sum(isinstance(result, SmsCodeTooSoon) for result in results) == 9
    assert len(codes.sent_to(PHONE)) == 1


def with_limits(make_app: MakeApp, url: str, **limits: int) -> Flask:
    return make_app(url, **{"sms_daily_phone": 1000, "sms_daily_prefix": 1000, "sms_daily_address": 1000} | limits)


def test_a_phone_gets_so_many_codes_a_day(make_app: MakeApp, migrated_url: str, moved_clock: MovedClock) -> None:  # noqa: F811
    with with_limits(make_app, migrated_url, sms_daily_phone=3).app_context():
        for _ in range(3):
            codes.send(ASKED)
            moved_clock.advance(timedelta(seconds=61))
        with pytest.raises(SmsCodeQuota):
            sms_codes.send(ASKED, address=ADDRESS)
        codes.send(Asked("person_registration", fictional.mobile(1), "browser"))
        moved_clock.advance(timedelta(days=1))
        codes.send(ASKED)


@pytest.mark.parametrize("limit", ["sms_daily_prefix", "sms_daily_address"])
def test_prefix_and_address_are_capped(make_app: MakeApp, migrated_url: str, limit: str) -> None:
    """Other phones of the range, and other phones asked for from one place. A refusal counts nothing."""
    with with_limits(make_app, migrated_url, **{limit: 2}).app_context():
        for n in range(2):
            codes.send(Asked("person_registration", fictional.mobile(n), "browser"))
        third = Asked("person_registration", fictional.mobile(2), "browser")
        with pytest.raises(SmsCodeQuota):
            sms_codes.send(third, address=ADDRESS)
        assert sms_codes.wait(third.phone) == 0
        elsewhere = Asked("person_registration", "+8613912345678", "browser")
        if limit == "sms_daily_prefix":
            sms_codes.send(elsewhere, address=ADDRESS)
        else:
            sms_codes.send(third, address="192.0.2.2")


def test_parallel_requests_never_exceed_the_daily_cap(make_app: MakeApp, migrated_url: str) -> None:
    app = with_limits(make_app, migrated_url, sms_daily_address=5)
    with app.app_context():
        asked = [Asked("person_registration", fictional.mobile(n), "browser") for n in range(12)]
        results = all_at_once(app, [partial(sms_codes.send, each, address=ADDRESS) for each in asked])
        assert sum(isinstance(result, SmsCodeQuota) for result in results) == 7
        assert db.session.get_one(Quota, f"sms:address:{ADDRESS}").used == 5


def test_the_sms_is_handed_over_at_once(make_app: MakeApp, migrated_url: str) -> None:
    """The text names purpose and code, and the message is sent as one that may be repeated."""
    with (
        Server(sms_gateway.create_app(KEY)) as server,
        make_app(migrated_url, sms_url=server.url, sms_key=KEY).app_context(),
    ):
        assert sms_codes.send(ASKED, address=ADDRESS).delivery is Delivery.DONE
        [message] = Client(server.url).request("GET", "/sms/messages").json()
        assert "个人注册" in message["text"]
        sms_codes.check(ASKED, message["code"])


def test_no_worker_takes_the_sms_from_the_page(
    make_app: MakeApp, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that looks between commit and delivery leaves it alone: the page says what became of its own try."""
    deliver_now = worker.deliver_now

    def after_a_worker_looked(message_id: str) -> Delivery:
        assert not worker.deliver_one()
        return deliver_now(message_id)

    monkeypatch.setattr(worker, "deliver_now", after_a_worker_looked)
    with (
        Server(sms_gateway.create_app(KEY)) as server,
        make_app(migrated_url, sms_url=server.url, sms_key=KEY).app_context(),
    ):
        assert sms_codes.send(ASKED, address=ADDRESS).delivery is Delivery.DONE
        [message] = Client(server.url).request("GET", "/sms/messages").json()
        assert message["deliveries"] == 1


def test_a_page_that_died_leaves_its_sms_to_the_worker(
    make_app: MakeApp,
    migrated_url: str,
    monkeypatch: pytest.MonkeyPatch,
    moved_clock: MovedClock,  # noqa: F811
) -> None:
    monkeypatch.setattr(worker, "deliver_now", lambda _: Delivery.WAITING)
    with (
        Server(sms_gateway.create_app(KEY)) as server,
        make_app(migrated_url, sms_url=server.url, sms_key=KEY).app_context(),
    ):
        sms_codes.send(ASKED, address=ADDRESS)
        assert not worker.deliver_one()
        moved_clock.advance(outbox.HEAD_START)
        assert worker.deliver_one()
        assert len(Client(server.url).request("GET", "/sms/messages").json()) == 1


def test_without_the_provider_the_sms_waits_for_the_worker(make_app: MakeApp, migrated_url: str) -> None:
    """The page can say so at once; after five minutes the message is given up, since the code is dead by then."""
    with (
        Server(sms_gateway.create_app(KEY)) as server,
        make_app(migrated_url, sms_url=server.url, sms_key=KEY).app_context(),
    ):
        Client(server.url).request("POST", "/faults", json={"mode": "down"})
        assert sms_codes.send(ASKED, address=ADDRESS).delivery is Delivery.WAITING
        message = db.session.scalars(select(OutboxMessage)).one()
        assert message.state == "waiting"
        assert message.give_up_at - message.created_at == timedelta(minutes=5)
        release()


def test_a_phone_that_no_sms_reaches_is_known_at_once(make_app: MakeApp, migrated_url: str) -> None:
    """The provider will never take it: there is nothing to wait for."""
    with (
        Server(sms_gateway.create_app(KEY)) as server,
        make_app(migrated_url, sms_url=server.url, sms_key=KEY).app_context(),
    ):
        Client(server.url).request("POST", "/faults", json={"mode": "refuse"})
        assert sms_codes.send(ASKED, address=ADDRESS).delivery is Delivery.GIVEN_UP


def test_every_purpose_that_is_asked_for_has_words(app: Flask) -> None:
    from idp.gateways.sms_templates import PURPOSES, fill  # noqa: PLC0415 - used here only
    from idp.persons import registration, unionpay_check  # noqa: PLC0415

    for purpose in (registration.SMS_PURPOSE, unionpay_check.SMS_PURPOSE):
        assert purpose in PURPOSES
        fill("verification_code", {"purpose": purpose, "code": "123456", "minutes": 5})


def test_a_code_that_another_minute_ended_cannot_be_used(app: Flask) -> None:
    """The proof of an older code is worth nothing once a newer one was sent."""
    proof = sms_codes.check(ASKED, codes.send(ASKED))
    codes.forget_waits()
    codes.send(ASKED)
    with pytest.raises(SmsCodeInvalid):
        use(proof)


def test_tries_are_stored_and_not_guessed_anew_by_another_process(app: Flask) -> None:
    code = codes.send(ASKED)
    with transaction() as session:
        session.execute(update(SmsCode).values(tries_left=0))
    with pytest.raises(SmsCodeInvalid):
        sms_codes.check(ASKED, code)
