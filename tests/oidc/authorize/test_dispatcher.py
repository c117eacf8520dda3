"""The dispatcher: an interaction belongs to one browser, is resumed from what is stored, and ends once."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from idp import clock
from idp.audit.model import AuditEntry
from idp.clients.model import Client
from idp.delegation import grants
from idp.oidc.authorize import needs
from idp.sessions import browser_sessions, client_removal, interactions, portal_sessions
from idp.sessions.interactions import InteractionGone
from idp.sessions.model import Authorization, AuthorizationCode, Interaction, PortalSession
from idp.settings import settings
from idp.store.db import db, transaction
from tests.oidc.authorize.browser import (
    CALLBACK,
    Browser,
    agreed,
    answer_in,
    authorization_of,
    error_in,
    interaction_in,
    interaction_row,
    page_of,
    request_parameters,
)
from tests.oidc.portal import Portal
from tests.support import fictional, rows
from tests.support.clocks import MovedClock
from tests.support.parallel import all_at_once


@pytest.fixture
def browser(app: Flask) -> Browser:
    rows.client(consent_required=False)
    return Browser(app)


def assert_gone(response) -> None:
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "本次登录请求已失效" in response.text


def test_from_request_to_tokens(portal: Portal) -> None:
    """The whole way, with the token endpoint behind it: PKCE, nonce, and the claims of the session."""
    person = rows.person()
    browser = Browser(portal.app)
    interaction = browser.journey(scope="openid profile")
    browser.sign_in(person)
    assert page_of(browser.resume(interaction)) == ("/consent", {})
    agreed(interaction, person, scopes=["openid", "profile"])
    code = answer_in(browser.resume(interaction))["code"]
    response = portal.redeem(code)
    assert response.status_code == 200, response.text
    assert portal.userinfo(response.get_json()["access_token"]).get_json()["sub"] == person


def test_another_browser_cannot_resume(browser: Browser, app: Flask) -> None:
    person = rows.person()
    interaction = browser.journey()
    thief = Browser(app)
    thief.sign_in(person)
    thief.authorize()
    assert_gone(thief.resume(interaction))
    browser.sign_in(person)
    assert "code" in answer_in(browser.resume(interaction))


@pytest.mark.parametrize("name", ["nonsense", "%00", "a%00b", "x" * 500, "..%2f..%2fetc", "%F0%9F%92%A9", "a'--"])
def test_unknown_interactions(browser: Browser, name: str) -> None:
    response = browser.get(f"/interaction/{name}")
    assert response.status_code in {400, 404}
    assert browser.http.post(f"/interaction/{name}/give-up").status_code in {400, 404}


def test_an_interaction_ends_once(browser: Browser) -> None:
    interaction = browser.journey()
    browser.sign_in(rows.person())
    assert "code" in answer_in(browser.resume(interaction))
    assert_gone(browser.resume(interaction))
    with pytest.raises(InteractionGone):
        interactions.consent(interaction, subject_id="p_x", unit_id=None, scopes=["openid"])


def test_an_interaction_expires(browser: Browser, moved_clock: MovedClock) -> None:
    interaction = browser.journey()
    moved_clock.advance(timedelta(seconds=settings().interaction_lifetime + 1))
    browser.sign_in(rows.person())
    assert_gone(browser.resume(interaction))


def test_a_client_disabled_meanwhile(browser: Browser, moved_clock: MovedClock) -> None:
    interaction = browser.journey()
    browser.sign_in(rows.person())
    with transaction() as session:
        session.get_one(Client, "portal").disabled_at = clock.now()
    moved_clock.advance(timedelta(seconds=3))  # the copy of the client in the process is trusted for two
    assert_gone(browser.resume(interaction))


def test_a_client_disabled_a_moment_ago(browser: Browser) -> None:
    """While this process still trusts its copy: what would be granted now would outlive the client's end (U13)."""
    interaction = browser.journey()
    person = rows.person()
    browser.sign_in(person)
    client_removal.disable("portal")
    assert_gone(browser.resume(interaction))
    db.session.rollback()
    assert db.session.scalars(select(Authorization).where(Authorization.subject_id == person)).all() == []


def test_what_was_checked_is_what_counts_not_the_address(browser: Browser) -> None:
    """The request is never parsed again: parameters on the way back change nothing."""
    interaction = browser.journey(scope="openid")
    browser.sign_in(rows.person())
    response = browser.get(
        f"/interaction/{interaction}?scope=openid+profile&redirect_uri=https://evil.example&state=x"
    )
    assert authorization_of(response).scope == "openid"


def test_nothing_is_stored_for_a_request_that_is_answered_at_once(browser: Browser) -> None:
    browser.sign_in(rows.person())
    answer_in(browser.authorize())
    assert error_in(browser.authorize(prompt="none", max_age="0")) == "login_required"
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Interaction)) == 0


# --- POST ----------------------------------------------------------------------------------------------------------


def test_a_post_from_another_site_goes_on_with_the_browser_s_cookies(browser: Browser, app: Flask) -> None:
    """SameSite=Lax: the POST comes without cookies; the redirect that follows brings them."""
    browser.sign_in(rows.person())
    browser.authorize(prompt="login")  # gives the browser its id
    known = browser.http.get_cookie("jingban_browser")
    without_cookies = Browser(app)
    response = without_cookies.http.post("/oidc/authorize", data=request_parameters(ui_locales="en"))
    assert response.status_code == 303
    assert "Set-Cookie" not in response.headers  # it would take the browser its id, and with it every open interaction
    location = response.headers["Location"]
    assert dict(parse_qsl(urlsplit(location).query)) == {"ui_locales": "en"}
    assert "code" in answer_in(browser.get(location))
    assert browser.http.get_cookie("jingban_browser") == known


def test_a_posted_interaction_belongs_to_the_first_browser(browser: Browser, app: Flask) -> None:
    posted = Browser(app).http.post("/oidc/authorize", data=request_parameters())
    location = posted.headers["Location"]
    assert page_of(browser.get(location))[0] == "/sign-in"
    other = Browser(app)
    other.sign_in(rows.person())
    assert_gone(other.get(location))


def test_a_silent_post(browser: Browser, app: Flask) -> None:
    posted = Browser(app).http.post("/oidc/authorize", data=request_parameters(prompt="none"))
    assert error_in(browser.get(posted.headers["Location"])) == "login_required"


# --- giving up -----------------------------------------------------------------------------------------------------


def test_giving_up_is_for_this_browser_alone(browser: Browser, app: Flask) -> None:
    interaction = browser.journey()
    stranger = Browser(app)
    response = stranger.http.post(f"/interaction/{interaction}/give-up")
    assert_gone(response)
    assert "Set-Cookie" not in response.headers
    assert interaction_row(interaction).refusal is None
    given_up = browser.http.post(f"/interaction/{interaction}/give-up")
    assert error_in(browser.get(given_up.headers["Location"])) == "access_denied"


@pytest.mark.parametrize(
    ("left", "error"),
    [
        ("access_denied", "access_denied"),
        ("unmet_authentication_requirements", "unmet_authentication_requirements"),
        ("whatever<script>", "access_denied"),
    ],
)
def test_a_journey_s_refusal_reaches_the_portal(browser: Browser, left: str, error: str) -> None:
    interaction = browser.journey()
    interactions.refuse(interaction, left)
    assert error_in(browser.resume(interaction)) == error
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "authorization.refused")).one()
    assert (entry.client_id, entry.outcome, entry.details) == ("portal", "refused", {"error": error})


# --- at the same moment --------------------------------------------------------------------------------------------


def test_one_interaction_yields_one_code(browser: Browser, app: Flask) -> None:
    """DESIGN 3, trap 1: two tabs, a double click, a retried request: one of them answers the portal."""
    browser.sign_in(rows.person())
    session = browser.http.get_cookie("jingban_session")
    browser_cookie = None
    for _ in range(5):
        with transaction() as on:  # so that the request needs a page, and then needs none
            on.execute(update(Client).values(consent_required=True))
        app.extensions.pop("jingban.clients", None)
        interaction = browser.journey()
        browser_cookie = browser.http.get_cookie("jingban_browser")
        with transaction() as on:
            on.execute(update(Client).values(consent_required=False))
        app.extensions.pop("jingban.clients", None)
        assert session is not None
        assert browser_cookie is not None

        def come_back(interaction: str = interaction, cookie: str = browser_cookie.value) -> str:
            tab = Browser(app)
            tab.http.set_cookie("jingban_session", session.value)
            tab.http.set_cookie("jingban_browser", cookie)
            response = tab.resume(interaction)
            return response.headers.get("Location", str(response.status_code))

        answers = all_at_once(app, [come_back] * 4)
        won = [each for each in answers if str(each).startswith(CALLBACK)]
        assert len(won) == 1, answers
        assert [each for each in answers if each not in won] == ["400"] * 3, answers
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(AuthorizationCode)) == 5
    assert db.session.scalar(select(func.count()).select_from(Authorization)) == 5


def test_a_session_that_ends_at_the_same_moment_leaves_nothing_alive(browser: Browser, app: Flask) -> None:
    """Whichever comes first: no authorization outlives the sign-out (U13)."""
    person = rows.person()
    for _ in range(5):
        session_id = browser.sign_in(person)
        cookie = browser.http.get_cookie("jingban_session")
        assert cookie is not None

        def ask(token: str = cookie.value) -> str:
            tab = Browser(app)
            tab.http.set_cookie("jingban_session", token)
            return tab.authorize().headers["Location"]

        def leave(session_id: str = session_id) -> str:
            with transaction() as session:
                browser_sessions.end(session, session_id, why="signed_out")
            return "left"

        outcomes = all_at_once(app, [ask, leave, ask])
        assert all(isinstance(each, str) for each in outcomes), outcomes
        db.session.rollback()
        alive = select(func.count()).select_from(PortalSession).where(PortalSession.ended_at.is_(None))
        assert db.session.scalar(alive) == 0
        alive = select(func.count()).select_from(Authorization).where(Authorization.ended_at.is_(None))
        assert db.session.scalar(alive) == 0


def test_a_sign_out_between_needs_and_answer_asks_anew(
    browser: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look is taken inside the transaction; what it finds changed goes back to the needs."""
    session_id = browser.sign_in(rows.person())
    real = needs.first_unmet

    def sign_out_after(situation):
        page = real(situation)
        with transaction() as session:
            browser_sessions.end(session, session_id, why="signed_out")
        return page

    monkeypatch.setattr(needs, "first_unmet", sign_out_after)
    response = browser.authorize()
    monkeypatch.undo()
    path, _ = page_of(response)
    assert path.startswith("/interaction/")
    assert page_of(browser.get(response.headers["Location"]))[0] == "/sign-in"
    assert interaction_in(browser.get(response.headers["Location"]))


def test_a_grant_withdrawn_between_needs_and_answer_asks_anew(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U13: the decision that counts is the one inside the transaction."""
    rows.business("rec.position")
    person, unit = rows.person(), rows.unit()
    binding = rows.binding(unit, person)
    rows.grant(binding, "rec.position")
    browser.sign_in(person)
    real = needs.first_unmet

    def withdraw_after(situation):
        page = real(situation)
        grants.withdraw(unit, binding, "rec.position")
        return page

    monkeypatch.setattr(needs, "first_unmet", withdraw_after)
    response = browser.authorize(scope="openid rec.position", org_hint=fictional.uscc(1))
    monkeypatch.undo()
    assert page_of(browser.get(response.headers["Location"])) == ("/choose-unit", {"reason": "not_granted"})
    assert db.session.scalar(select(func.count()).select_from(Authorization)) == 0


def test_a_portal_session_that_ends_at_the_same_moment_leaves_nothing_alive(browser: Browser, app: Flask) -> None:
    """A logout of one pair of person and portal (U13), while the same portal signs the person in once more."""
    browser.sign_in(rows.person())
    cookie = browser.http.get_cookie("jingban_session")
    assert cookie is not None
    for _ in range(8):
        sid = authorization_of(browser.authorize()).portal_session_id

        def ask() -> str:
            tab = Browser(app)
            tab.http.set_cookie("jingban_session", cookie.value)
            return tab.authorize().headers["Location"]

        def end(sid: str | None = sid) -> str:
            with transaction() as session:
                portal_sessions.end(session, [sid] if sid else [], why="logged_out")
            return "ended"

        outcomes = all_at_once(app, [ask, end, ask])
        assert all(isinstance(each, str) for each in outcomes), outcomes
        db.session.rollback()
        orphans = (
            select(func.count())
            .select_from(Authorization)
            .join(PortalSession, PortalSession.id == Authorization.portal_session_id)
            .where(PortalSession.ended_at.is_not(None), Authorization.ended_at.is_(None))
        )
        assert db.session.scalar(orphans) == 0


def test_the_language_that_the_portal_asks_for(browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1 ui_locales: it reaches the pages of the journey, here by the cookie."""
    response = browser.authorize(ui_locales="fr en zh-Hans")
    assert '<html lang="en">' in browser.get(response.headers["Location"]).text
