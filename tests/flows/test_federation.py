"""省统一身份认证 on the pages (F1, F4, P7), without JavaScript: first logins, and accounts that were there before."""

from flask import Flask

from idp.persons.model import AccountKind, Person
from idp.sessions import passwords
from idp.store.db import db
from idp.units.model import Unit
from tests.flows.authorizing import CALLBACK, STATE
from tests.flows.inside import InsideVisitor
from tests.flows.upstream_visits import PASSWORD, app, ask, click, come_back, protocol, trip, visitor, who
from tests.support import codes, fictional, rows
from tests.support.application import MakeApp
from tests.support.upstreams import PERSON, UNIT, StandIn

__all__ = ["app", "protocol", "visitor"]


def test_a_first_login_and_the_next(visitor: InsideVisitor) -> None:
    """F1, P7: one page asks for the terms, with a login name to keep; the next time there is none."""
    trip(visitor)
    assert "首次登录" in visitor.text
    assert fictional.resident_id() not in visitor.text
    visitor.submit("username", accept_terms="y")
    assert visitor.url == "http://localhost/account"
    first = who(visitor)
    assert first is not None
    assert db.session.get_one(Person, first.subject_id).real_name_level == 3
    visitor.client.delete_cookie("jingban_session")
    trip(visitor)
    again = who(visitor)
    assert again is not None
    assert again.subject_id == first.subject_id


def test_the_terms_must_be_accepted(visitor: InsideVisitor) -> None:
    trip(visitor).submit("username")
    assert visitor.status == 400
    assert db.session.query(Person).count() == 0


def test_the_interaction_goes_on_where_it_was(visitor: InsideVisitor) -> None:
    """F1: the portal gets its answer, through the first login."""
    rows.client(consent_required=False, acts_for="never")
    click(ask(visitor))
    come_back(visitor, PERSON)
    visitor.submit("username", accept_terms="y")
    assert visitor.url.startswith(CALLBACK + "?")
    assert f"state={STATE}" in visitor.url


def test_the_same_number_asks_for_the_password(visitor: InsideVisitor) -> None:
    """DESIGN 6."""
    person_id = rows.person(password_hash=passwords.hash_password(PASSWORD))
    trip(visitor)
    assert "关联已有账号" in visitor.text
    assert who(visitor) is None
    visitor.submit("password", password="Wrong-Owl0000")
    assert "用户名或密码错误，还可尝试 4 次" in visitor.text
    assert "注销该账号" not in visitor.text
    visitor.submit("password", password=PASSWORD)
    found = who(visitor)
    assert found is not None
    assert found.subject_id == person_id


def test_what_was_registered_by_somebody_else(visitor: InsideVisitor) -> None:
    """DESIGN 6: it falls on a page that says so."""
    squatted = rows.person(real_name_level=1, password_hash=passwords.hash_password(PASSWORD))
    click(trip(visitor), "注销该账号，重新开始")
    assert "原账号将被注销" in visitor.text
    assert db.session.get_one(Person, squatted, populate_existing=True).status == "active"
    visitor.submit("username", accept_terms="y")
    found = who(visitor)
    assert found is not None
    assert found.subject_id != squatted
    assert db.session.get_one(Person, squatted, populate_existing=True).status == "cancelled"


def test_initialisation_of_a_unit(visitor: InsideVisitor, app: Flask) -> None:
    """F4: who is the agent, what the province does not know, straight on; what it vouches for is no field."""
    rows.client(consent_required=False, allows_unit_accounts=True)
    agent = rows.person(3)
    click(click(ask(visitor), "单位登录"))
    come_back(visitor, UNIT)
    assert "登录初始化" in visitor.text
    visitor.submit("agent_username", agent_username=fictional.login_name(3), agent_document_number="x")
    assert "用户名与证件号码不匹配" in visitor.text
    visitor.submit(
        "agent_username",
        agent_username=fictional.login_name(3),
        agent_document_number=fictional.resident_id(3),
    )
    assert fictional.unit_name(1) in visitor.text
    assert {"name", "document_number", "legal_representative"}.isdisjoint(visitor.form("username").names())
    typed = {"province": "440000", "city": "440700", "district": rows.SEAT, "username": "unit_from_there"}
    visitor.submit("province", **typed, action="load_region")
    visitor.submit("username", **typed, action="send_code")
    code = codes.sent_to(fictional.mobile(3))[-1]
    visitor.submit(
        "username", **typed, password=PASSWORD, password_again=PASSWORD, code=code, action="register",
        name="另一家公司", document_number=fictional.uscc(9), legal_representative="另一人",
    )  # fmt: skip
    assert visitor.url.startswith(CALLBACK + "?"), visitor.text
    unit = db.session.query(Unit).one()
    assert (unit.full_name, unit.document_number) == (fictional.unit_name(1), fictional.uscc(1))
    assert (unit.legal_representative, unit.trust_level) == (fictional.person_name(6), 2)
    found = who(visitor)
    assert found is not None
    assert (found.kind, found.subject_id) == (AccountKind.UNIT, unit.id)
    assert agent


def test_the_agent_of_a_unit_must_be_real_named(visitor: InsideVisitor) -> None:
    """U2, F4."""
    rows.person(3, real_name_level=1)
    trip(visitor, UNIT, "unit").submit(
        "agent_username",
        agent_username=fictional.login_name(3),
        agent_document_number=fictional.resident_id(3),
    )
    assert "当前账号实名等级不足，请至少提升至二级实名后重试" in visitor.text


def test_without_upstreams_nothing_is_offered(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url)
    with app.app_context():
        visitor = InsideVisitor(app)
        assert "/federation/" not in visitor.get("/sign-in").text
        assert visitor.get("/federation/province").status == 404


def test_persons_only(make_app: MakeApp, migrated_sqlite_url: str, there: StandIn) -> None:
    """The social-security card knows no units: no tile on their tab, and a unit that comes all the same is refused."""
    app = make_app(migrated_sqlite_url, upstreams=(there.setting(kinds=["person"]),))
    with app.app_context():
        visitor = InsideVisitor(app)
        assert "省统一身份认证" not in visitor.get("/sign-in", tab="unit").text
        come_back(click(visitor.get("/sign-in")), UNIT)
        assert "该登录方式不支持此类账号" in visitor.text
