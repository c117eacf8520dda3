"""The demo's accounts at the province: every branch has one, and every number is valid (DESIGN 6, 7)."""

import dataclasses

from idp import clock
from idp.demo import fiction, upstream
from idp.demo.addresses import PARTS, SANDBOX, Addresses, choose
from idp.rules.documents import PersonDocument, UnitDocument, check_person_document, check_unit_document
from sandbox import province


def test_there_is_one_person_at_each_level() -> None:
    assert [person.level for person in upstream.PERSONS] == ["L0", "L1", "L2", "L3"]


def test_there_is_a_legal_entity_for_each_branch() -> None:
    """F2, F5, U18"""
    units = upstream.LEGAL_ENTITIES
    register = {unit.uscc: unit.legal_representative for unit in (*fiction.UNITS, *upstream.UNITS)}
    assert {unit.level for unit in units if unit.document_type == UnitDocument.USCC} == {"L1", "L2", "L3"}
    assert [unit.login for unit in units if unit.document_type == UnitDocument.ORG_CODE] == ["unit_org_code"]
    assert [unit.login for unit in units if unit.disabled] == ["unit_disabled"]
    assert [
        unit.login for unit in units if register.get(unit.document, unit.representative[0]) != unit.representative[0]
    ] == ["unit_changed"]


def test_every_number_is_valid_and_its_owners_own() -> None:
    people = {person.document: person.name for person in (*fiction.PERSONS, fiction.UNREGISTERED)}
    for number, name in (
        *((person.document, person.name) for person in (*upstream.PERSONS, *upstream.CARD_HOLDERS)),
        *((unit.representative[1], unit.representative[0]) for unit in upstream.LEGAL_ENTITIES),
    ):
        check_person_document(PersonDocument.RESIDENT_ID, number, today=clock.now().date())
        assert people.setdefault(number, name) == name
    for unit in upstream.LEGAL_ENTITIES:
        check_unit_document(unit.document_type, unit.document)
    numbers = [unit.document for unit in upstream.LEGAL_ENTITIES]
    assert len(set(numbers)) == len(numbers)


def test_the_sandbox_takes_them() -> None:
    for create_app, seed in (
        (province.create_app, upstream.province()),
        (province.create_social_card, upstream.social_card()),
    ):
        page = create_app("key", seed).test_client().get("/").text
        for account in (account for accounts in seed.values() for account in accounts):
            assert str(account["name"]) in page


def test_a_demo_of_before_gets_addresses_for_what_came_since() -> None:
    chosen = choose(20000)
    described = {
        "issuer": chosen.provider,
        "sandbox": {"sms": chosen.sms, "unionpay": chosen.unionpay, "company_register": chosen.company_register},
        "portals": {"recruitment": chosen.recruitment},
    }
    found = Addresses.from_demo(described)
    assert (found.provider, found.sms, found.recruitment) == (chosen.provider, chosen.sms, chosen.recruitment)
    assert len(set(dataclasses.astuple(found))) == len(PARTS)
    assert Addresses.from_demo(described | {"sandbox": found.sandbox()}) == found
    assert tuple(found.sandbox()) == SANDBOX
