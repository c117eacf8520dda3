"""The pages of a unit's own account (U7, U8, U16)."""

import pytest
from flask import Flask

from idp import clock
from idp.persons.model import AccountKind
from idp.store.db import db
from idp.units.model import Unit
from tests.flows.inside import InsideVisitor
from tests.support import fictional, rows

PAGES = ("/unit", "/unit/edit", "/unit/sub-accounts", "/unit/sub-accounts/new", "/account/agreements")


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app)


def read(unit_id: str) -> Unit:
    return db.session.get_one(Unit, unit_id, populate_existing=True)


def test_a_new_unit_is_told_what_is_still_to_be_done(visitor: InsideVisitor) -> None:
    # U8
    visitor.sign_in(rows.unit(), AccountKind.UNIT).get("/unit")
    assert "尚未设置常用联系人" in visitor.text
    assert "尚未绑定经办人员" in visitor.text


def test_a_unit_with_contact_and_agents_is_left_in_peace(visitor: InsideVisitor) -> None:
    # U8
    unit_id = rows.unit()
    rows.binding(unit_id, rows.person(0), kind="common_contact")
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit")
    assert "尚未" not in visitor.text
    assert "*" + fictional.person_name(0)[-1] in visitor.text


def test_its_data_is_shown_with_the_representative_masked(visitor: InsideVisitor) -> None:
    # U16, DESIGN 8
    visitor.sign_in(rows.unit(legal_representative="欧阳明日"), AccountKind.UNIT).get("/unit")
    assert fictional.unit_name(1) in visitor.text
    assert fictional.uscc(1) in visitor.text
    assert "广东省江门市蓬江区" in visitor.text
    assert "***日" in visitor.text
    assert "欧阳明日" not in visitor.text


@pytest.mark.parametrize(("level", "words"), [(0, "未核验"), (1, "三级（L1）"), (2, "四级（L2）"), (3, "五级（L3）")])
def test_the_trust_level_is_shown_in_the_provinces_words(visitor: InsideVisitor, level: int, words: str) -> None:
    # F2
    visitor.sign_in(rows.unit(1, trust_level=level), AccountKind.UNIT).get("/unit")
    assert words in visitor.text


def test_an_unverified_unit_changes_its_data(visitor: InsideVisitor) -> None:
    # U16
    unit_id = rows.unit()
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit/edit")
    assert visitor.value("name") == fictional.unit_name(1)
    assert visitor.value("district") == rows.SEAT
    visitor.submit("name", province="440000", city="441900", district="", action="load_region")
    assert visitor.value("city") == "441900"
    visitor.submit("name", name="新名有限公司", action="save")
    assert visitor.url == "http://localhost/unit"
    assert "单位资料已保存" in visitor.text
    assert (read(unit_id).full_name, read(unit_id).region_code) == ("新名有限公司", "441900")


def test_what_cannot_be_taken_is_said_and_kept(visitor: InsideVisitor) -> None:
    visitor.sign_in(rows.unit(), AccountKind.UNIT).get("/unit/edit")
    visitor.submit("name", name="广 州", legal_representative="辛未", action="save")
    assert visitor.status == 400
    assert "单位名称中间不能有空格" in visitor.text
    assert visitor.value("name") == "广 州"
    visitor.submit("name", name="广州有限公司", legal_representative="辛9", action="save")
    assert "姓名请与证件一致" in visitor.text
    visitor.submit("name", legal_representative="辛未", district="", action="save")
    assert "请将单位所在地选择到最后一级" in visitor.text


def test_a_verified_unit_has_no_field_for_its_name(visitor: InsideVisitor) -> None:
    # U16
    unit_id = rows.unit(1, verified_at=clock.now())
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit/edit")
    assert "name" not in visitor.form("province").names()
    visitor.submit("province", name="偷换有限公司", city="441900", district="", action="save")
    assert read(unit_id).full_name == fictional.unit_name(1)
    assert read(unit_id).region_code == "441900"


def test_type_and_number_are_no_fields(visitor: InsideVisitor) -> None:
    # U16
    unit_id = rows.unit()
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit/edit")
    visitor.submit("name", document_type="org_code", document_number=fictional.uscc(2), action="save")
    assert (read(unit_id).document_type, read(unit_id).document_number) == ("uscc", fictional.uscc(1))


@pytest.mark.parametrize("page", PAGES)
def test_nobody_else_comes_in(app: Flask, page: str) -> None:
    # U7
    InsideVisitor(app).get(page).form("password")
    if page.startswith("/unit"):
        assert InsideVisitor(app).sign_in(rows.person()).get(page).status == 403


@pytest.mark.parametrize("page", ["/account", "/account/parent-accounts", "/choose-unit", "/account/unionpay"])
def test_a_unit_does_not_come_into_a_persons_pages(app: Flask, page: str) -> None:
    assert InsideVisitor(app).sign_in(rows.unit(), AccountKind.UNIT).get(page).status == 403
