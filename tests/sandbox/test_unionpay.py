"""The stand-in for UnionPay's check (P6)."""

import logging

import pytest

from sandbox.unionpay import create_app
from sandbox.web import Invalid
from tests.sandbox.client import KEY, Client
from tests.support import fictional

CARD: dict[str, object] = {
    "name": fictional.person_name(),
    "document_type": "resident_id",
    "document_number": fictional.resident_id(),
    "card_number": fictional.bank_card(),
    "phone": fictional.mobile(),
}


def result(bank: Client, claim: dict[str, object]) -> str:
    answer = bank.post("/unionpay/verify", claim)
    assert answer.status_code == 200
    found: str = answer.json()["result"]
    return found


def test_the_four_match(bank: Client) -> None:
    assert bank.post("/unionpay/cards", CARD, key=None).status_code == 201
    answers = [bank.post("/unionpay/verify", CARD).json() for _ in range(2)]
    assert [answer["result"] for answer in answers] == ["match", "match"]
    assert answers[0]["reference"] != answers[1]["reference"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": fictional.person_name(1)},
        {"document_type": "passport"},
        {"document_number": fictional.resident_id(1)},
        {"card_number": fictional.bank_card(1)},
        {"phone": fictional.mobile(1)},
    ],
)
def test_one_difference_is_a_mismatch(bank: Client, change: dict[str, object]) -> None:
    bank.post("/unionpay/cards", CARD)
    assert result(bank, CARD | change) == "mismatch"


def test_the_spelling_of_phone_and_document_does_not_count(bank: Client) -> None:
    bank.post("/unionpay/cards", CARD)
    respelt = {"phone": fictional.mobile().removeprefix("+86"), "document_number": fictional.resident_id().lower()}
    assert result(bank, CARD | respelt) == "match"


def test_a_blocked_card_is_told_to_its_holder_only(bank: Client) -> None:
    bank.post("/unionpay/cards", CARD | {"state": "blocked"})
    assert result(bank, CARD) == "card_blocked"
    assert result(bank, CARD | {"name": fictional.person_name(1)}) == "mismatch"


def test_a_card_that_takes_no_part_is_not_supported(bank: Client) -> None:
    bank.post("/unionpay/cards", CARD | {"state": "not_supported"})
    assert result(bank, CARD) == "card_not_supported"


def test_a_card_is_replaced_by_its_number(bank: Client) -> None:
    bank.post("/unionpay/cards", CARD)
    assert bank.post("/unionpay/cards", CARD | {"phone": fictional.mobile(1)}).json() == {"cards": 1}
    assert result(bank, CARD) == "mismatch"


@pytest.mark.parametrize("field", list(CARD))
@pytest.mark.parametrize("value", [None, "", "<>", 5])
def test_an_incomplete_claim_names_the_field(bank: Client, field: str, value: object) -> None:
    if field == "name" and value == "<>":
        value = "x" * 201
    answer = bank.post("/unionpay/verify", CARD | {field: value})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request", "reason": field})


def test_asking_needs_the_key(bank: Client) -> None:
    bank.post("/unionpay/cards", CARD)
    assert bank.post("/unionpay/verify", CARD, key="wrong").status_code == 401


def test_cards_from_a_file(caplog: pytest.LogCaptureFixture) -> None:
    create_app(KEY, [CARD])
    with pytest.raises(Invalid, match="card_number"):
        create_app(KEY, [CARD | {"card_number": "12"}])
    with pytest.raises(Invalid, match="state"):
        create_app(KEY, [CARD | {"state": "normal or so"}])
    for wrong in (CARD, ["card"], "cards"):
        with pytest.raises(Invalid, match="unionpay-data"):
            create_app(KEY, wrong)


def test_nothing_about_a_card_is_logged(bank: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Card numbers are logged nowhere, nor what stands beside them."""
    caplog.set_level(logging.DEBUG)
    bank.post("/unionpay/cards", CARD)
    bank.post("/unionpay/verify", CARD)
    bank.post("/unionpay/verify", CARD | {"card_number": "not a card"})
    bank.post("/unionpay/verify?card=" + str(CARD["card_number"]), CARD)
    ours = [
        record.getMessage() for record in caplog.records if record.name in {"sandbox", "werkzeug", "sandbox.unionpay"}
    ]
    assert len(ours) == 4
    assert not [value for value in CARD.values() for line in ours if str(value) in line]
