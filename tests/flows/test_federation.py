"""省统一身份认证 on the pages (F1, F3, F4, P7): there and back without JavaScript, alone and on the way to portals."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, g

from idp.factors.model import UpstreamLink
from idp.persons.model import AccountKind, Person
from idp.sessions import browser_sessions, passwords
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import db
from idp.units.model import Unit
from tests.flows.authorizing import CALLBACK, STATE, parameters
from tests.flows.inside import InsideVisitor
from tests.support import codes, fictional, rows
from tests.support.application import MakeApp
from tests.support.upstreams import PERSON, UNIT, StandIn, sign_in_there

PASSWORD = fictional.password()
F3 = "当前省统一身份认证用户实名等级不足，单位用户最低实名等级为“L3”级，请点击[确认]按钮按照引导提升实名等级"


@pytest.fixture(params=["province", "oidc"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str, there: StandIn, protocol: str) -> Iterator[Flask]:
    """The provider with one upstream. Requests know nothing of each other (see conftest.py)."""
    application = make_app(migrated_sqlite_url, upstreams=(there.setting(protocol),))
    application.before_request_funcs.setdefault(None, []).insert(0, forget)
    with application.app_context():
        yield application


def forget() -> None:
    """Let requests know nothing of each other, inside of one application context too."""
    for name in list(g):
        g.pop(name)


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/account", "/unit")


def click(visitor: InsideVisitor, label: str = "省统一身份认证") -> InsideVisitor:
    """Follow the link of this label."""
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>(?:(?!</a>).)*{re.escape(label)}', visitor.text, re.DOTALL)
    assert found, f"no link {label} at {visitor.url}: {visitor.text[:3000]}"
    return visitor.get(found[1].replace("&amp;", "&"))


def come_back(visitor: InsideVisitor, account: dict[str, Any], **changes: str) -> InsideVisitor:
    """Sign in over there, where the visitor stands, and come back."""
    back = urlsplit(sign_in_there(visitor.url, account))
    query = {name: values[0] for name, values in parse_qs(back.query).items()} | changes
    return visitor.get(back.path, **query)


def trip(visitor: InsideVisitor, account: dict[str, Any] = PERSON, tab: str = "person") -> InsideVisitor:
    return come_back(click(visitor.get("/sign-in", tab=tab)), account)


def who(visitor: InsideVisitor) -> SignedIn | None:
    cookie = visitor.client.get_cookie("jingban_session")
    return browser_sessions.find(cookie.value) if cookie else None


def ask(visitor: InsideVisitor, **more: str) -> InsideVisitor:
    """Come from a portal."""
    return visitor.get("/oidc/authorize", **parameters(**more))


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


def ticked(visitor: InsideVisitor) -> InsideVisitor:
    """Follow the tile of the province as the box 「以单位身份登录」 has it."""
    found = re.search(r'<a class="tile tile--as-unit" href="([^"]+)"', visitor.text)
    assert found, visitor.text
    return visitor.get(found[1].replace("&amp;", "&"))


def test_the_tick_goes_along(visitor: InsideVisitor) -> None:
    """C1: 「以单位身份登录」 leads to the chooser, through a first login over there too."""
    rows.client(consent_required=False, scopes=["openid"])
    come_back(ticked(ask(visitor)), PERSON)
    visitor.submit("username", accept_terms="y")
    assert urlsplit(visitor.url).path == "/choose-unit"
    visitor.client.delete_cookie("jingban_session")
    come_back(ticked(ask(visitor)), PERSON)
    assert urlsplit(visitor.url).path == "/choose-unit"
    visitor.client.delete_cookie("jingban_session")
    come_back(click(ask(visitor)), PERSON)
    assert visitor.url.startswith(CALLBACK + "?"), "it was not ticked this time"


def test_the_tick_without_a_portal_leads_to_the_units(visitor: InsideVisitor) -> None:
    come_back(ticked(visitor.get("/sign-in")), PERSON)
    visitor.submit("username", accept_terms="y")
    assert urlsplit(visitor.url).path == "/account/parent-accounts"


def test_the_tick_survives_a_refusal_over_there(visitor: InsideVisitor, there: StandIn) -> None:
    rows.client(consent_required=False, scopes=["openid"])
    there.put(PERSON | {"level": "L0"})
    come_back(ticked(ask(visitor)), PERSON)
    assert visitor.status == 403
    click(visitor, "重新登录")
    [box] = re.findall(r'<input[^>]*name="as_unit"[^>]*>', visitor.text)
    assert "checked" in box


def test_the_tick_says_nothing_to_a_unit(visitor: InsideVisitor) -> None:
    """Over there one may sign in as a legal entity all the same."""
    unit_id = rows.unit(password_hash=passwords.hash_password(PASSWORD))
    come_back(ticked(visitor.get("/sign-in")), UNIT)
    visitor.submit("password", password=PASSWORD)
    assert visitor.url == "http://localhost/unit"
    found = who(visitor)
    assert found is not None
    assert found.subject_id == unit_id


def test_the_tick_stays_where_the_level_is_raised(visitor: InsideVisitor) -> None:
    """C1, F6: ticked at the sign-in by password, then over there for the level."""
    person_id = rows.person(password_hash=passwords.hash_password(PASSWORD))
    rows.client(consent_required=False, scopes=["openid"])
    ask(visitor, acr_values="urn:jingban:acr:L2")
    visitor.submit("username", username=fictional.login_name(), password=PASSWORD, as_unit="y")
    assert urlsplit(visitor.url).path == "/raise-level", visitor.url
    come_back(click(visitor), PERSON)
    assert urlsplit(visitor.url).path == "/choose-unit"
    found = who(visitor)
    assert found is not None
    assert found.subject_id == person_id


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


def test_a_level_too_low_leads_there_and_back(visitor: InsideVisitor, there: StandIn) -> None:
    """F3, word for word: [确认] → the province's pages → the same interaction."""
    rows.client(consent_required=False, allows_unit_accounts=True, min_unit_level=3)
    rows.unit(password_hash=passwords.hash_password(PASSWORD))
    click(click(ask(visitor), "单位登录"))
    come_back(visitor, UNIT).submit("password", password=PASSWORD)
    assert F3 in visitor.text
    click(visitor, "确认")
    assert visitor.url.startswith(there.url + "/upgrade?")
    there.put(UNIT, level="L3")
    upgraded = parse_qs(urlsplit(visitor.url).query)["redirect_uri"][0]
    visitor.get(upgraded.removeprefix("http://localhost:8000"))
    come_back(visitor, UNIT)
    assert visitor.url.startswith(CALLBACK + "?"), visitor.text


def test_a_person_raises_the_level_by_the_province(visitor: InsideVisitor) -> None:
    """F6: a step-up, not a new account."""
    person_id = rows.person(password_hash=passwords.hash_password(PASSWORD))
    rows.client(consent_required=False, acts_for="never", min_person_level=2)
    visitor.sign_in(person_id)
    click(ask(visitor))
    come_back(visitor, PERSON)
    assert visitor.url.startswith(CALLBACK + "?"), visitor.text
    found = who(visitor)
    assert found is not None
    assert found.subject_id == person_id


def test_the_province_opens_a_unit_of_the_chooser(visitor: InsideVisitor) -> None:
    """C5, F6: greyed for the person's level, over there and back, and the unit can be chosen."""
    person_id = rows.person(password_hash=passwords.hash_password(PASSWORD))
    rows.client(consent_required=False, scopes=["openid", "high"])
    rows.business("high", min_person_level=2)
    unit_id = rows.unit(5)
    rows.grant(rows.binding(unit_id, person_id), "high")
    visitor.sign_in(person_id)
    click(ask(visitor, scope="openid high"), "提升实名等级")
    come_back(click(visitor), PERSON)
    assert urlsplit(visitor.url).path == "/choose-unit"
    visitor.submit("unit", unit=unit_id)
    assert visitor.url.startswith(CALLBACK + "?"), visitor.text


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("account_disabled", "您在对方平台的账号已被停用"),
        ("unknown_level", "您在对方平台的账号尚未实名核验"),
        ("down", "该登录方式暂时不可用，请稍后重试，或使用账号密码登录"),
    ],
)
def test_refusals_say_why_and_lead_to_sign_in(visitor: InsideVisitor, there: StandIn, fault: str, said: str) -> None:
    """F1: and sign-in by password stays alive."""
    person_id = rows.person(password_hash=passwords.hash_password(PASSWORD))
    click(visitor.get("/sign-in"))
    back = urlsplit(sign_in_there(visitor.url, PERSON))
    there.fault(fault)
    visitor.get(f"{back.path}?{back.query}")
    assert said in visitor.text
    assert visitor.status in {403, 503}
    click(visitor, "重新登录").submit("password", username="user_0000", password=PASSWORD)
    found = who(visitor)
    assert found is not None
    assert found.subject_id == person_id


@pytest.mark.parametrize("changes", [{"state": "another"}, {"state": ""}])
def test_a_state_that_was_swapped(visitor: InsideVisitor, changes: dict[str, str]) -> None:
    come_back(click(visitor.get("/sign-in")), PERSON, **changes)
    assert visitor.status == 400
    assert "本次登录已失效" in visitor.text


def test_a_replayed_return_and_another_browser(visitor: InsideVisitor, app: Flask) -> None:
    click(visitor.get("/sign-in"))
    back = sign_in_there(visitor.url, PERSON).removeprefix("http://localhost:8000")
    stranger = InsideVisitor(app)
    with stranger.client.session_transaction() as session:
        session["browser"] = "another-browser"
    stranger.get(back)
    assert "本次登录已失效" in stranger.text
    assert "首次登录" in visitor.get(back).text
    assert "本次登录已失效" in visitor.get(back).text


def test_whoever_turns_around_over_there(visitor: InsideVisitor) -> None:
    click(visitor.get("/sign-in"))
    query = parse_qs(urlsplit(visitor.url).query)
    state = query["state"][0] if "state" in query else parse_qs(urlsplit(query["redirect_uri"][0]).query)["state"][0]
    visitor.get("/federation/province/return", state=state, error="access_denied")
    assert "您已取消登录" in visitor.text


def test_what_waits_belongs_to_its_browser(visitor: InsideVisitor, app: Flask) -> None:
    trip(visitor)
    stranger = InsideVisitor(app, "/account")
    with stranger.client.session_transaction() as session:
        session["browser"] = "another-browser"
    stranger.get(visitor.url)
    assert "填写的内容已过期" in stranger.text
    assert db.session.query(UpstreamLink).count() == 0


def test_what_waited_signs_nobody_in_again(visitor: InsideVisitor) -> None:
    """Whoever finds the page of a first login in the history of a shared machine gets nowhere with it."""
    page = trip(visitor).url
    visitor.submit("username", accept_terms="y")
    assert who(visitor) is not None
    visitor.client.delete_cookie("jingban_session")
    visitor.get("/sign-in").post(page, username="whoever_1", accept_terms="y")
    assert who(visitor) is None
    assert "填写的内容已过期" in visitor.text


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


def test_a_link_is_listed_and_taken_away(visitor: InsideVisitor) -> None:
    """登录安全 lists it; a fresh login and a question come first."""
    trip(visitor).submit("username", accept_terms="y")
    visitor.outside = ()
    visitor.get("/account/security")
    assert "已关联的其他平台账号" in visitor.text
    address = "/account/security/upstreams/province/unlink"
    visitor.get(address)
    assert "确定解除与省统一身份认证的关联吗？" in visitor.text
    assert "包括当前设备；之后请用其他方式重新登录" in visitor.text
    assert db.session.query(UpstreamLink).count() == 1
    visitor.submit("confirm", confirm="yes")
    assert db.session.query(UpstreamLink).count() == 0
    assert who(visitor) is None, "this session was opened through it"
    assert visitor.url == "http://localhost/sign-in?next=/account/security"
    assert "已解除与省统一身份认证的关联" in visitor.text
    visitor.sign_in(db.session.query(Person).one().id).get("/account/security")
    assert "已关联的其他平台账号" not in visitor.text
    assert visitor.get(address).status == 404


def test_a_unit_lists_and_takes_away_its_own(visitor: InsideVisitor) -> None:
    """F1, F4: as persons do; who signed in by password stays signed in. Its common contact is told."""
    unit_id = rows.unit(password_hash=passwords.hash_password(PASSWORD))
    rows.binding(unit_id, rows.person(3), kind="common_contact")
    visitor.outside = ()
    trip(visitor, UNIT, "unit").submit("password", password=PASSWORD)
    assert codes.changes_told(fictional.mobile(3)) == ["upstream_linked"]
    visitor.client.delete_cookie("jingban_session")
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit/security")
    assert "已关联的其他平台账号" in visitor.text
    assert f"*{fictional.person_name(3)[1:]}" in visitor.text, "who is told"
    click(visitor, "解除关联")
    assert "单位的可信等级可能降低" in visitor.text
    assert "用它登录的设备和应用立即退出。" in visitor.text
    visitor.submit("confirm", confirm="yes")
    assert visitor.url == "http://localhost/unit/security"
    assert "已解除与省统一身份认证的关联" in visitor.text
    assert "已关联的其他平台账号" not in visitor.text
    assert codes.changes_told(fictional.mobile(3)) == ["upstream_linked", "upstream_unlinked"]


def test_a_unit_with_nobody_to_tell_is_warned(app: Flask) -> None:
    visitor = InsideVisitor(app).sign_in(rows.unit(), AccountKind.UNIT)
    assert "还没有可以通知的人" in visitor.get("/unit/security").text
