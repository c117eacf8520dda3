"""单位注册: numbers and login names that are taken (U4, P2), races for them, and what the company register says."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.model import AuditEntry
from idp.gateways import GatewayUnavailable
from idp.gateways.company_register import Company, CompanyStatus
from idp.store.db import db
from tests.flows.inside import InsideVisitor
from tests.flows.registering_unit import (
    AGENT,
    UNIT,
    agreeing,
    answering,
    at_step2,
    at_step3,
    filled,
    finish,
    only_unit,
    units,
    visitor,
)
from tests.support import codes, fictional, rows

__all__ = ["visitor"]


def test_a_number_that_is_taken_is_said_with_a_reference(visitor: InsideVisitor) -> None:
    # U4
    rows.person(0)
    holder = rows.unit(1)
    filled(at_step2(visitor))
    assert visitor.status == 400
    found = re.search(r"单位证件号码已被使用\[([0-9a-f-]{36})\]", visitor.text)
    assert found
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "unit.number_taken")).one()
    assert entry.details == {"reference": found[1]}
    assert (entry.unit_id, entry.outcome) == (holder, "failed")
    assert "单位找回密码" in visitor.text
    assert "/recover" in visitor.text


def test_every_reference_is_fresh_and_stands_in_the_log(
    visitor: InsideVisitor, capsys: pytest.CaptureFixture[str]
) -> None:
    # U4
    rows.person(0)
    rows.unit(1)
    filled(at_step2(visitor))
    first = re.search(r"已被使用\[(.{36})\]", visitor.text)
    visitor.submit("document_number", **UNIT, action="next")
    second = re.search(r"已被使用\[(.{36})\]", visitor.text)
    assert first
    assert second
    assert first[1] != second[1]
    logged = "".join(capsys.readouterr())
    assert first[1] in logged
    assert second[1] in logged
    assert UNIT["document_number"] not in logged


def test_a_cancelled_units_number_is_free(visitor: InsideVisitor) -> None:
    # U22
    rows.person(0)
    rows.unit(1, status="cancelled", document_claim=None)
    at_step3(visitor)


def test_numbers_are_not_sifted(visitor: InsideVisitor, monkeypatch: pytest.MonkeyPatch) -> None:
    # U4: rate-limited by agent
    monkeypatch.setattr("idp.units.registration.NUMBERS_A_DAY", 2)
    rows.person(0)
    for n in (1, 2, 3):
        rows.unit(n)
    filled(at_step2(visitor))
    visitor.submit("document_number", **(UNIT | {"document_number": fictional.uscc(2)}), action="next")
    assert visitor.status == 400
    visitor.submit("document_number", **(UNIT | {"document_number": fictional.uscc(3)}), action="next")
    assert visitor.status == 429
    assert "已被使用[" not in visitor.text


def test_the_whole_address_is_limited_too(make_app: Any, migrated_sqlite_url: str) -> None:
    # U4, DESIGN 8
    app = make_app(migrated_sqlite_url, limit_registration="2/hour")
    with app.app_context():
        visitor = InsideVisitor(app)
        rows.person(0)
        visitor.get("/register/unit")
        for status in (400, 400, 429):
            visitor.submit("agent_username", **(AGENT | {"agent_document_number": fictional.resident_id(9)}))
            assert visitor.status == status


@pytest.mark.parametrize("taken_by", ["person", "unit"])
def test_a_login_name_is_shared_with_persons(visitor: InsideVisitor, taken_by: str) -> None:
    # P2
    rows.person(0)
    if taken_by == "person":
        rows.person(5, login_name="OUR_unit")
    else:
        rows.unit(5, login_name="OUR_unit")
    filled(at_step2(visitor))
    assert visitor.status == 400
    assert "用户名已被使用" in visitor.text


def test_a_faster_registration_of_the_same_number_is_told_the_same_way(visitor: InsideVisitor) -> None:
    # U4
    rows.person(0)
    at_step3(visitor).submit("code", action="send_code")
    code = codes.sent_to(fictional.mobile(0))[-1]
    rows.unit(1)
    visitor.submit("code", code=code, action="register")
    assert re.search(r"单位证件号码已被使用\[[0-9a-f-]{36}\]", visitor.text)
    assert len(units()) == 1


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, 1),
        ({"name": "别的有限公司"}, 0),
        ({"legal_representative": "丁卯"}, 0),
        ({"status": CompanyStatus.DEREGISTERED}, 0),
    ],
    ids=["agrees", "name differs", "representative differs", "deregistered"],
)
def test_the_register_raises_the_trust_level_and_refuses_nobody(
    app: Flask, visitor: InsideVisitor, change: dict[str, Any], level: int
) -> None:
    # F2, U16: typed data, L1 if the register agrees; U14: never verified by it
    def answer(uscc: str) -> Company:
        agreed = agreeing(uscc)
        return Company(**{field: change.get(field, getattr(agreed, field)) for field in agreed.__dataclass_fields__})

    answering(app, answer)
    rows.person(0)
    finish(at_step3(visitor))
    unit = only_unit()
    assert unit.trust_level == level
    assert unit.verified_at is None


def test_a_register_that_is_away_stops_nobody(app: Flask, visitor: InsideVisitor) -> None:
    def away(uscc: str) -> Company | None:
        raise GatewayUnavailable("company_register", "connection")

    answering(app, away)
    rows.person(0)
    finish(at_step3(visitor))
    assert only_unit().trust_level == 0
