"""Every error mode of every outside system, and what its gateway makes of it.

The provider must stay correct and say something useful when they are down: an error with a stable code, the system's
name and the reason as facts, in time, and without personal data.
"""

import logging
import time
import traceback

import pytest

from idp.gateways import Company, CompanyStatus, GatewayRefused, GatewayUnavailable, UnionPayOutcome
from idp.gateways.errors import GatewayError
from tests.gateways.world import TIMEOUT, World
from tests.support import fictional

GATEWAYS = ["sms", "unionpay", "company_register", "face_check"]
USCC = fictional.uscc()
PERSON = {
    "name": fictional.person_name(),
    "document_type": "resident_id",
    "document_number": fictional.resident_id(),
    "card_number": fictional.bank_card(),
    "phone": fictional.mobile(),
}
CODE = "402913"
PERSONAL = [value for name, value in PERSON.items() if name != "document_type"] + [CODE]
ENTRY = {
    "name": fictional.unit_name(),
    "legal_representative": fictional.person_name(),
    "legal_representative_document": fictional.resident_id(),
}


def seed(world: World) -> None:
    assert world.unionpay.post("/unionpay/cards", PERSON).status_code == 201
    assert world.company_register.put(f"/companies/{USCC}", ENTRY | {"district": "440106"}).status_code == 201


def ask(world: World, gateway: str) -> object:
    if gateway == "sms":
        params: dict[str, str | int] = {"code": CODE, "purpose": "person_registration", "minutes": 5}
        world.gateways.sms.send("m-1", PERSON["phone"], "verification_code", params)
        return None
    if gateway == "unionpay":
        return world.gateways.unionpay.verify(**PERSON).outcome
    if gateway == "face_check":
        face = {"name": PERSON["name"], "document_number": PERSON["document_number"], "purpose": "test"}
        return bool(world.gateways.face_check.begin(**face).id)
    return world.gateways.company_register.look_up(USCC)


GOOD = {
    "sms": None,
    "unionpay": UnionPayOutcome.MATCH,
    "face_check": True,
    "company_register": Company(
        uscc=USCC,
        name=ENTRY["name"],
        legal_representative=ENTRY["legal_representative"],
        legal_representative_document=ENTRY["legal_representative_document"],
        status=CompanyStatus.ACTIVE,
        kind="enterprise",
        district="440106",
    ),
}
EXPECTED = {
    "slow": (GatewayUnavailable, {"read_timeout"}),
    "refuse": (GatewayRefused, {"number_blocked", "query_not_permitted"}),
    "down": (GatewayUnavailable, {"connection"}),
    "garbage": (GatewayUnavailable, {"bad_answer"}),
    "error": (GatewayUnavailable, {"server_error"}),
}


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("mode", list(EXPECTED))
def test_each_fault_is_an_error_with_facts_and_without_personal_data(
    world: World, gateway: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    seed(world)
    caplog.set_level(logging.DEBUG)
    world.stand_in(gateway).fault(mode, seconds=20)
    kind, reasons = EXPECTED[mode]
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        ask(world, gateway)
    assert time.monotonic() - started < 2 * TIMEOUT + 1
    error = caught.value
    assert type(error) is kind
    assert error.facts["gateway"] == gateway
    assert error.facts["reason"] in reasons
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error.facts) + caplog.text
    assert not [value for value in PERSONAL if value in told]

    world.stand_in(gateway).fault("none")
    assert ask(world, gateway) == GOOD[gateway]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_each_gateway_works_without_a_fault_and_logs_nothing_personal(
    world: World, gateway: str, caplog: pytest.LogCaptureFixture
) -> None:
    seed(world)
    caplog.set_level(logging.DEBUG)
    answer = ask(world, gateway)
    assert answer == GOOD[gateway]
    assert not [value for value in PERSONAL if value in caplog.text + repr(answer)]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_fault_of_one_system_leaves_the_others_alone(world: World, gateway: str) -> None:
    seed(world)
    world.stand_in(gateway).fault("down")
    for other in GATEWAYS:
        if other != gateway:
            assert ask(world, other) == GOOD[other]


def test_the_codes_and_statuses_are_stable() -> None:
    unavailable, refused = GatewayUnavailable("sms", "connection"), GatewayRefused("sms", "number_blocked")
    assert (unavailable.code, unavailable.status) == ("gateway_unavailable", 503)
    assert (refused.code, refused.status) == ("gateway_refused", 422)
