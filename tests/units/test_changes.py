"""Changing a unit's data, and what the register says of it (U16, F2)."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.audit.model import AuditEntry
from idp.gateways import GatewayUnavailable
from idp.gateways.company_register import Company, CompanyStatus
from idp.rules.names import PersonNameRefused, UnitNameRefused
from idp.store.db import db
from idp.units import changes
from idp.units.changes import TypedData
from idp.units.errors import RegionIncomplete, UnitNameFixed
from idp.units.model import Unit
from tests.support import fictional, rows

TYPED = TypedData("南粤示例（广州）有限公司", "辛未", "441900")


class Register:
    """A register with one entry, or away."""

    def __init__(self, name: str = "", representative: str = "", *, away: bool = False) -> None:
        self.entry = (name, representative)
        self.away = away

    def look_up(self, uscc: str) -> Company | None:
        if self.away:
            raise GatewayUnavailable("company_register", "read_timeout")
        name, representative = self.entry
        if not name:
            return None
        return Company(uscc, name, representative, None, CompanyStatus.ACTIVE, "enterprise", "440106")


def read(unit_id: str) -> Unit:
    return db.session.get_one(Unit, unit_id, populate_existing=True)


def test_an_unverified_unit_changes_name_representative_and_seat(app: Flask) -> None:
    # U16
    unit_id = rows.unit()
    changes.change(unit_id, TYPED, Register())
    unit = read(unit_id)
    assert (unit.full_name, unit.legal_representative, unit.region_code) == (
        TYPED.full_name,
        TYPED.legal_representative,
        TYPED.region_code,
    )
    assert unit.document_number == fictional.uscc(1)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "unit.changed")).one()
    assert entry.details == {"renamed": True, "moved": True, "register": "no_entry"}


def test_a_verified_unit_keeps_its_name_and_may_move(app: Flask) -> None:
    # U16, U17
    unit_id = rows.unit(1, verified_at=clock.now())
    for typed in (
        TYPED,
        replace(TYPED, full_name=fictional.unit_name(1)),
        replace(TYPED, legal_representative=fictional.person_name(6)),
    ):
        with pytest.raises(UnitNameFixed):
            changes.change(unit_id, typed, Register())
    assert read(unit_id).full_name == fictional.unit_name(1)
    changes.move(unit_id, "441900")
    assert read(unit_id).region_code == "441900"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"full_name": "广 州"}, UnitNameRefused),
        ({"legal_representative": "9"}, PersonNameRefused),
        ({"region_code": "440700"}, RegionIncomplete),
    ],
)
def test_what_cannot_be_taken_changes_nothing(app: Flask, changed: dict[str, str], error: type[Exception]) -> None:
    unit_id = rows.unit()
    with pytest.raises(error):
        changes.change(unit_id, replace(TYPED, **changed), Register())
    assert read(unit_id).full_name == fictional.unit_name(1)


def test_brackets_and_outer_blanks_are_spelled_one_way(app: Flask) -> None:
    # U16: the same name typed differently is the same name
    unit_id = rows.unit()
    changes.change(unit_id, replace(TYPED, full_name=" 南粤示例(广州)有限公司 "), Register())
    assert read(unit_id).full_name == "南粤示例（广州）有限公司"


@pytest.mark.parametrize(
    ("before", "register", "after"),
    [
        (0, Register(TYPED.full_name, TYPED.legal_representative), 1),
        (0, Register("南粤示例(广州)有限公司", TYPED.legal_representative), 1),
        (1, Register("别的有限公司", TYPED.legal_representative), 0),
        (1, Register(), 0),
        (1, Register(away=True), 0),
        (2, Register(), 2),
    ],
    ids=["agrees", "another spelling agrees", "differs", "no entry", "away", "a province's level stays"],
)
def test_the_trust_level_follows_the_new_name(app: Flask, before: int, register: Register, after: int) -> None:
    # F2: L1 = the register agrees with what stands there now
    unit_id = rows.unit(1, trust_level=before)
    changes.change(unit_id, TYPED, register)
    assert read(unit_id).trust_level == after
    assert read(unit_id).verified_at is None, "agreement is no real-name verification (U14)"


def test_a_register_that_is_away_takes_nothing_from_a_unit_that_only_moves(app: Flask) -> None:
    # F2
    unit_id = rows.unit(1, trust_level=1)
    unit = read(unit_id)
    same = TypedData(unit.full_name, unit.legal_representative, "441900")
    changes.change(unit_id, same, Register(away=True))
    assert (read(unit_id).trust_level, read(unit_id).region_code) == (1, "441900")


def test_an_organisation_code_is_not_looked_up(app: Flask) -> None:
    # U3
    unit_id = rows.unit(1, document_type="org_code", document_number=fictional.org_code())
    changes.change(unit_id, TYPED, Register(away=True))
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "unit.changed")).one()
    assert entry.details["register"] == "not_asked"
