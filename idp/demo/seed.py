"""Fills a new database with the demo's fiction, by the use cases that people's own clicks would call."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import current_app

from idp import clock
from idp.delegation import bindings, grants, listing, unit_verification
from idp.delegation import registration as units
from idp.delegation.bindings import WantedPerson
from idp.delegation.model import BindingKind
from idp.demo import certificates, fiction, portals, upstream
from idp.demo.addresses import Addresses
from idp.demo.fiction import FictionalPerson, FictionalUnit, UnitAlone
from idp.demo.portals import COMPANY, POSITION, REPORT, STABILIZATION
from idp.gateways import Gateways
from idp.persons import registration as persons
from idp.persons.model import Person, PersonProofing
from idp.persons.registration import Typed
from idp.persons.unionpay_check import PROVEN_BY as BY_UNIONPAY
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.levels import TrustLevel
from idp.sessions import passwords
from idp.store.db import db, transaction
from idp.units.model import Unit
from idp.units.registration import NewUnit

GRANT_DAYS = 365


def sandbox_data(folder: Path) -> dict[str, Path]:
    """Write what bank, register, province, social-security card and certification authority know.

    Return the files by the sandbox's option.
    """
    cards = [
        {
            "name": person.name,
            "document_type": PersonDocument.RESIDENT_ID,
            "document_number": person.document,
            "card_number": person.card,
            "phone": person.phone,
        }
        for person in (*fiction.PERSONS, fiction.UNREGISTERED)
    ]
    companies = [
        {
            "uscc": unit.uscc,
            "name": unit.name,
            "legal_representative": unit.legal_representative,
            "kind": unit.kind,
            "district": unit.region,
        }
        for unit in (*fiction.UNITS, fiction.UNREGISTERED_UNIT, *upstream.UNITS)
    ]
    companies += [
        {
            "uscc": alone.unit.uscc,
            "name": alone.unit.name,
            "legal_representative": alone.in_register or alone.unit.legal_representative,
            "legal_representative_document": alone.document,
            "kind": alone.unit.kind,
            "district": alone.unit.region,
        }
        for alone in fiction.UNITS_ALONE
    ]
    contents: dict[str, object] = {
        "unionpay": cards,
        "company_register": companies,
        "province": upstream.province(),
        "social_card": upstream.social_card(),
        "certificates": certificates.authority(folder),
    }
    files = {system: folder / f"sandbox.{system}.json" for system in contents}
    for system, content in contents.items():
        files[system].write_text(json.dumps(content, ensure_ascii=False, indent=2))
    return files


def fill(addresses: Addresses) -> dict[str, Any]:
    """Make everything and return what `demo.json` says (DESIGN 10)."""
    described = open_portals(addresses)
    people = {person.login: _add_person(person) for person in fiction.PERSONS}
    agent, contact = people[fiction.AGENT.login], people[fiction.CONTACT.login]
    both = (POSITION.code, COMPANY.code)
    all_four = (*both, STABILIZATION.code, REPORT.code)
    held = {
        fiction.AGENT.login: [
            _add_unit(fiction.TECHNOLOGY, agent, both),
            _add_unit(fiction.STAFFING, agent, all_four),
            _add_unit(fiction.SCHOOL, agent, ()),
            _add_unit(fiction.CATERING, agent, (REPORT.code,)),
        ],
        fiction.CONTACT.login: [],
    }
    technology, staffing = held[fiction.AGENT.login][:2]
    _set_trust_level(staffing["id"], TrustLevel.L3)
    unit_verification.verify(agent, staffing["id"], unit_verification.issue(fiction.STAFFING.uscc).code)
    for alone in fiction.UNITS_ALONE:
        _add_unit_alone(alone, agent)
    held[fiction.CONTACT.login].append(_bind_contact(technology, fiction.TECHNOLOGY, contact))
    return described | {
        "accounts": [
            *(_person_account(person, held.get(person.login, [])) for person in fiction.PERSONS),
            *(_unit_account(unit) for unit in fiction.UNITS),
            *(_unit_account(alone.unit, alone.level) for alone in fiction.UNITS_ALONE),
        ],
        "authorisation_codes": {fiction.CATERING.login: unit_verification.issue(fiction.CATERING.uscc).code},
        "unregistered": {
            "name": fiction.UNREGISTERED.name,
            "document_number": fiction.UNREGISTERED.document,
            "phone": fiction.UNREGISTERED.phone,
            "card_number": fiction.UNREGISTERED.card,
            "unit": {"name": fiction.UNREGISTERED_UNIT.name, "uscc": fiction.UNREGISTERED_UNIT.uscc},
        },
    }


def open_portals(addresses: Addresses) -> dict[str, Any]:
    """Make the sample portals and their businesses, and nobody to use them; return what `demo.json` says of that."""
    described = {
        "issuer": addresses.provider,
        "portals": {},
        "sandbox": addresses.sandbox(),
        "accounts": [],
        "clients": [],
        "admins": [],
    }
    return add_portals(described, addresses)


def add_portals(described: dict[str, Any], addresses: Addresses) -> dict[str, Any]:
    """Make the portals that came since `described` was written; return it with them."""
    known = {each["client_id"] for each in described["clients"]}
    made = [portals.register(each, addresses) for each in portals.PORTALS if each.client_id not in known]
    urls = {each.client_id: getattr(addresses, each.client_id) for each in portals.PORTALS}
    return described | {"portals": urls, "clients": [*described["clients"], *made]}


def _add_person(person: FictionalPerson) -> str:
    typed = Typed(
        document_type=PersonDocument.RESIDENT_ID,
        document_number=person.document,
        full_name=person.name,
        phone=person.phone,
        login_name=person.login,
        password=fiction.PASSWORD,
    )
    new = persons.check(typed, passwords.policy())
    password_hash = passwords.hash_password(new.password)
    with transaction() as session:
        person_id = persons.add_proven(session, new, password_hash)
        row = session.get_one(Person, person_id)
        if person.level > row.real_name_level:
            row.real_name_level = person.level
            proofing = PersonProofing(
                person_id=person_id, method=BY_UNIONPAY, level=person.level, reference="demo", proved_at=clock.now()
            )
            session.add(proofing)
    return person_id


def _add_unit(unit: FictionalUnit, agent_id: str, businesses: tuple[str, ...]) -> dict[str, Any]:
    """Register `unit` by its agent, let it grant `businesses` for a year, and return it as `demo.json` has it."""
    gateways: Gateways = current_app.extensions["jingban.gateways"]
    new = NewUnit(
        document_type=UnitDocument.USCC,
        document_number=unit.uscc,
        full_name=unit.name,
        legal_representative=unit.legal_representative,
        region_code=unit.region,
        login_name=unit.login,
        password_hash=passwords.hash_password(fiction.PASSWORD),
    )
    unit_id = units.register(agent_id, new, gateways.company_register)
    [registered] = listing.sub_accounts(db.session(), unit_id, limit=1, offset=0)
    last_day = clock.today() + timedelta(days=GRANT_DAYS)
    for business in businesses:
        grants.grant(unit_id, registered.binding_id, business, grants.window(None, last_day))
    return _held(unit_id, unit, BindingKind.AGENT, businesses)


def _add_unit_alone(alone: UnitAlone, agent_id: str) -> None:
    """Register a unit and unbind who registered it: its legal representative may act for it (U18)."""
    unit_id = _add_unit(alone.unit, agent_id, ())["id"]
    [registered] = listing.sub_accounts(db.session(), unit_id, limit=1, offset=0)
    bindings.unbind(unit_id, registered.binding_id)
    _set_trust_level(unit_id, alone.level)


def _set_trust_level(unit_id: str, level: TrustLevel) -> None:
    """Let the province have vouched for the unit."""
    with transaction() as session:
        session.get_one(Unit, unit_id).trust_level = int(level)


def _bind_contact(held: dict[str, Any], unit: FictionalUnit, person_id: str) -> dict[str, Any]:
    wanted = WantedPerson(
        full_name=fiction.CONTACT.name,
        document_type=PersonDocument.RESIDENT_ID,
        document_number=fiction.CONTACT.document,
        login_name=fiction.CONTACT.login,
    )
    binding_id = bindings.request(held["id"], wanted, BindingKind.COMMON_CONTACT)
    bindings.accept(person_id, binding_id)
    grants.grant(held["id"], binding_id, POSITION.code, grants.window(None, None))
    return _held(held["id"], unit, BindingKind.COMMON_CONTACT, (POSITION.code,))


def _held(unit_id: str, unit: FictionalUnit, kind: BindingKind, businesses: tuple[str, ...]) -> dict[str, Any]:
    return {"id": unit_id, "uscc": unit.uscc, "name": unit.name, "kind": kind, "businesses": list(businesses)}


def _person_account(person: FictionalPerson, held: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "login": person.login,
        "password": fiction.PASSWORD,
        "kind": "person",
        "level": person.level,
        "units": held,
    }


def _unit_account(unit: FictionalUnit, level: int = 0) -> dict[str, Any]:
    return {"login": unit.login, "password": fiction.PASSWORD, "kind": "unit", "level": level, "units": []}
