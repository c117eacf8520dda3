"""单位注册 step by step (U1): going back and forth, drafts, skipped steps, and the code at the end."""

import pytest
from flask import Flask
from sqlalchemy import select

from idp.sessions.model import Draft
from idp.store.db import db, release
from tests.flows.inside import InsideVisitor
from tests.flows.registering_unit import AGENT, UNIT, at_step2, at_step3, finish, only_unit, units, visitor
from tests.support import codes, fictional, rows
from tests.support.clocks import MovedClock, moved_clock

__all__ = ["moved_clock", "visitor"]


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
