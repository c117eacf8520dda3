"""个人注册 (P1–P5): the page without JavaScript, every message word for word, nothing typed lost."""

import html
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.persons.model import Person
from idp.store.db import db, release
from sandbox import sms_gateway
from sandbox.serving import Server
from tests.flows.inside import InsideVisitor
from tests.sandbox.client import Client
from tests.support import codes, fictional, rows
from tests.support.application import MakeApp

FORM = {
    "document_type": "resident_id",
    "document_number": fictional.resident_id(),
    "name": fictional.person_name(),
    "phone": "138 0013 8000",
    "username": "user_0000",
    "password": fictional.password(),
    "password_again": fictional.password(),
    "accept_terms": "y",
}
KEPT = ("document_type", "document_number", "name", "phone", "username")
PHONE = fictional.mobile()
OTHER = {"document_number": fictional.resident_id(1), "phone": "13800138001", "username": "user_0001"}


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/account", "/interaction/").get("/register/person")  # type: ignore[return-value]


def send_code(visitor: InsideVisitor, **changes: str) -> str:
    """Press 「获取验证码」 and return the code that was sent."""
    form = FORM | changes
    visitor.submit("document_number", **form, action="send_code")
    sent = codes.sent_to("+86" + form["phone"].replace(" ", ""))
    return sent[-1] if sent else ""


def register(visitor: InsideVisitor, code: str | None = None, **changes: str) -> InsideVisitor:
    form = FORM | changes
    typed = send_code(visitor, **changes) if code is None else code
    visitor.submit("document_number", **form, code=typed, action="register")
    return visitor


def persons() -> list[Person]:
    release()
    return list(db.session.scalars(select(Person)))


def assert_kept(visitor: InsideVisitor, **changes: str) -> None:
    """Everything typed stands there still, but for the passwords."""
    form = FORM | changes
    assert {name: visitor.value(name) for name in KEPT} == {name: form[name] for name in KEPT}
    assert visitor.value("password") == visitor.value("password_again") == ""
    assert form["password"] not in visitor.text


def test_a_person_registers_and_is_led_to_sign_in(visitor: InsideVisitor) -> None:
    """P1: 一级实名."""
    register(visitor)
    assert visitor.url == "http://localhost/register/person/done"
    assert "注册成功" in visitor.text
    [person] = persons()
    assert (person.real_name_level, person.login_name, person.phone) == (1, "user_0000", PHONE)
    visitor.get("/sign-in").submit("password", username="13800138000", password=FORM["password"])
    assert visitor.url == "http://localhost/account"


def test_enter_registers_and_does_not_send_a_code(visitor: InsideVisitor) -> None:
    """Browsers press the first submit button of a form."""
    form = visitor.form("document_number")
    assert form.buttons[0] == ("action", "register")
    assert ("action", "send_code") in form.buttons


def test_the_code_is_sent_without_a_script_and_the_form_stays(visitor: InsideVisitor) -> None:
    code = send_code(visitor)
    assert len(code) == 6
    assert visitor.status == 200
    assert_kept(visitor)
    assert code not in visitor.text
    assert 'data-wait="60"' in visitor.text


def test_the_sms_is_on_its_way(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """The page says that the provider has taken it, with the phone masked."""
    with (
        Server(sms_gateway.create_app("key")) as server,
        make_app(migrated_sqlite_url, sms_url=server.url, sms_key="key").app_context() as context,
    ):
        visitor = InsideVisitor(context.app).get("/register/person")
        visitor.submit("document_number", **FORM, action="send_code")
        assert "验证码已发送至 138****8000，5 分钟内有效" in visitor.text
        assert len(Client(server.url).request("GET", "/sms/messages").json()) == 1


def test_without_the_sms_service_the_page_says_so_at_once(visitor: InsideVisitor) -> None:
    """Nothing is lost: the worker goes on, and the code that was made works."""
    code = send_code(visitor)
    assert "短信服务暂时不可用，系统会自动重试；如一分钟内未收到，请重新获取" in visitor.text
    register(visitor, code)
    assert len(persons()) == 1


def test_a_phone_that_no_sms_reaches_is_named_at_once(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """The provider refuses the number: no word of a code that would still come, and nothing typed is lost."""
    with (
        Server(sms_gateway.create_app("key")) as server,
        make_app(migrated_sqlite_url, sms_url=server.url, sms_key="key").app_context() as context,
    ):
        Client(server.url).request("POST", "/faults", json={"mode": "refuse"})
        visitor = InsideVisitor(context.app).get("/register/person")
        visitor.submit("document_number", **FORM, action="send_code")
        assert "短信无法发送到该手机号，请核对手机号或更换手机号" in visitor.text
        assert "系统会自动重试" not in visitor.text
        assert_kept(visitor)


def test_a_second_code_within_the_minute_is_refused(visitor: InsideVisitor) -> None:
    first = send_code(visitor)
    assert send_code(visitor) == first
    assert visitor.status == 429
    assert "验证码发送过于频繁，请于" in visitor.text
    assert_kept(visitor)
    register(visitor, first)
    assert len(persons()) == 1


@pytest.mark.parametrize(
    ("phone", "sentence"), [("", "手机号格式有误"), ("02012345678", "不是手机号"), ("12", "手机号格式有误")]
)
def test_no_code_goes_to_what_is_no_mobile(visitor: InsideVisitor, phone: str, sentence: str) -> None:
    assert send_code(visitor, phone=phone) == ""
    assert sentence in visitor.text
    assert_kept(visitor, phone=phone)


@pytest.mark.parametrize(
    ("taken", "message"),
    [
        ("document_number", "自然人证件号码已被使用"),
        ("phone", "手机号已被占用"),
        ("username", "用户名已被使用"),
    ],
)
def test_what_is_taken_is_said_word_for_word(visitor: InsideVisitor, taken: str, message: str) -> None:
    """P2, P4."""
    rows.person(0)
    changes = OTHER | {taken: FORM[taken]}
    register(visitor, **changes)
    assert visitor.status == 400
    assert message in visitor.text
    assert_kept(visitor, **changes)
    assert len(persons()) == 1


def test_a_taken_document_has_a_link_to_recovery(visitor: InsideVisitor) -> None:
    """P4. The page it leads to says honestly how to recover today."""
    rows.person(0)
    register(visitor, **(OTHER | {"document_number": FORM["document_number"]}))
    assert '自然人证件号码已被使用 <a href="/recover#account">账号找回</a>' in visitor.text
    visitor.get("/recover")
    assert "服务窗口" in visitor.text
    assert "12345" in visitor.text


def test_what_is_taken_is_told_to_the_phones_owner_only(visitor: InsideVisitor) -> None:
    """DESIGN 8: without the code nobody learns which documents, phones and names have accounts."""
    rows.person(0)
    for code in ("", "000000"):
        register(visitor, code)
        for message in ("已被使用</", "已被占用</"):
            assert message not in visitor.text


def test_a_refused_form_needs_no_new_code(visitor: InsideVisitor) -> None:
    rows.person(1)
    code = send_code(visitor)
    register(visitor, code, username="user_0001")
    assert "用户名已被使用" in visitor.text
    assert visitor.value("code") == code
    register(visitor, code)
    assert len(persons()) == 2


def test_a_wrong_code_says_how_many_tries_are_left(visitor: InsideVisitor) -> None:
    code = send_code(visitor)
    register(visitor, codes.wrong(code))
    assert visitor.status == 400
    assert "短信验证码错误，还可尝试 4 次" in visitor.text
    assert persons() == []


def test_a_code_of_another_browser_is_none(app: Flask, visitor: InsideVisitor) -> None:
    code = send_code(visitor)
    other = InsideVisitor(app)
    with other.client.session_transaction() as session:
        session["browser"] = "another"
    register(other.get("/register/person"), code)  # type: ignore[arg-type]
    assert "短信验证码已失效" in other.text


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"document_number": "440106188001010011"}, ["证件号码有误（校验位不符），请核对"]),
        ({"document_number": fictional.hmt_residence_permit()}, ["该号码是港澳台居民居住证的号码，请改选证件类型"]),
        ({"name": "张 三"}, ["中文姓名中间不能有空格"]),
        ({"username": "1abcd"}, ["用户名应为 5–20 位字母、数字或下划线，并以字母开头"]),
        ({"password": "short", "password_again": "short"}, ["密码不能少于 8 位", "密码须含大写字母", "密码须含数字"]),
        ({"password": "Qwert-2026", "password_again": "Qwert-2026"}, ["密码不能有超过 4 个键盘相邻或连续的字符"]),
        ({"password": "X-user_0000", "password_again": "X-user_0000"}, ["密码不能含有用户名"]),
        ({"password_again": "Other-Owl0"}, ["两次输入的密码不一致"]),
        ({"document_type": "library_card"}, ["请选择证件类型"]),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    visitor: InsideVisitor, changes: dict[str, str], messages: list[str]
) -> None:
    """P2, P3, P5."""
    register(visitor, **changes)
    assert visitor.status == 400
    text = html.unescape(visitor.text)
    for message in messages:
        assert message in text
    assert persons() == []


def test_an_empty_form_names_every_field(visitor: InsideVisitor) -> None:
    visitor.submit("document_number", action="register")
    assert visitor.status == 400
    assert visitor.text.count("该字段是必填字段。") >= 2 * 8


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("hk_macao_permit", fictional.hk_macao_permit(3)),
        ("taiwan_permit", fictional.taiwan_permit(3)),
        ("hmt_residence_permit", fictional.hmt_residence_permit(3)),
        ("foreign_permanent_residence", fictional.foreign_permanent_residence(3)),
        ("passport", fictional.passport(3)),
    ],
)
def test_every_kind_of_document_registers(visitor: InsideVisitor, kind: str, number: str) -> None:
    """P5."""
    register(visitor, document_type=kind, document_number=number)
    [person] = persons()
    assert (person.document_type, person.document_number) == (kind, number)


def test_the_journey_to_a_portal_is_not_lost(visitor: InsideVisitor) -> None:
    visitor.get("/register/person", interaction="some-interaction")
    register(visitor)
    assert 'href="/sign-in?interaction=some-interaction"' in visitor.text


def test_one_address_registers_so_often(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """U4's reason holds here too: what is taken must not be asked at will. The form stays."""
    app = make_app(migrated_sqlite_url, limit_registration="2/minute", limit_sms="1/minute")
    with app.app_context():
        visitor: Any = InsideVisitor(app).get("/register/person")
        for _ in range(2):
            register(visitor, "000000")
            assert visitor.status == 400
        register(visitor, "000000")
        assert visitor.status == 429
        assert "操作过于频繁" in visitor.text
        assert_kept(visitor)
        send_code(visitor)
        assert send_code(visitor, phone="13800138001") == ""
        assert "操作过于频繁" in visitor.text
