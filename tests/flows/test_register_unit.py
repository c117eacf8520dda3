"""单位注册 in three steps (U1–U5, U8, P2, P3, P13)."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.model import AuditEntry
from idp.delegation.model import Binding, BusinessGrant
from idp.gateways import GatewayUnavailable
from idp.gateways.company_register import Company, CompanyStatus
from idp.persons.model import LoginName
from idp.sessions.model import Draft
from idp.store.db import db, release
from idp.units.model import Unit
from tests.flows.inside import InsideVisitor
from tests.support import codes, fictional, rows
from tests.support.clocks import MovedClock, moved_clock

__all__ = ["moved_clock"]

AGENT = {"agent_username": fictional.login_name(0), "agent_document_number": fictional.resident_id(0)}
UNIT = {
    "document_number": fictional.uscc(1),
    "name": fictional.unit_name(1),
    "province": "440000",
    "city": "440700",
    "district": "440703",
    "legal_representative": fictional.person_name(7),
    "username": "our_unit",
    "password": fictional.password(),
    "password_again": fictional.password(),
}


class Register:
    """The register as a test wants it to answer."""

    def __init__(self, answer: Callable[[str], Company | None]) -> None:
        self.look_up = answer


def answering(app: Flask, answer: Callable[[str], Company | None]) -> None:
    """Let the company register of `app` answer so."""
    gateways = app.extensions["jingban.gateways"]
    app.extensions["jingban.gateways"] = replace(gateways, company_register=Register(answer))


def agreeing(uscc: str) -> Company:
    return Company(
        uscc, UNIT["name"], UNIT["legal_representative"], None, CompanyStatus.ACTIVE, "enterprise", "440703"
    )


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app)


def at_step2(visitor: InsideVisitor) -> InsideVisitor:
    return visitor.get("/register/unit").submit("agent_username", **AGENT, action="next")


def filled(visitor: InsideVisitor, **changes: str) -> InsideVisitor:
    """Fill in the second step as a visitor without scripts does: list after list."""
    values = UNIT | changes
    visitor.submit("document_number", province=values["province"], action="load_region")
    visitor.submit("document_number", city=values["city"], action="load_region")
    return visitor.submit("document_number", **values, action="next")


def at_step3(visitor: InsideVisitor, **changes: str) -> InsideVisitor:
    filled(at_step2(visitor), **changes)
    assert visitor.url.startswith("http://localhost/register/unit/3"), visitor.text
    return visitor


def finish(visitor: InsideVisitor) -> InsideVisitor:
    visitor.submit("code", action="send_code")
    return visitor.submit("code", code=codes.sent_to(fictional.mobile(0))[-1], action="register")


def only_unit() -> Unit:
    release()
    return db.session.scalars(select(Unit).execution_options(populate_existing=True)).one()


def units() -> list[Unit]:
    release()
    return list(db.session.scalars(select(Unit)))


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


def test_the_form_survives_going_back_and_forth(visitor: InsideVisitor) -> None:
    # U1
    rows.person(0)
    at_step3(visitor)
    visitor.submit("code", action="back")
    assert visitor.value("name") == UNIT["name"]
    assert visitor.value("district") == "440703"
    assert "已设置，留空则不变" in visitor.text
    assert UNIT["password"] not in visitor.text
    visitor.submit("document_number", name="半路改名有限公司", action="back")
    assert visitor.value("agent_username") == AGENT["agent_username"]
    visitor.submit("agent_username")
    assert visitor.value("name") == "半路改名有限公司"
    visitor.submit("document_number", action="next")
    assert "半路改名有限公司" in visitor.text
    finish(visitor)
    assert only_unit().full_name == "半路改名有限公司"
    visitor.get("/unit").submit("password", username="our_unit", password=UNIT["password"])
    assert visitor.url == "http://localhost/unit", "the password of the first time holds"


def test_a_new_login_name_needs_the_password_again(visitor: InsideVisitor) -> None:
    # P3: the password was compared with the login name of before
    rows.person(0)
    at_step3(visitor).submit("code", action="back")
    visitor.submit("document_number", username="wise_owl0000", action="next")
    assert visitor.status == 400
    assert "请重新设置密码" in visitor.text


def test_the_draft_is_encrypted_holds_no_password_and_ends(visitor: InsideVisitor) -> None:
    # U1, DESIGN 8
    rows.person(0)
    at_step3(visitor)
    release()
    content = db.session.scalars(select(Draft.content)).one()
    assert UNIT["password"] not in content
    assert "$argon2id$" in content
    stored = db.session.connection().exec_driver_sql("SELECT content FROM draft").scalar_one()
    assert UNIT["name"].encode() not in bytes(stored)
    finish(visitor)
    release()
    assert db.session.scalars(select(Draft)).all() == []


def test_a_draft_belongs_to_its_browser(app: Flask, visitor: InsideVisitor) -> None:
    # DESIGN 8
    rows.person(0)
    at_step3(visitor)
    address = visitor.url
    other = InsideVisitor(app)
    with other.client.session_transaction() as session:
        session["browser"] = "another"
    other.get(address)
    assert other.url.startswith("http://localhost/register/unit?draft=")
    assert "填写的内容已过期" in other.text
    assert UNIT["name"] not in other.text


def test_an_expired_draft_begins_anew(visitor: InsideVisitor, moved_clock: MovedClock) -> None:
    from datetime import timedelta  # noqa: PLC0415 - only this test lets time pass

    rows.person(0)
    at_step3(visitor)
    moved_clock.advance(timedelta(hours=1))
    visitor.submit("code", action="send_code")
    assert "填写的内容已过期，请重新开始" in visitor.text


def test_steps_cannot_be_skipped(visitor: InsideVisitor) -> None:
    rows.person(0)
    for step in ("/register/unit/2", "/register/unit/3", "/register/unit/done"):
        visitor.get(step)
        assert visitor.url.startswith("http://localhost/register/unit")
        assert visitor.form("agent_username")
    at_step2(visitor)
    visitor.get(visitor.url.replace("/2?", "/3?"))
    assert "/register/unit/2" in visitor.url


@pytest.mark.parametrize("right", [True, False])
def test_only_the_code_sent_to_the_agent_registers(visitor: InsideVisitor, right: bool) -> None:
    # U1
    rows.person(0)
    at_step3(visitor).submit("code", action="send_code")
    code = codes.sent_to(fictional.mobile(0))[-1]
    visitor.submit("code", code=code if right else codes.wrong(code), action="register")
    assert len(units()) == int(right)
    if not right:
        assert "短信验证码错误，还可尝试 4 次" in visitor.text


def test_a_code_registers_once(app: Flask, visitor: InsideVisitor) -> None:
    # U1, DESIGN 8: the same form sent twice
    rows.person(0)
    at_step3(visitor).submit("code", action="send_code")
    address, form = visitor.url, visitor.form("code")
    values = dict(form.values) | {"code": codes.sent_to(fictional.mobile(0))[-1], "action": "register"}
    release()
    for _ in range(2):
        visitor.client.post(address, data=values)
    assert len(units()) == 1


def test_a_level_that_was_lost_meanwhile_stops_the_registration(visitor: InsideVisitor) -> None:
    # U2, P13: asked again at the end
    rows.person(0)
    at_step3(visitor).submit("code", action="send_code")
    code = codes.sent_to(fictional.mobile(0))[-1]
    rows.person(0, login_name="imported", document_claim=None, phone_claim=None)
    visitor.submit("code", code=code, action="register")
    assert "[自然人用户信息]数据错误" in visitor.text
    assert units() == []


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


def test_no_form_is_taken_without_its_token(app: Flask) -> None:
    visitor = InsideVisitor(app)
    answer = visitor.client.post("/register/unit", data=AGENT)
    assert answer.status_code == 400
