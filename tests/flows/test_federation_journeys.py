"""What goes along over there and back: 以单位身份登录 (C1), and a level to be raised (F3, F6, C5)."""

import re
from urllib.parse import parse_qs, urlsplit

from idp.sessions import passwords
from tests.flows.authorizing import CALLBACK
from tests.flows.inside import InsideVisitor
from tests.flows.upstream_visits import PASSWORD, app, ask, click, come_back, protocol, visitor, who
from tests.support import fictional, rows
from tests.support.upstreams import PERSON, UNIT, StandIn

__all__ = ["app", "protocol", "visitor"]


F3 = "当前省统一身份认证用户实名等级不足，单位用户最低实名等级为“L3”级，请点击[确认]按钮按照引导提升实名等级"


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
