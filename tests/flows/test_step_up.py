"""验证身份 on the way to a portal and back (F6), and before 登录安全 is changed."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask

from idp import clock
from idp.factors import totp
from idp.sessions import browser_sessions, passwords
from tests.factors.sessions import signed_in, start
from tests.flows.authorizing import Acting
from tests.flows.inside import BROWSER, InsideVisitor
from tests.support import codes, fictional, rows

PHONE = fictional.mobile()
L2 = "urn:jingban:acr:L2"
ESSENTIAL: dict[str, Any] = {"id_token": {"acr": {"essential": True, "value": L2}}}


@pytest.fixture
def migrated_url(migrated_sqlite_url: str) -> str:
    """SQLite alone: tests/factors asks both databases what these pages rest on."""
    return migrated_sqlite_url


@pytest.fixture
def acting(app: Flask) -> Acting:
    return Acting(app, person={"real_name_level": 3, "password_hash": passwords.hash_password(rows.PASSWORD)})


def cookie(visitor: InsideVisitor) -> str:
    found = visitor.client.get_cookie("jingban_session")
    assert found is not None
    return found.value


def by_sms(visitor: InsideVisitor) -> InsideVisitor:
    visitor.submit("code", action="send_code")
    return visitor.submit("code", code=codes.sent_to(PHONE)[-1], action="verify")


def link_to(visitor: InsideVisitor, page: str) -> str:
    """Return the address of a link on this page."""
    [found] = {part.partition('"')[0] for part in visitor.text.split('href="') if part.startswith(f"/step-up/{page}")}
    return found.replace("&amp;", "&")


@pytest.mark.parametrize("asked", [{"acr_values": L2}, {"claims": ESSENTIAL}])
def test_an_sms_code_reaches_what_the_portal_asks_for(acting: Acting, asked: dict[str, Any]) -> None:
    """F6: acr_values and essential acr; the same interaction goes on, under a new secret (DESIGN 8)."""
    before = cookie(acting.visitor)
    visitor = acting.ask("openid", **asked)
    assert "请再用一种方式验证身份" in visitor.text or "再用一种方式验证身份后" in visitor.text
    by_sms(visitor.get(link_to(visitor, "sms")))
    assert acting.answer()["code"]
    granted = acting.authorization()
    assert (granted.acr, granted.amr) == (L2, "mfa pwd sms")
    assert cookie(visitor) != before
    assert browser_sessions.find(before) is None


def test_a_client_minimum_is_reached(app: Flask) -> None:
    """F3, F6."""
    acting = Acting(app, client={"min_person_level": 2}, person={"real_name_level": 3})
    by_sms(acting.visitor.get(link_to(acting.ask("openid"), "sms")))
    assert acting.answer()["code"]


def test_who_does_not_want_to_goes_back_with_the_error(acting: Acting) -> None:
    """OpenID Connect Unmet Authentication Requirements 1.0."""
    visitor = acting.ask("openid", claims=ESSENTIAL)
    assert "暂不验证，返回应用" in visitor.text
    visitor.post(f"/raise-level/give-up?interaction={acting.interaction().id}")
    assert acting.answer()["error"] == "unmet_authentication_requirements"


def test_what_no_factor_can_reach_is_as_before(app: Flask) -> None:
    """DESIGN 5: missing proof is not made up for."""
    acting = Acting(app, person={"real_name_level": 2})
    visitor = acting.ask("openid", claims=ESSENTIAL)
    assert "线上提升方式暂未开通" in visitor.text
    assert "/step-up/" not in visitor.text


def test_codes_of_the_app_and_for_recovery(acting: Acting) -> None:
    """F6; auth_time stays what it was: neither is a sign-in (OpenID Connect Core §2)."""
    owner = signed_in(acting.person_id, "pwd", "sms")
    draft = totp.begin(owner, BROWSER)
    secret = totp.waiting_secret(owner, BROWSER, draft)
    app_codes = pyotp.TOTP(secret)
    spare = totp.enrol(owner, BROWSER, draft, app_codes.at(clock.now(), counter_offset=-1))[0]
    for page, code in (("totp", app_codes.at(clock.now())), ("recovery-code", spare)):
        token = start(acting.person_id, ago=timedelta(minutes=3))
        acting.visitor.client.set_cookie("jingban_session", token)
        before = browser_sessions.find(token)
        assert before is not None
        visitor = acting.ask("openid", claims=ESSENTIAL)
        visitor.get(link_to(visitor, page)).submit("code", code=codes.wrong("123456"))
        assert "错误或已使用，还可尝试 4 次" in visitor.text
        visitor.submit("code", code=code)
        granted = acting.authorization()
        assert (granted.acr, granted.amr) == (L2, "mfa otp pwd")
        assert round(granted.auth_time.timestamp() * 1000) == before.auth_time


@pytest.mark.parametrize("asked", [{"max_age": "60"}, {"prompt": "login"}])
def test_a_code_of_the_app_does_not_make_an_old_sign_in_young(acting: Acting, asked: dict[str, str]) -> None:
    """OpenID Connect Core §3.1.2.1 max_age and prompt=login: the person is signed in anew, not raised."""
    owner = signed_in(acting.person_id, "pwd", "sms")
    draft = totp.begin(owner, BROWSER)
    app_codes = pyotp.TOTP(totp.waiting_secret(owner, BROWSER, draft))
    totp.enrol(owner, BROWSER, draft, app_codes.at(clock.now(), counter_offset=-1))
    acting.visitor.client.set_cookie("jingban_session", start(acting.person_id, ago=timedelta(minutes=3)))
    visitor = acting.ask("openid", **asked)
    assert visitor.url.startswith("http://localhost/sign-in")
    interaction_id = acting.interaction().id
    visitor.get("/step-up/totp", interaction=interaction_id).submit("code", code=app_codes.at(clock.now()))
    assert visitor.url == f"http://localhost/sign-in?interaction={interaction_id}"


def test_the_password_where_sms_was_first(acting: Acting) -> None:
    """F6, P8."""
    acting.visitor.client.set_cookie("jingban_session", start(acting.person_id, "sms"))
    visitor = acting.ask("openid", claims=ESSENTIAL)
    visitor.get(link_to(visitor, "password")).submit("password", password="Wrong-1234")
    assert "还可尝试 4 次" in visitor.text
    visitor.submit("password", password=rows.PASSWORD)
    assert acting.authorization().amr == "mfa pwd sms"


@pytest.mark.parametrize("page", ["totp", "recovery-code", "passkey", "password"])
def test_a_way_that_the_person_does_not_have_is_not_there(app: Flask, page: str) -> None:
    visitor = InsideVisitor(app).sign_in(rows.person())
    assert visitor.get(f"/step-up/{page}").status == 404


def test_a_page_of_another_site_is_never_where_it_leads(app: Flask) -> None:
    visitor = InsideVisitor(app).sign_in(rows.person())
    by_sms(visitor.get("/step-up/sms", next="https://evil.example/"))
    assert visitor.url == "http://localhost/account/security"
