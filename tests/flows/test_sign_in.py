"""The page of sign-in (P8, P9, U6, C1): without JavaScript, for persons and units, alone and on the way to portals."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from idp.sessions import browser_sessions, interactions, passwords
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.model import Interaction
from idp.store.db import db, release
from tests.flows.inside import BROWSER, InsideVisitor
from tests.oidc.counting import statements
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock

__all__ = ["moved_clock"]

PASSWORD = fictional.password()
WRONG = "Wrong-Owl0000"
REQUEST = AuthorizationRequest(
    client_id="portal",
    redirect_uri="https://portal.example/callback",
    response_type="code",
    response_mode="query",
    scope=("openid",),
)


def add_person(n: int = 0, **changes: Any) -> str:
    return rows.person(n, password_hash=passwords.hash_password(PASSWORD), **changes)


def add_unit(n: int = 1, **changes: Any) -> str:
    return rows.unit(n, password_hash=passwords.hash_password(PASSWORD), **changes)


def begin(**changes: Any) -> str:
    return interactions.begin(replace(REQUEST, **changes), BROWSER)


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/account", "/unit", "/interaction/")


def sign_in(visitor: InsideVisitor, username: str, password: str = PASSWORD, **more: str) -> InsideVisitor:
    return visitor.submit("password", username=username, password=password, **more)


def who(visitor: InsideVisitor) -> str | None:
    cookie = visitor.client.get_cookie("jingban_session")
    found = browser_sessions.find(cookie.value) if cookie else None
    return found.subject_id if found else None


def test_a_person_lands_in_the_account(visitor: InsideVisitor) -> None:
    person_id = add_person()
    sign_in(visitor.get("/"), "user_0000")
    assert visitor.url == "http://localhost/account"
    assert who(visitor) == person_id


def test_a_unit_lands_in_its_account(visitor: InsideVisitor) -> None:
    """U6."""
    unit_id = add_unit()
    sign_in(visitor.get("/sign-in", tab="unit"), fictional.uscc(1))
    assert visitor.url == "http://localhost/unit"
    assert who(visitor) == unit_id


@pytest.mark.parametrize("tab", ["person", "unit"])
def test_the_lock_is_announced_by_the_form(visitor: InsideVisitor, tab: str) -> None:
    """P9, word for word, on both tabs."""
    assert "密码连续错误5次后账号将被锁定1小时" in visitor.get("/sign-in", tab=tab).text


def test_each_failure_says_how_many_tries_are_left_then_the_lock(visitor: InsideVisitor) -> None:
    """P9. What was typed as a name stays, the password does not."""
    add_person()
    visitor.get("/sign-in")
    for left in (4, 3, 2, 1):
        sign_in(visitor, "user_0000", WRONG)
        assert visitor.status == 400
        assert f"用户名或密码错误，还可尝试 {left} 次" in visitor.text
        assert visitor.value("username") == "user_0000"
        assert visitor.value("password") == ""
        assert WRONG not in visitor.text
    for password in (WRONG, PASSWORD):
        sign_in(visitor, "user_0000", password)
        assert visitor.status == 429
        assert "密码连续错误5次，账号已被锁定1小时，请于 60 分钟后再试" in visitor.text
    assert who(visitor) is None


def answer(visitor: InsideVisitor) -> tuple[int, str]:
    """Return status and page without what was typed and without the CSRF token, which holds the second."""
    text = re.sub("user_0000|nobody_at", "NAME", visitor.text)
    return visitor.status, text.replace(visitor.value("csrf_token"), "TOKEN")


def test_unknown_names_are_answered_word_for_word_alike(visitor: InsideVisitor) -> None:
    """P9, S0 6.3."""
    add_person()
    visitor.get("/sign-in")
    for _ in range(6):
        known = answer(sign_in(visitor, "user_0000", WRONG))
        unknown = answer(sign_in(visitor, "nobody_at", WRONG))
        assert unknown == known


def test_after_the_hour_it_opens_again(visitor: InsideVisitor, moved_clock: MovedClock) -> None:
    """P9."""
    person_id = add_person()
    visitor.get("/sign-in")
    for _ in range(5):
        sign_in(visitor, "user_0000", WRONG)
    moved_clock.advance(timedelta(minutes=60, seconds=2))
    sign_in(visitor, "user_0000")
    assert who(visitor) == person_id


def test_an_account_locked_by_an_administrator(visitor: InsideVisitor) -> None:
    add_person(status="locked")
    sign_in(visitor.get("/sign-in"), "user_0000")
    assert visitor.status == 403
    assert "账号已被管理员锁定" in visitor.text


def test_a_missing_password_costs_no_try(visitor: InsideVisitor) -> None:
    add_person()
    visitor.get("/sign-in")
    for _ in range(6):
        sign_in(visitor, "user_0000", "")
        assert visitor.status == 400
        assert "该字段是必填字段。" in visitor.text
    sign_in(visitor, "user_0000", WRONG)
    assert "还可尝试 4 次" in visitor.text


def test_the_session_secret_is_always_a_new_one(visitor: InsideVisitor) -> None:
    """DESIGN 8: a cookie that was planted before is not taken over, and the one before dies."""
    person_id = add_person()
    planted = rows.signed_in(person_id)
    visitor.get("/sign-in")
    visitor.client.set_cookie("jingban_session", planted)
    sign_in(visitor, "user_0000")
    cookie = visitor.client.get_cookie("jingban_session")
    assert cookie is not None
    assert cookie.value != planted
    assert browser_sessions.find(planted) is None


def test_the_cookie_is_out_of_reach_of_scripts(visitor: InsideVisitor) -> None:
    add_person()
    visitor.get("/sign-in")
    form = visitor.form("password")
    values = dict(form.values) | {"username": "user_0000", "password": PASSWORD}
    release()
    answer = visitor.client.post("/sign-in", data=values)
    [cookie] = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("jingban_session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert answer.status_code == 303
    assert answer.headers["Cache-Control"] == "no-store"


def test_next_leads_back_to_the_page_that_asked(visitor: InsideVisitor) -> None:
    add_person()
    sign_in(visitor.get("/account/devices"), "user_0000")
    visitor.outside = ("/account/devices",)
    assert visitor.url == "http://localhost/account/devices"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "/%2Fevil.example", "\\\\evil.example", "x"],
)
def test_next_leads_nowhere_else(visitor: InsideVisitor, target: str) -> None:
    """No open redirect, neither after signing in nor for whoever is signed in."""
    add_person()
    sign_in(visitor.get("/sign-in", next=target), "user_0000")
    assert visitor.url == "http://localhost/account"
    assert visitor.get("/sign-in", next=target).url == "http://localhost/account"


def test_who_is_signed_in_goes_on_at_once(visitor: InsideVisitor) -> None:
    visitor.sign_in(add_person())
    assert visitor.get("/sign-in").url == "http://localhost/account"
    assert visitor.get("/").url == "http://localhost/account"


def test_as_unit_without_a_portal_leads_to_the_parent_accounts(visitor: InsideVisitor) -> None:
    """C1, P14."""
    add_person()
    visitor.outside = ("/account/parent-accounts",)
    sign_in(visitor.get("/sign-in"), "user_0000", as_unit="y")
    assert visitor.url == "http://localhost/account/parent-accounts"


@pytest.mark.parametrize("ticked", [True, False])
def test_the_journey_goes_back_to_the_dispatcher(visitor: InsideVisitor, ticked: bool) -> None:
    """C1: 「以单位身份登录」 is noted in the interaction, with the session that did it."""
    add_person()
    rows.client()
    interaction_id = begin()
    visitor.get("/sign-in", interaction=interaction_id)
    assert "登录后前往：门户portal" in visitor.text
    assert "以单位身份登录" in visitor.text
    sign_in(visitor, "user_0000", **({"as_unit": "y"} if ticked else {}))
    assert visitor.url == f"http://localhost/interaction/{interaction_id}"
    interaction = db.session.get_one(Interaction, interaction_id, populate_existing=True)
    assert interaction.as_unit is ticked
    cookie = visitor.client.get_cookie("jingban_session")
    assert cookie is not None
    found = browser_sessions.find(cookie.value)
    assert found is not None
    assert interaction.session_id == found.session_id


def test_a_sign_in_costs_so_many_statements(visitor: InsideVisitor) -> None:
    """DESIGN 9: the interaction, the account, the try (counted first), the session with its audit, who that is now,
    and the interaction's note of it; SQLite has four for the session. One more must be a decision."""
    add_person()
    rows.client()
    visitor.get("/sign-in", interaction=begin())
    with statements() as run:
        sign_in(visitor, "user_0000")
    is_sqlite = db.engine.dialect.name == "sqlite"
    assert len(run) == (9 if is_sqlite else 6), run


def test_a_wrong_password_keeps_the_journey(visitor: InsideVisitor) -> None:
    add_person()
    rows.client()
    interaction_id = begin()
    sign_in(visitor.get("/sign-in", interaction=interaction_id), "user_0000", WRONG)
    assert "登录后前往" in visitor.text
    sign_in(visitor, "user_0000")
    assert visitor.url == f"http://localhost/interaction/{interaction_id}"


def test_who_is_signed_in_sees_the_form_where_a_fresh_sign_in_is_needed(visitor: InsideVisitor) -> None:
    """OpenID Connect Core §3.1.2.1, prompt=login and max_age: the dispatcher decides, the page never skips."""
    visitor.sign_in(add_person())
    rows.client()
    interaction_id = begin(prompt=("login",))
    visitor.get("/sign-in", interaction=interaction_id)
    assert visitor.status == 200
    sign_in(visitor, "user_0000")
    assert visitor.url == f"http://localhost/interaction/{interaction_id}"


def test_the_login_hint_is_filled_in(visitor: InsideVisitor) -> None:
    """OpenID Connect Core §3.1.2.1."""
    rows.client()
    visitor.get("/sign-in", interaction=begin(login_hint='user_0000"><script>'))
    assert visitor.value("username") == 'user_0000"><script>'
    assert "<script>" not in visitor.text.replace('<script type="module"', "")


@pytest.mark.parametrize("takes_units", [True, False])
def test_the_unit_tab_shows_where_the_portal_takes_unit_accounts(visitor: InsideVisitor, takes_units: bool) -> None:
    """U7: where it does not, a unit account cannot sign in at all, whatever the address says."""
    add_unit()
    rows.client(allows_unit_accounts=takes_units)
    interaction_id = begin()
    visitor.get("/sign-in", interaction=interaction_id, tab="unit")
    assert ("单位登录" in visitor.text) is takes_units
    sign_in(visitor, "unit_0001")
    assert (who(visitor) is not None) is takes_units


def test_a_portal_that_never_acts_for_units_offers_no_box(visitor: InsideVisitor) -> None:
    rows.client(acts_for="never")
    visitor.get("/sign-in", interaction=begin())
    assert "以单位身份登录" not in visitor.text


def test_the_tabs_keep_the_journey(visitor: InsideVisitor) -> None:
    rows.client(allows_unit_accounts=True)
    interaction_id = begin()
    text = visitor.get("/sign-in", interaction=interaction_id).text
    assert f"/sign-in?tab=unit&amp;interaction={interaction_id}" in text


def test_the_form_may_lead_to_the_portal_and_nowhere_else(visitor: InsideVisitor) -> None:
    """STACK: Chromium applies form-action to the redirects after a POST too."""
    rows.client()
    release()
    answer = visitor.client.get(f"/sign-in?interaction={begin()}")
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self' https://portal.example;" in policy
    assert "form-action 'self';" in visitor.client.get("/sign-in").headers["Content-Security-Policy"]


def first_page(app: Flask, browser: str, portal: str = "portal", language: str = "zh-CN", **changes: Any) -> str:
    """Return the page of sign-in as a browser sees it that comes from a portal; its secrets are in it."""
    interaction_id = interactions.begin(replace(REQUEST, client_id=portal, **changes), browser)
    client = app.test_client()
    with client.session_transaction() as session:
        session["browser"], session["csrf_token"] = browser, f"of {browser}"
    text = client.get(f"/sign-in?interaction={interaction_id}", headers={"Accept-Language": language}).text
    assert interaction_id in text
    return text.replace(interaction_id, "ITS INTERACTION")


def without_token(page: str) -> str:
    return re.sub(r'(?<=name="csrf_token" value=")[^"]+', "ITS TOKEN", page)


def test_the_page_that_is_kept_has_each_browsers_own_secrets(app: Flask) -> None:
    """S0 6.2: what protects one browser's form is in no other's page; apart from that all get the same."""
    rows.client()
    kept = app.extensions.setdefault("jingban.kept_pages", {})
    rendered, again = (first_page(app, browser) for browser in ("first", "second"))
    assert len(kept) == 1
    tokens = [re.findall(r'name="csrf_token" value="([^"]+)"', page) for page in (rendered, again)]
    assert [len(each) for each in tokens] == [1, 1]
    assert tokens[0] != tokens[1]
    assert without_token(rendered) == without_token(again)
    kept.clear()
    assert without_token(first_page(app, "second")) == without_token(again)
    assert [secret for page in kept.values() for secret in (*tokens[0], *tokens[1]) if secret in page] == []


def test_the_page_that_is_kept_is_that_of_portal_and_language(app: Flask) -> None:
    rows.client()
    rows.client("other", client_name="别的门户")
    doors = (("portal",), ("other",), ("portal", "en"))
    pages, again = ([without_token(first_page(app, "a", *door)) for door in doors] for _ in range(2))
    assert pages == again
    assert ["门户portal" in page for page in pages] == [True, False, True]
    assert ["Password" in page for page in pages] == [False, False, True]


def test_what_is_one_persons_alone_is_not_kept(app: Flask) -> None:
    rows.client()
    assert "user_0000" in first_page(app, "a", login_hint="user_0000")
    assert "user_0000" not in first_page(app, "b")


@pytest.mark.parametrize("browser", [BROWSER, "another"])
def test_a_journey_of_another_browser_or_none_is_a_page(visitor: InsideVisitor, browser: str) -> None:
    rows.client()
    interaction_id = interactions.begin(REQUEST, "another") if browser == "another" else "never-begun"
    visitor.get("/sign-in", interaction=interaction_id)
    assert visitor.status == 400
    assert "本次登录请求已失效" in visitor.text


def test_a_stale_form_is_a_page_not_a_crash(visitor: InsideVisitor) -> None:
    """Another tab signed the browser in anew, or the cookie is gone."""
    add_person()
    visitor.get("/sign-in")
    visitor.client.delete_cookie("jingban_browser")
    sign_in(visitor, "user_0000")
    assert visitor.status == 400
    assert "页面已过期" in visitor.text
    assert who(visitor) is None


def test_one_address_signs_in_so_often(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """The form stays, with what was typed."""
    app = make_app(migrated_sqlite_url, limit_sign_in="3/minute")
    with app.app_context():
        visitor = InsideVisitor(app)
        visitor.get("/sign-in")
        for _ in range(3):
            sign_in(visitor, "nobody_here", WRONG)
        sign_in(visitor, "nobody_else", WRONG)
        assert visitor.status == 429
        assert "操作过于频繁" in visitor.text
        assert visitor.value("username") == "nobody_else"
