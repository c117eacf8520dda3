"""Registering units at once, and what is left when it fails (U1, U4, P2)."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit.model import AuditEntry
from idp.delegation import errors, registration
from idp.delegation.model import Binding
from idp.gateways.company_register import Company, CompanyRegister
from idp.notify.sms_codes import SmsCodeInvalid
from idp.persons.login_names import LoginNameTaken
from idp.persons.model import LoginName
from idp.rules.documents import UnitDocument
from idp.store.db import db
from idp.units.errors import RegionIncomplete, UnitNumberTaken
from idp.units.model import Unit
from idp.units.registration import NewUnit
from tests.support import codes, fictional, rows
from tests.support.parallel import all_at_once

NEW = NewUnit(
    document_type=UnitDocument.USCC,
    document_number=fictional.uscc(1),
    full_name=fictional.unit_name(1),
    legal_representative=fictional.person_name(3),
    region_code=rows.SEAT,
    login_name="our_unit",
    password_hash="$argon2id$none",
)


class Silent:
    """A register without entries."""

    def look_up(self, uscc: str) -> Company | None:
        del uscc
        return None


SILENT: CompanyRegister = Silent()


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_of_parallel_registrations_of_a_number_one_succeeds(app: Flask) -> None:
    # U4
    agents = [rows.person(n) for n in range(6)]
    works = [
        lambda n=n: registration.register(agents[n], replace(NEW, login_name=f"unit_no_{n}"), SILENT) for n in range(6)
    ]
    results = all_at_once(app, works)
    assert sum(isinstance(result, str) for result in results) == 1
    refusals = [result for result in results if isinstance(result, UnitNumberTaken)]
    assert len(refusals) == 5
    assert len({refusal.reference for refusal in refusals}) == 5
    assert count(Unit) == count(Binding) == 1
    assert db.session.scalars(select(LoginName).where(LoginName.kind == "unit")).one()
    logged = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "unit.number_taken"))
    assert {entry.details["reference"] for entry in logged} == {refusal.reference for refusal in refusals}


def test_of_parallel_registrations_of_a_login_name_one_succeeds(app: Flask) -> None:
    # P2: without regard to case
    agents = [rows.person(n) for n in range(4)]
    works = [
        lambda n=n: registration.register(
            agents[n],
            replace(NEW, document_number=fictional.uscc(n + 1), login_name=("our_unit", "OUR_UNIT")[n % 2]),
            SILENT,
        )
        for n in range(4)
    ]
    results = all_at_once(app, works)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, LoginNameTaken) for result in results) == 3


def test_a_refused_registration_leaves_nothing(app: Flask) -> None:
    # U1: one transaction
    agent = rows.person()
    rows.unit(1)
    with pytest.raises(UnitNumberTaken):
        registration.register(agent, NEW, SILENT)
    assert db.session.get(LoginName, "our_unit") is None, "the login name is free again"
    assert count(Binding) == 0


def test_a_code_is_used_up_only_by_a_registration_that_succeeds(app: Flask) -> None:
    # U1, DESIGN 8
    agent = rows.person()
    other = rows.unit(1)
    proof = codes.proof(registration.SMS_PURPOSE, fictional.mobile(0))
    with pytest.raises(UnitNumberTaken):
        registration.register(agent, NEW, SILENT, proof)
    second = replace(NEW, document_number=fictional.uscc(2))
    assert registration.register(agent, second, SILENT, proof) != other
    with pytest.raises(SmsCodeInvalid):
        registration.register(
            agent, replace(second, document_number=fictional.uscc(3), login_name="third"), SILENT, proof
        )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"status": "locked"}, errors.AgentMismatch),
        ({"status": "cancelled"}, errors.AgentMismatch),
        ({"real_name_level": 1}, errors.AgentLevelTooLow),
    ],
)
def test_the_agent_is_asked_of_again_at_the_end(
    app: Flask, changes: dict[str, object], error: type[errors.DomainError]
) -> None:
    # U1, U2
    with pytest.raises(error):
        registration.register(rows.person(0, **changes), NEW, SILENT)
    assert count(Unit) == 0


def test_a_seat_must_be_a_leaf(app: Flask) -> None:
    # U1
    with pytest.raises(RegionIncomplete):
        registration.register(rows.person(), replace(NEW, region_code="440700"), SILENT)


def test_one_agent_registers_several_units(app: Flask) -> None:
    # U9: several units per agent
    agent = rows.person()
    for n in (1, 2):
        registration.register(
            agent, replace(NEW, document_number=fictional.uscc(n), login_name=f"unit_no_{n}"), SILENT
        )
    assert count(Binding) == 2


def test_tries_that_match_are_not_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    # U1
    monkeypatch.setattr(registration, "MISMATCHES_A_DAY", 2)
    rows.person(0)
    for _ in range(4):
        registration.find_agent(fictional.login_name(0), fictional.resident_id(0))
    for _ in range(2):
        with pytest.raises(errors.AgentMismatch):
            registration.find_agent(fictional.login_name(0), fictional.resident_id(1))
    with pytest.raises(errors.TooManyTries):
        registration.find_agent(fictional.login_name(0).upper(), fictional.resident_id(0))


def test_parallel_tries_never_exceed_the_limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    # DESIGN 8: counted before the check
    monkeypatch.setattr(registration, "MISMATCHES_A_DAY", 3)
    rows.person(0)
    works = [
        lambda n=n: registration.find_agent(fictional.login_name(0), fictional.resident_id(n)) for n in range(1, 9)
    ]
    results = all_at_once(app, works)
    assert sum(isinstance(result, errors.AgentMismatch) for result in results) == 3
    assert sum(isinstance(result, errors.TooManyTries) for result in results) == 5
