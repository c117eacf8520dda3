"""Looking up units in the register (U17, U18)."""

import json

import pytest
from werkzeug import Response

from idp.gateways import Company, CompanyRegister, CompanyStatus, GatewayUnavailable
from sandbox.serving import Server
from tests.gateways.world import World, gateways_to
from tests.support import fictional

USCC = fictional.uscc()
ENTRY = {
    "name": fictional.unit_name(),
    "legal_representative": fictional.person_name(),
    "legal_representative_document": fictional.resident_id(),
    "status": "active",
    "kind": "enterprise",
    "district": "440106",
}


def test_an_entry_is_read_whole(world: World) -> None:
    world.company_register.put(f"/companies/{USCC}", ENTRY)
    company = world.gateways.company_register.look_up(USCC)
    assert company == Company(
        uscc=USCC,
        name=fictional.unit_name(),
        legal_representative=fictional.person_name(),
        legal_representative_document=fictional.resident_id(),
        status=CompanyStatus.ACTIVE,
        kind="enterprise",
        district="440106",
    )


@pytest.mark.parametrize("status", list(CompanyStatus))
def test_each_status_is_read_and_the_document_may_be_unknown(world: World, status: CompanyStatus) -> None:
    entry = ENTRY | {"status": status, "legal_representative_document": None}
    world.company_register.put(f"/companies/{USCC}", entry)
    company = world.gateways.company_register.look_up(USCC)
    assert company is not None
    assert (company.status, company.legal_representative_document) == (status, None)


def test_an_unknown_code_has_no_entry(world: World) -> None:
    assert world.gateways.company_register.look_up(USCC) is None


@pytest.mark.parametrize("uscc", ["", "..", "a" * 18, USCC + "\n", "../faults", USCC[:17] + "/", USCC + "?x=1"])
def test_what_is_no_code_is_never_asked_for(world: World, uscc: str) -> None:
    world.company_register.fault("down")
    assert world.gateways.company_register.look_up(uscc) is None


def test_a_printed_entry_names_no_person(world: World) -> None:
    world.company_register.put(f"/companies/{USCC}", ENTRY)
    printed = repr(world.gateways.company_register.look_up(USCC))
    assert USCC in printed
    assert fictional.person_name() not in printed
    assert fictional.resident_id() not in printed


def register_at(url: str) -> CompanyRegister:
    return gateways_to(company_register_url=url, company_register_key="key").company_register


@pytest.mark.parametrize(
    "change",
    [
        {"uscc": fictional.uscc(2)},
        {"name": None},
        {"name": "x" * 201},
        {"name": "line\nbreak"},
        {"name": "\ud800"},
        {"legal_representative": ["x"]},
        {"legal_representative_document": "no document"},
        {"status": "alive"},
        {"kind": "Enterprise!"},
        {"district": "44"},
    ],
)
def test_an_entry_that_cannot_be_is_no_entry(change: dict[str, object]) -> None:
    register = Response(json.dumps({"uscc": USCC} | ENTRY | change), content_type="application/json")
    with Server(register) as server, pytest.raises(GatewayUnavailable) as caught:
        register_at(server.url).look_up(USCC)
    assert caught.value.reason == "bad_answer"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<h1>Not Found</h1>", "text/html"),
        (b"{}", "application/json"),
        (b"null", "application/json"),
        (b'{"error": "not_found"}', "text/plain"),
    ],
)
def test_only_the_register_itself_can_say_that_there_is_no_entry(body: bytes, media_type: str) -> None:
    """A wrong address or a proxy answers 404 as well; a unit must not be declared missing by it."""
    with Server(Response(body, 404, content_type=media_type)) as server, pytest.raises(GatewayUnavailable):
        register_at(server.url).look_up(USCC)
