"""单位注册 (U1–U3, U5, U8) without JavaScript: the whole way, who may be the agent, and every field."""

import json

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.model import AuditEntry
from idp.delegation.model import Binding, BusinessGrant
from idp.persons.model import LoginName
from idp.store.db import db
from tests.flows.inside import InsideVisitor
from tests.flows.registering_unit import AGENT, UNIT, at_step2, at_step3, filled, finish, only_unit, visitor
from tests.support import fictional, rows

__all__ = ["visitor"]


def test_the_whole_way(visitor: InsideVisitor) -> None:
    # U1, U8
    person_id = rows.person(0)
    at_step3(visitor)
    assert UNIT["name"] in visitor.text
    assert "广东省江门市蓬江区" in visitor.text
    assert "138****8000" in visitor.text
    assert AGENT["agent_document_number"] not in visitor.text
    finish(visitor)
    assert "单位注册成功" in visitor.text
    unit = only_unit()
    assert (unit.document_number, unit.full_name) == (UNIT["document_number"], UNIT["name"])
    assert (unit.region_code, unit.legal_representative) == ("440703", UNIT["legal_representative"])
    assert (unit.status, unit.verified_at) == ("active", None)
    bound = db.session.scalars(select(Binding)).one()
    assert (bound.unit_id, bound.person_id, bound.kind) == (unit.id, person_id, "agent")
    assert (bound.status, bound.proven_by) == ("active", "registration")
    assert db.session.scalars(select(BusinessGrant)).all() == [], "bound at once, but granted nothing"
    assert db.session.get_one(LoginName, "our_unit").owner_id == unit.id
    assert "unit.registered" in db.session.scalars(select(AuditEntry.action)).all()


def test_the_unit_signs_in_and_is_led_to_contact_and_agents(visitor: InsideVisitor) -> None:
    # U6, U8
    rows.person(0)
    finish(at_step3(visitor))
    assert "设置常用联系人" in visitor.text
    visitor.get("/unit/sub-accounts")
    visitor.submit("password", username="our_unit", password=UNIT["password"])
    assert visitor.url == "http://localhost/unit/sub-accounts", visitor.text
    assert "尚未设置常用联系人" in visitor.text


@pytest.mark.parametrize("document_type", ["hk_macao_permit", "taiwan_permit", "hmt_residence_permit"])
def test_holders_of_hmt_documents_register_too(visitor: InsideVisitor, document_type: str) -> None:
    # U5
    number = {
        "hk_macao_permit": fictional.hk_macao_permit(),
        "taiwan_permit": fictional.taiwan_permit(),
        "hmt_residence_permit": fictional.hmt_residence_permit(),
    }[document_type]
    rows.person(0, document_type=document_type, document_number=number)
    visitor.get("/register/unit").submit("agent_username", **(AGENT | {"agent_document_number": number}))
    finish(filled(visitor))
    assert only_unit().login_name == "our_unit"


def test_a_level_too_low_is_said_with_the_ways_to_lift_it(visitor: InsideVisitor) -> None:
    # U2
    rows.person(0, real_name_level=1)
    at_step2(visitor)
    assert visitor.status == 400
    assert "当前账号实名等级不足，请至少提升至二级实名后重试" in visitor.text
    assert "/account/unionpay" in visitor.text


@pytest.mark.parametrize(
    "wrong",
    [{"agent_username": "nobody_here"}, {"agent_document_number": fictional.resident_id(1)}],
    ids=["login name", "number"],
)
def test_an_agent_who_does_not_match_gets_one_answer(visitor: InsideVisitor, wrong: dict[str, str]) -> None:
    # U1
    rows.person(0)
    rows.person(1)
    visitor.get("/register/unit").submit("agent_username", **(AGENT | wrong))
    assert visitor.status == 400
    assert "用户名与证件号码不匹配" in visitor.text
    assert visitor.value("agent_username") == (AGENT | wrong)["agent_username"], "what was typed stays"


def test_document_numbers_are_not_tried_for_long(visitor: InsideVisitor) -> None:
    # U1: counted before the answer, by login name
    rows.person(0)
    visitor.get("/register/unit")
    for n in range(1, 21):
        visitor.submit("agent_username", **(AGENT | {"agent_document_number": fictional.resident_id(n)}))
        assert visitor.status == 400
    visitor.submit("agent_username", **AGENT)
    assert visitor.status == 429
    assert "尝试次数过多" in visitor.text


def test_two_accounts_of_one_person_are_refused(visitor: InsideVisitor) -> None:
    # P13
    rows.person(0)
    rows.person(0, login_name="imported", document_claim=None, phone_claim=None)
    at_step2(visitor)
    assert "[自然人用户信息]数据错误" in visitor.text


def test_a_cancelled_second_account_does_not_matter(visitor: InsideVisitor) -> None:
    # P13
    rows.person(0)
    rows.person(0, login_name="imported", document_claim=None, phone_claim=None, status="cancelled")
    at_step2(visitor)
    assert visitor.url.startswith("http://localhost/register/unit/2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"document_number": " " + fictional.uscc(1)}, "统一社会信用代码前后和中间都不能有空格"),
        ({"document_number": fictional.uscc(1)[:9] + " " + fictional.uscc(1)[9:]}, "前后和中间都不能有空格"),
        ({"document_number": "914400000000000000"}, "校验位不符"),
        ({"document_number": "440100000"}, "应为 18 位，当前为 9 位"),
        ({"name": "广 州示例"}, "单位名称中间不能有空格"),
        ({"legal_representative": "张3"}, "姓名请与证件一致"),
        ({"username": "1abc"}, "用户名应为 5–20 位"),
        ({"password": "weak", "password_again": "weak"}, "密码不能少于 8 位"),
        ({"password": "Our_unit99", "password_again": "Our_unit99"}, "密码不能含有用户名"),
        ({"password_again": "Other-1234"}, "两次输入的密码不一致"),
        ({"password": "", "password_again": ""}, "该字段是必填字段。"),
        ({"city": "440700", "district": ""}, "请将单位所在地选择到最后一级"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(
    visitor: InsideVisitor, changes: dict[str, str], message: str
) -> None:
    # U3, P2, P3
    rows.person(0)
    filled(at_step2(visitor), **changes)
    assert visitor.status == 400
    assert message in visitor.text
    assert visitor.value("legal_representative") == (UNIT | changes)["legal_representative"]


def test_everything_wrong_is_said_at_once(visitor: InsideVisitor) -> None:
    # P3, U3
    rows.person(0)
    filled(at_step2(visitor), document_number="1", name="x", username="1", password="a", password_again="a")
    for message in ("应为 18 位", "单位名称应为 2–100 个字", "用户名应为", "密码不能少于 8 位"):
        assert message in visitor.text


def test_organisation_codes_are_not_offered(visitor: InsideVisitor) -> None:
    # U3
    rows.person(0)
    at_step2(visitor)
    assert visitor.form("document_type").choices["document_type"] == ["uscc"]
    filled(visitor, document_type="org_code", document_number=fictional.org_code())
    assert visitor.status == 400


@pytest.mark.parametrize(
    ("province", "city", "name"),
    [("440000", "441900", "广东省东莞市"), ("110000", "110105", "北京市朝阳区")],
    ids=["a city without districts", "a municipality"],
)
def test_two_lists_are_enough_where_there_are_only_two(
    visitor: InsideVisitor, province: str, city: str, name: str
) -> None:
    # U1, DESIGN 7
    rows.person(0)
    at_step3(visitor, province=province, city=city, district="")
    assert name in visitor.text


def test_the_script_gets_the_lists_as_json(visitor: InsideVisitor) -> None:
    visitor.get("/regions", parent="440000")
    cities = json.loads(visitor.text)
    assert cities["level"] == "city"
    assert {"code": "441900", "name": "东莞市"} in cities["regions"]
    assert json.loads(visitor.get("/regions", parent="441900").text) == {"level": None, "regions": []}
    assert json.loads(visitor.get("/regions", parent="110000").text)["level"] == "city"
    assert json.loads(visitor.get("/regions").text)["level"] == "province"


def test_no_form_is_taken_without_its_token(app: Flask) -> None:
    visitor = InsideVisitor(app)
    answer = visitor.client.post("/register/unit", data=AGENT)
    assert answer.status_code == 400
