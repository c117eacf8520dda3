"""The UnionPay check (P6): each outcome, and answers that are none."""

import json

import pytest
from werkzeug import Response

from idp.gateways import GatewayRefused, GatewayUnavailable, UnionPay, UnionPayOutcome
from sandbox.serving import Server
from tests.gateways.test_sandbox_faults import PERSON
from tests.gateways.world import World, gateways_to
from tests.support import fictional


@pytest.mark.parametrize(
    ("state", "claim", "outcome"),
    [
        ("normal", PERSON, UnionPayOutcome.MATCH),
        ("normal", PERSON | {"name": fictional.person_name(1)}, UnionPayOutcome.MISMATCH),
        ("normal", PERSON | {"card_number": fictional.bank_card(1)}, UnionPayOutcome.MISMATCH),
        ("not_supported", PERSON, UnionPayOutcome.CARD_NOT_SUPPORTED),
        ("blocked", PERSON, UnionPayOutcome.CARD_BLOCKED),
    ],
)
def test_each_outcome(world: World, state: str, claim: dict[str, str], outcome: UnionPayOutcome) -> None:
    world.unionpay.post("/unionpay/cards", PERSON | {"state": state})
    result = world.gateways.unionpay.verify(**claim)
    assert result.outcome is outcome
    assert len(result.reference) == 32


def test_a_claim_that_cannot_be_is_refused_with_the_fields_name(world: World) -> None:
    with pytest.raises(GatewayRefused) as caught:
        world.gateways.unionpay.verify(**PERSON | {"card_number": "1"})
    assert caught.value.reason == "card_number"


def unionpay_at(url: str) -> UnionPay:
    return gateways_to(unionpay_url=url).unionpay


@pytest.mark.parametrize(
    "answer",
    [
        {"result": "probably", "reference": "r1"},
        {"result": "MATCH", "reference": "r1"},
        {"result": True, "reference": "r1"},
        {"reference": "r1"},
        {"result": "match"},
        {"result": "match", "reference": "a card: 6200 0000"},
        {"result": "match", "reference": ""},
        {},
    ],
)
def test_an_unreadable_outcome_is_no_verdict(answer: dict[str, object]) -> None:
    bank = Response(json.dumps(answer), content_type="application/json")
    with Server(bank) as server, pytest.raises(GatewayUnavailable) as caught:
        unionpay_at(server.url).verify(**PERSON)
    assert caught.value.reason == "bad_answer"
