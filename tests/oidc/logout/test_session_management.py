"""OpenID Connect Session Management 1.0: `session_state`, the browser's state, and the frame that compares them."""

import hashlib
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.http import parse_cookie
from werkzeug.test import TestResponse

from idp.clients.registry import find
from idp.oidc.session_management import web_origin
from idp.settings import settings
from tests.oidc.authorize.browser import Browser, answer_in, error_in
from tests.oidc.portal import Portal, body_of
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

COOKIE = "jingban_op_state"
PORTAL = "https://portal.example"


@pytest.fixture
def browser(sqlite_app: Flask) -> Browser:
    plant_keys()
    rows.client(consent_required=False)
    return Browser(sqlite_app)


def state_of(browser: Browser) -> str:
    cookie = browser.http.get_cookie(COOKIE)
    return cookie.value if cookie else ""


def is_unchanged(session_state: str, state: str, client_id: str = "portal", at: str = PORTAL) -> bool:
    """Do what the script in the frame does."""
    found, _, salt = session_state.partition(".")
    return found == hashlib.sha256(f"{client_id} {at} {state} {salt}".encode()).hexdigest()


def press(browser: Browser, page: TestResponse) -> TestResponse:
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    return browser.http.post(page.request.full_path, data={"csrf_token": token, "logout": "yes"})


def test_with_the_code_comes_the_state(browser: Browser) -> None:
    """§2, §4.2: a hash over client, origin, browser state and salt, another salt each time."""
    browser.sign_in(rows.person())
    answers = [answer_in(browser.authorize(prompt="none"))["session_state"] for _ in range(2)]
    assert len(set(answers)) == 2
    for each in answers:
        assert is_unchanged(each, state_of(browser))
        assert not is_unchanged(each, state_of(browser), client_id="other")
        assert not is_unchanged(each, state_of(browser), at="https://evil.example")
        assert " " not in each  # §2: the message to the frame is split at the space


def test_form_post_has_it_too(browser: Browser) -> None:
    browser.sign_in(rows.person())
    page = browser.authorize(prompt="none", response_mode="form_post").text
    state = page.partition('name="session_state" value="')[2].partition('"')[0]
    assert is_unchanged(state, state_of(browser))


def test_an_error_has_none(browser: Browser) -> None:
    assert error_in(browser.authorize(prompt="none")) == "login_required"


def test_another_sign_in_changes_it(browser: Browser) -> None:
    browser.sign_in(rows.person())
    answer = answer_in(browser.authorize(prompt="none"))["session_state"]
    browser.sign_in(rows.person(2))
    browser.get("/account")
    assert state_of(browser)
    assert not is_unchanged(answer, state_of(browser))


def test_sign_out_takes_it(browser: Browser) -> None:
    browser.sign_in(rows.person())
    answer = answer_in(browser.authorize(prompt="none"))["session_state"]
    press(browser, browser.get("/sign-out"))
    assert state_of(browser) == ""
    assert not is_unchanged(answer, "")


def test_a_session_that_ended_elsewhere_takes_it_at_the_next_look(browser: Browser, moved_clock: MovedClock) -> None:
    browser.sign_in(rows.person())
    browser.get("/account")
    assert state_of(browser)
    moved_clock.advance(timedelta(minutes=31))
    browser.get("/sign-in")
    assert state_of(browser) == ""


def test_choosing_a_unit_changes_nothing(browser: Browser) -> None:
    """DESIGN 4: the choice belongs to a request; another tab's goes on."""
    person = rows.person()
    rows.binding(rows.unit(1), person)
    browser.sign_in(person)
    answer = answer_in(browser.authorize())["session_state"]
    browser.journey(prompt="select_account")
    assert is_unchanged(answer, state_of(browser))


def test_a_request_without_cookies_changes_nothing(browser: Browser) -> None:
    """SameSite: a form of another site brings the state and not the session; that is no sign-out."""
    response = browser.http.post("/oidc/authorize", data={}, headers={"Cookie": f"{COOKIE}=x"})
    assert COOKIE not in "".join(response.headers.getlist("Set-Cookie"))
    stranger = Browser(browser.http.application)
    stranger.http.set_cookie(COOKIE, "x")
    assert COOKIE not in "".join(stranger.get("/sign-in").headers.getlist("Set-Cookie"))


def test_the_cookie_is_worth_nothing(browser: Browser) -> None:
    """Scripts may read it; nobody is signed in by it, and it tells no id."""
    person = rows.person()
    session_id = browser.sign_in(person)
    response = browser.get("/account")
    (header,) = [each for each in response.headers.getlist("Set-Cookie") if each.startswith(COOKIE)]
    assert "HttpOnly" not in header
    assert "SameSite=Lax" in header  # http, this machine alone
    assert len(state_of(browser)) == 64
    assert session_id not in header
    assert person not in header
    thief = Browser(browser.http.application)
    thief.http.set_cookie(COOKIE, state_of(browser))
    assert "/sign-in" in thief.get("/account").headers["Location"]


def test_on_https_frames_of_other_sites_get_it(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, issuer="https://login.example")
    with app.app_context():
        token = rows.signed_in(rows.person())
        client = app.test_client()
        client.set_cookie("__Host-jingban_session", token, domain="login.example", secure=True)
        response = client.get("/account", base_url="https://login.example")
    (header,) = [each for each in response.headers.getlist("Set-Cookie") if each.startswith("__Host-jingban_op_state")]
    assert {"Secure", "SameSite=None", "Path=/"} <= {each.strip() for each in header.split(";")}
    assert "Domain" not in header
    assert parse_cookie(header)


def test_the_frame(browser: Browser) -> None:
    """§3.3: the one page of ours that others may frame."""
    page = browser.get("/oidc/check_session")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; script-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"
    assert "X-Frame-Options" not in page.headers
    assert f'data-cookie="{COOKIE}"' in page.text


def test_no_other_page_may_be_framed(sqlite_app: Flask) -> None:
    """Every page that anybody may open."""
    client = sqlite_app.test_client()
    seen = 0
    for rule in sqlite_app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.arguments or rule.rule == "/oidc/check_session":
            continue
        page = client.get(rule.rule)
        policy = page.headers.get("Content-Security-Policy")
        if policy is not None:
            assert "frame-ancestors 'none'" in policy, rule.rule
            seen += 1
    assert seen > 20


def test_discovery(sqlite_portal: Portal) -> None:
    found = body_of(sqlite_portal.app.test_client().get("/.well-known/openid-configuration"))
    assert found["check_session_iframe"] == f"{settings().issuer}/oidc/check_session"


def test_switched_off(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, features_off=["session_management"])
    with app.app_context():
        plant_keys()
        rows.client(consent_required=False)
        assert find("portal")
        browser = Browser(app)
        browser.sign_in(rows.person())
        assert set(answer_in(browser.authorize(prompt="none"))) == {"code"}
        assert state_of(browser) == ""
        assert browser.get("/oidc/check_session").status_code == 404
        assert "check_session_iframe" not in body_of(app.test_client().get("/.well-known/openid-configuration"))


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://Portal.Example/cb?x=y", "https://portal.example"),
        ("https://portal.example:443/cb", "https://portal.example"),
        ("https://portal.example:8443/cb", "https://portal.example:8443"),
        ("http://127.0.0.1:80/cb", "http://127.0.0.1"),
        ("http://[::1]:5000/cb", "http://[::1]:5000"),
        ("com.example.app:/cb", None),
        ("https://portal.example:99999/cb", None),
    ],
)
def test_origins_as_browsers_write_them(uri: str, origin: str | None) -> None:
    assert web_origin(uri) == origin
