"""Logout that a portal begins (OpenID Connect RP-Initiated Logout 1.0); trap 10."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from joserfc import jwt
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.notify.model import OutboxMessage
from idp.oidc import end_session
from idp.oidc.tokens import jws
from idp.sessions.model import Authorization, BrowserSession, PortalSession
from idp.settings import settings
from idp.store import keyring
from idp.store.db import db
from tests.oidc.authorize.browser import Browser, answer_in
from tests.oidc.portal import Portal
from tests.support import fictional, rows
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

AFTER = "https://portal.example/signed-out"


@dataclass
class Scene:
    """A person signed in at a portal, in a browser."""

    app: Flask
    portal: Portal
    browser: Browser
    person: str
    tokens: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def set(cls, app: Flask) -> "Scene":
        plant_keys()
        portal = Portal.registered(
            app,
            consent_required=False,
            post_logout_redirect_uris=[AFTER, f"{AFTER}?a=b"],
            client_uri="https://portal.example/",
        )
        scene = cls(app, portal, Browser(app), rows.person())
        scene.browser.sign_in(scene.person)
        scene.tokens = scene.enter()
        return scene

    def enter(self, **changes: str) -> dict[str, Any]:
        """Sign in at the portal through the browser, and return the tokens."""
        code = answer_in(self.browser.authorize(**changes))["code"]
        response = self.portal.redeem(code)
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.get_json()
        return tokens

    @property
    def hint(self) -> str:
        return str(self.tokens["id_token"])

    def end(self, **parameters: str) -> TestResponse:
        """Follow the logout request to the page that answers it."""
        response = self.browser.http.get("/oidc/end_session", query_string=parameters)
        return self._next(response)

    def _next(self, response: TestResponse) -> TestResponse:
        location = response.headers.get("Location", "")
        return self.browser.get(location) if "/oidc/end_session/confirm" in location else response

    def signed_in(self) -> bool:
        """Whether the session in the database lives, and the browser still has its cookie."""
        db.session.rollback()
        ended = db.session.scalars(select(BrowserSession.ended_at)).all()
        cookie = self.browser.http.get_cookie("jingban_session")
        alive = None in ended
        assert alive == (cookie is not None)
        return alive


@pytest.fixture
def scene(sqlite_app: Flask) -> Scene:
    return Scene.set(sqlite_app)


def assert_asks(scene: Scene, response: TestResponse) -> None:
    assert response.status_code == 200
    assert "确定退出登录吗" in response.text
    assert scene.signed_in()


def assert_refused(scene: Scene, response: TestResponse) -> None:
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert scene.signed_in()


def confirm(scene: Scene, response: TestResponse, **changes: str) -> TestResponse:
    """Press the button of the page that asks."""
    token = response.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    return scene.browser.http.post(response.request.full_path, data={"csrf_token": token, "logout": "yes"} | changes)


def parameters_of(response: TestResponse) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


# --- with a hint of this session -----------------------------------------------------------------------------------


def test_a_hint_of_this_session_ends_it_and_goes_back(app: Flask) -> None:
    """§2, §3: the portal is who it says; every portal of the session is told."""
    scene = Scene.set(app)
    response = scene.end(id_token_hint=scene.hint, post_logout_redirect_uri=AFTER, state='x&"单')
    assert response.status_code == 303
    assert response.headers["Location"].startswith(AFTER + "?state=")
    assert parameters_of(response) == {"state": 'x&"单'}
    assert not scene.signed_in()
    assert db.session.scalars(select(PortalSession).where(PortalSession.ended_at.is_(None))).all() == []
    assert db.session.scalars(select(Authorization).where(Authorization.ended_at.is_(None))).all() == []
    (message,) = db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "backchannel_logout"))
    assert json.loads(message.payload)["subject_id"] == scene.person
    assert scene.portal.introspect(scene.tokens["access_token"]) == {"active": False}


def test_an_expired_hint_is_as_good(scene: Scene, moved_clock: MovedClock) -> None:
    """§2: "even when the exp time has passed"."""
    # Someone who works on keeps the session; the ID token of its beginning has long expired.
    for _ in range(4):
        moved_clock.advance(timedelta(minutes=20))
        scene.browser.authorize()
    response = scene.end(id_token_hint=scene.hint, post_logout_redirect_uri=AFTER)
    assert response.headers["Location"] == AFTER
    assert not scene.signed_in()


def test_the_query_of_the_address_stays(scene: Scene) -> None:
    response = scene.end(id_token_hint=scene.hint, post_logout_redirect_uri=f"{AFTER}?a=b", state="s")
    assert response.headers["Location"] == f"{AFTER}?a=b&state=s"


def test_without_an_address_a_page_says_so(scene: Scene) -> None:
    response = scene.end(id_token_hint=scene.hint)
    assert response.status_code == 200
    assert "您已安全退出" in response.text
    assert "https://portal.example/" in response.text
    assert not scene.signed_in()


def test_a_hint_of_acting_for_a_unit(scene: Scene) -> None:
    """The hint's session is the pair's; what ends is the sign-in it hangs on."""
    rows.binding(rows.unit(), scene.person)
    tokens = scene.enter(org_hint=fictional.uscc(1))
    assert scene.end(id_token_hint=tokens["id_token"]).status_code == 200
    assert not scene.signed_in()


def test_a_hint_from_before_a_step_up(scene: Scene) -> None:
    """Signing in again renews the session and carries the portal's share over."""
    scene.browser.sign_in(scene.person)
    assert scene.end(id_token_hint=scene.hint).status_code == 200
    assert not scene.signed_in()


# --- what is asked first -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"client_id": "portal"},
        {"client_id": "portal", "post_logout_redirect_uri": AFTER},
        {"client_id": "stranger", "post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": AFTER},
        {"logout_hint": "user_0000", "unknown": "x"},
    ],
)
def test_a_bare_get_ends_nothing(scene: Scene, parameters: dict[str, str]) -> None:
    """Trap 10, §6: a link or an image of a stranger signs nobody out."""
    assert_asks(scene, scene.end(**parameters))


def test_the_answer_yes_ends_it(scene: Scene) -> None:
    page = scene.end(client_id="portal", post_logout_redirect_uri=AFTER, state="s")
    assert "门户portal" in page.text  # what will be signed out too
    response = confirm(scene, page)
    assert response.headers["Location"] == f"{AFTER}?state=s"
    assert not scene.signed_in()


@pytest.mark.parametrize(
    "parameters",
    [{"post_logout_redirect_uri": AFTER}, {"client_id": "portal", "post_logout_redirect_uri": f"{AFTER}/"}, {}],
)
def test_yes_without_a_registered_address_of_a_known_client(scene: Scene, parameters: dict[str, str]) -> None:
    """§3: the address alone is nobody's."""
    response = confirm(scene, scene.end(**parameters))
    assert response.status_code == 200
    assert "您已安全退出" in response.text
    assert not scene.signed_in()


@pytest.mark.parametrize("changes", [{"csrf_token": "forged"}, {"csrf_token": ""}, {"logout": "no"}])
def test_only_a_yes_from_our_own_page_counts(scene: Scene, changes: dict[str, str]) -> None:
    assert_asks(scene, confirm(scene, scene.end(client_id="portal"), **changes))


def test_a_form_of_another_site_takes_nothing(scene: Scene) -> None:
    """It comes without cookies (SameSite=Lax), so it ends nothing; and it must not make the browser drop them."""
    ticket = scene.browser.http.get("/oidc/end_session").headers["Location"]
    response = Browser(scene.app).http.post(ticket, data={"logout": "yes"})
    assert "Set-Cookie" not in response.headers
    assert scene.signed_in()


def test_a_post_of_the_portal(scene: Scene) -> None:
    """§2: GET and POST; the POST comes without cookies, the page after it has them."""
    posted = Browser(scene.app).http.post("/oidc/end_session", data={"id_token_hint": scene.hint})
    assert posted.status_code == 303
    assert scene.hint not in posted.headers["Location"]
    assert scene.browser.get(posted.headers["Location"]).status_code == 200
    assert not scene.signed_in()


def test_a_hint_of_another_session_is_asked_about(scene: Scene) -> None:
    """An ID token that another browser got, or another person, proves nothing about this one."""
    elsewhere = Browser(scene.app)
    elsewhere.sign_in(scene.person)
    code = answer_in(elsewhere.authorize())["code"]
    other_browser = scene.portal.redeem(code).get_json()["id_token"]
    other_person = scene.portal.tokens(scene.portal.granted(rows.person(2)))["id_token"]
    for hint in (other_browser, other_person):
        response = scene.browser.http.get("/oidc/end_session", query_string={"id_token_hint": hint})
        page = scene.browser.get(response.headers["Location"])
        assert "确定退出登录吗" in page.text
    assert scene.browser.http.get_cookie("jingban_session") is not None


def test_a_hint_without_sid_is_asked_about(scene: Scene) -> None:
    claims = {"iss": settings().issuer, "aud": "portal", "sub": scene.person}
    assert_asks(scene, scene.end(id_token_hint=jws.sign(claims, alg="RS256", typ="JWT")))


def test_a_hint_of_another_client_of_this_session(scene: Scene) -> None:
    """The `sid` belongs to the client that got it; one that another client is said to have got is no proof."""
    sid = next(iter(db.session.scalars(select(PortalSession.id))))
    rows.client("other")
    claims = {"iss": settings().issuer, "aud": "other", "sub": scene.person, "sid": sid}
    assert_asks(scene, scene.end(id_token_hint=jws.sign(claims, alg="RS256", typ="JWT")))


def test_what_the_client_knows_the_person_by_does_not_matter(scene: Scene) -> None:
    """A pairwise `sub` is none of ours (OpenID Connect Core §8.1); the `sid` says whose it is."""
    sid = next(iter(db.session.scalars(select(PortalSession.id))))
    claims = {"iss": settings().issuer, "aud": "portal", "sub": "pairwise-subject", "sid": sid}
    assert scene.end(id_token_hint=jws.sign(claims, alg="RS256", typ="JWT")).status_code == 200
    assert not scene.signed_in()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_question_speaks_the_language_asked_for(scene: Scene, method: str) -> None:
    """§2 `ui_locales`, also of a POST; `logout_hint` names nobody that the session does not."""
    parameters = {"ui_locales": "en", "logout_hint": "somebody@else.example"}
    options = {"query_string": parameters} if method == "GET" else {"data": parameters}
    response = scene.browser.http.open("/oidc/end_session", method=method, **options)
    page = scene.browser.get(response.headers["Location"])
    assert '<html lang="en">' in page.text
    assert "somebody" not in page.text
    assert scene.signed_in()


# --- what is refused -----------------------------------------------------------------------------------------------


def test_tokens_that_are_no_id_token_of_ours(scene: Scene) -> None:
    """Trap 10: an access token, another issuer's token, a forged one: nothing ends, nothing is redirected (§4)."""
    sid = next(iter(db.session.scalars(select(PortalSession.id))))
    claims = {"iss": settings().issuer, "aud": "portal", "sub": scene.person, "sid": sid}
    signer = keyring.signer("RS256")
    wrong = {
        "access token": scene.tokens["access_token"],
        "logout token": jws.sign(claims, alg="RS256", typ="logout+jwt"),
        "another issuer's": jwt.encode(
            {"alg": "RS256", "kid": signer.kid}, claims | {"iss": "https://other.example"}, signer.key
        ),
        "no issuer": jwt.encode({"alg": "RS256", "kid": signer.kid}, {"aud": "portal", "sub": "x"}, signer.key),
        "two audiences": jws.sign(claims | {"aud": ["portal", "other"]}, alg="RS256", typ="JWT"),
        "no subject": jws.sign({"iss": settings().issuer, "aud": "portal"}, alg="RS256", typ="JWT"),
        "another subject, same signature": _with_claims(scene.hint, claims | {"sub": "p_other"}),
        "no signature": scene.hint.rpartition(".")[0] + ".",
        "nonsense": "a.b.c",
        "not a token": "单",
    }
    for what, token in wrong.items():
        response = scene.end(id_token_hint=token, post_logout_redirect_uri=AFTER, client_id="portal")
        assert response.status_code == 400, what
        assert "Location" not in response.headers, what
        assert "您尚未退出登录" in response.text, what
    assert scene.signed_in()


def _with_claims(token: str, claims: dict[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


def test_a_client_id_that_is_not_the_hint_s(scene: Scene) -> None:
    """§2: "the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token"."""
    rows.client("other", post_logout_redirect_uris=["https://other.example/out"])
    response = scene.end(
        id_token_hint=scene.hint, client_id="other", post_logout_redirect_uri="https://other.example/out"
    )
    assert_refused(scene, response)


@pytest.mark.parametrize(
    "uri",
    [f"{AFTER}/", f"{AFTER}#x", f"{AFTER}?x=y", "https://evil.example/", "javascript:alert(1)", "//evil.example"],
)
def test_an_address_that_is_not_registered_is_not_gone_to(scene: Scene, uri: str) -> None:
    """§3: exactly one of the registered ones. The person is signed out all the same: the hint is right."""
    response = scene.end(id_token_hint=scene.hint, post_logout_redirect_uri=uri)
    assert response.status_code == 200
    assert "Location" not in response.headers
    assert not scene.signed_in()


def test_another_client_s_address(scene: Scene) -> None:
    rows.client("other", post_logout_redirect_uris=["https://other.example/out"])
    response = scene.end(id_token_hint=scene.hint, post_logout_redirect_uri="https://other.example/out")
    assert response.status_code == 200


@pytest.mark.parametrize("name", end_session.PARAMETERS)
@pytest.mark.parametrize("query", ["{0}=a&{0}=b", "{0}=%00", "{0}=%ff"])
def test_parameters_that_cannot_be_read(scene: Scene, name: str, query: str) -> None:
    assert_refused(scene, scene.browser.get(f"/oidc/end_session?{query.format(name)}"))


@pytest.mark.parametrize("ticket", ["", "nonsense", "eyJhIjoxfQ.x.y", "a" * 5000])
def test_tickets_that_are_not_ours(scene: Scene, ticket: str) -> None:
    assert_refused(scene, scene.browser.get(f"/oidc/end_session/confirm?request={ticket}"))


def test_a_ticket_does_not_keep(scene: Scene, moved_clock: MovedClock) -> None:
    ticket = scene.browser.http.get("/oidc/end_session", query_string={"id_token_hint": scene.hint})
    moved_clock.advance(timedelta(minutes=11))
    assert_refused(scene, scene.browser.get(ticket.headers["Location"]))


# --- nobody is signed in -------------------------------------------------------------------------------------------


def test_nobody_to_sign_out(scene: Scene) -> None:
    """The second tab, or a session that idled out: go on as if it had been done now."""
    stranger = Browser(scene.app)
    for parameters, target in (
        ({"id_token_hint": scene.hint, "post_logout_redirect_uri": AFTER, "state": "s"}, f"{AFTER}?state=s"),
        ({"client_id": "portal", "post_logout_redirect_uri": AFTER}, AFTER),
        ({"post_logout_redirect_uri": AFTER}, None),
        ({}, None),
    ):
        ticket = stranger.http.get("/oidc/end_session", query_string=parameters).headers["Location"]
        response = stranger.get(ticket)
        assert response.headers.get("Location") == target
        if target is None:
            assert "您已安全退出" in response.text
    assert scene.signed_in()
