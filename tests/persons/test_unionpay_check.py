"""银联实名认证 (P6): a match lifts to 二级实名, anything else does not; the card number stays nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import inspect, select, text

from idp.audit.model import AuditEntry
from idp.gateways import GatewayRefused, Gateways, GatewayUnavailable, UnionPay
from idp.notify.model import Quota
from idp.persons import errors, unionpay_check
from idp.persons.model import Person, PersonProofing
from idp.persons.unionpay_check import Card
from idp.rules.levels import Acr
from idp.sessions import browser_sessions
from idp.sessions.levels import acr_of_session
from idp.store.db import db, release
from sandbox import unionpay
from sandbox.serving import Server
from tests.sandbox.client import Client
from tests.support import codes, fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture
from tests.support.parallel import all_at_once

KEY = "unionpay-key"
PHONE = fictional.mobile(7)
CARD = Card(fictional.bank_card(), PHONE)


@dataclass
class Bank:
    """The sandbox's UnionPay, and the application that asks it."""

    app: Flask
    client: Client

    def knows(self, **changes: Any) -> None:
        """Let the bank know the card of person 0."""
        holder = {
            "name": fictional.person_name(),
            "document_type": "resident_id",
            "document_number": fictional.resident_id(),
            "card_number": CARD.number,
            "phone": PHONE,
        }
        answer = self.client.request("POST", "/unionpay/cards", json=holder | changes)
        assert answer.status_code < 300, answer.text

    def fails(self, mode: str) -> None:
        """Let the bank fail from now on; "none" mends it."""
        self.client.request("POST", "/faults", json={"mode": mode, "seconds": 5})


@pytest.fixture
def bank(make_app: MakeApp, migrated_url: str) -> Iterator[Bank]:
    with Server(unionpay.create_app(KEY)) as server:
        app = make_app(migrated_url, unionpay_url=server.url, unionpay_key=KEY)
        with app.app_context():
            yield Bank(app, Client(server.url))
            release()


def verify(person_id: str, card: Card = CARD) -> None:
    codes.forget_waits()
    proof = codes.proof(unionpay_check.SMS_PURPOSE, card.phone)
    unionpay_check.verify(person_id, card, proof, gateway())


def gateway() -> UnionPay:
    gateways: Gateways = current_app.extensions["jingban.gateways"]
    return gateways.unionpay


def level(person_id: str) -> int:
    return db.session.get_one(Person, person_id, populate_existing=True).real_name_level


def test_a_match_lifts_to_level_two(bank: Bank) -> None:
    """P6: level, how and when with the reference, audit; the session's acr follows."""
    person_id = rows.person(real_name_level=1)
    token = rows.signed_in(person_id)
    bank.knows()
    verify(person_id)
    assert level(person_id) == 2
    proofing = db.session.scalars(select(PersonProofing)).one()
    assert (proofing.person_id, proofing.method, proofing.level) == (person_id, "unionpay", 2)
    assert proofing.reference
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.proofing")).one()
    assert entry.details == {"level": 2, "method": "unionpay", "reference": proofing.reference}
    found = browser_sessions.find(token)
    assert found is not None
    assert acr_of_session(found) is Acr.L1


@pytest.mark.parametrize(
    ("known", "refusal"),
    [
        ({"name": "别人"}, errors.UnionPayMismatch),
        ({"phone": fictional.mobile(8)}, errors.UnionPayMismatch),
        ({"document_number": fictional.resident_id(9)}, errors.UnionPayMismatch),
        ({"state": "not_supported"}, errors.UnionPayCardNotSupported),
        ({"state": "blocked"}, errors.UnionPayCardBlocked),
    ],
    ids=["name", "phone", "document", "not supported", "blocked"],
)
def test_anything_else_proves_nothing(bank: Bank, known: dict[str, str], refusal: type[Exception]) -> None:
    person_id = rows.person(real_name_level=1)
    bank.knows(**known)
    with pytest.raises(refusal):
        verify(person_id)
    assert level(person_id) == 1
    assert db.session.scalars(select(PersonProofing)).all() == []
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.proofing")).one()
    assert entry.outcome == "failed"


def test_a_refused_check_spends_no_code(bank: Bank) -> None:
    """A card number mistyped is mended with the same code."""
    person_id = rows.person(real_name_level=1)
    bank.knows()
    proof = codes.proof(unionpay_check.SMS_PURPOSE, PHONE)
    other = Card(fictional.bank_card(5), PHONE)
    with pytest.raises(errors.UnionPayMismatch):
        unionpay_check.verify(person_id, other, proof, gateway())
    unionpay_check.verify(person_id, CARD, proof, gateway())
    assert level(person_id) == 2


@pytest.mark.parametrize("mode", ["down", "error", "garbage", "slow"])
def test_a_bank_that_does_not_answer_costs_no_try(bank: Bank, mode: str) -> None:
    """Nothing is lost: the same card goes through once the bank is back."""
    person_id = rows.person(real_name_level=1)
    bank.knows()
    bank.fails(mode)
    with pytest.raises(GatewayUnavailable):
        verify(person_id)
    assert db.session.get_one(Quota, f"unionpay:{person_id}", populate_existing=True).used == 0
    release()
    bank.fails("none")
    verify(person_id)
    assert level(person_id) == 2


def test_a_bank_that_refuses_the_question(bank: Bank) -> None:
    person_id = rows.person(real_name_level=1)
    bank.fails("refuse")
    with pytest.raises(GatewayRefused):
        verify(person_id)
    assert level(person_id) == 1


def test_five_tries_a_day(bank: Bank, moved_clock: MovedClock) -> None:  # noqa: F811
    """P6: a stolen card is not to be tried out here."""
    person_id = rows.person(real_name_level=1)
    for _ in range(5):
        with pytest.raises(errors.UnionPayMismatch):
            verify(person_id)
    bank.knows()
    with pytest.raises(errors.UnionPayQuota):
        verify(person_id)
    moved_clock.advance(timedelta(days=1, seconds=1))
    verify(person_id)
    assert level(person_id) == 2


def test_parallel_tries_are_five_too(bank: Bank) -> None:
    person_id = rows.person(real_name_level=1)
    proof = codes.proof(unionpay_check.SMS_PURPOSE, PHONE)
    asked = gateway()
    works = [partial(unionpay_check.verify, person_id, CARD, proof, asked)] * 12
    results = all_at_once(bank.app, works)
    assert sum(isinstance(result, errors.UnionPayMismatch) for result in results) == 5
    assert sum(isinstance(result, errors.UnionPayQuota) for result in results) == 7


def test_a_double_click_lifts_once(bank: Bank) -> None:
    person_id = rows.person(real_name_level=1)
    bank.knows()
    proof = codes.proof(unionpay_check.SMS_PURPOSE, PHONE)
    asked = gateway()
    all_at_once(bank.app, [partial(unionpay_check.verify, person_id, CARD, proof, asked)] * 3)
    assert level(person_id) == 2
    assert len(db.session.scalars(select(PersonProofing)).all()) == 1


def test_who_is_higher_already_stays(bank: Bank) -> None:
    person_id = rows.person(real_name_level=3)
    verify(person_id)
    assert level(person_id) == 3


def test_the_card_number_stays_nowhere(bank: Bank, capfd: pytest.CaptureFixture[str]) -> None:
    """P6, DESIGN 7: not in any table, log line, error or printed value."""
    person_id = rows.person(real_name_level=1)
    bank.knows(name="别人")
    with pytest.raises(errors.UnionPayMismatch) as refused:
        verify(person_id)
    bank.fails("garbage")
    with pytest.raises(GatewayUnavailable) as away:
        verify(person_id)
    bank.fails("none")
    bank.knows()
    verify(person_id)
    tables = inspect(db.engine).get_table_names()
    stored = "".join(str(db.session.execute(text(f'SELECT * FROM "{table}"')).all()) for table in tables)  # noqa: S608
    output = "".join(capfd.readouterr())
    for place in (stored, output, repr(refused.value), repr(away.value), str(away.value.facts), repr(CARD)):
        assert CARD.number not in place


@pytest.mark.parametrize(
    ("number", "phone", "fields"),
    [
        ("123", "123", {"bank_card", "phone"}),
        (fictional.bank_card()[:-1] + "9", PHONE, {"bank_card"}),
        (fictional.bank_card(), "02012345678", {"phone"}),
    ],
)
def test_what_was_mistyped_is_told_at_once(number: str, phone: str, fields: set[str]) -> None:
    with pytest.raises(errors.PersonDataRefused) as caught:
        unionpay_check.check_card(number, phone)
    assert {error.field for error in caught.value.errors} == fields


def test_a_card_may_be_typed_in_groups() -> None:
    number = fictional.bank_card()
    grouped = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    assert unionpay_check.check_card(grouped, "138 0013 8007") == CARD
