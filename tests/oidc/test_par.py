"""Pushed authorization requests (RFC 9126): told at once what is wrong, opened by a reference, used once."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp import clock
from idp.sessions.model import PushedRequest
from idp.settings import settings
from idp.store.db import db
from tests.oidc import client_jwt
from tests.oidc.authorize.browser import (
    CALLBACK,
    Browser,
    agreed,
    answer_in,
    authorization_of,
    error_in,
    interaction_in,
    page_of,
    request_parameters,
)
from tests.oidc.portal import VERIFIER, Portal, assert_refused, basic, body_of
from tests.oidc.proofs import Key
from tests.support import rows
from tests.support.clocks import MovedClock
from tests.support.parallel import all_at_once


@pytest.fixture
def trusted(app: Flask, portal: Portal) -> Portal:
    """A portal whose users are not asked for consent."""
    return Portal.registered(app, "trusted", consent_required=False, redirect_uris=[CALLBACK])


def push(portal: Portal, **changes: str | None) -> TestResponse:
    return portal.post("/oidc/par", request_parameters(**{"client_id": portal.client_id, **changes}))


def pushed(portal: Portal, **changes: str | None) -> str:
    response = push(portal, **changes)
    assert response.status_code == 201, response.text
    return str(body_of(response)["request_uri"])


def open_with(browser: Browser, client_id: str, request_uri: str, **more: str) -> TestResponse:
    query = {"client_id": client_id, "request_uri": request_uri} | more
    return browser.http.get("/oidc/authorize", query_string=query)


def test_a_pushed_request_is_answered(trusted: Portal) -> None:
    browser = Browser(trusted.app)
    person_id = rows.person()
    browser.sign_in(person_id)
    response = push(trusted, scope="openid profile")
    assert response.headers["Cache-Control"] == "no-store"
    assert body_of(response)["expires_in"] == settings().pushed_request_lifetime
    granted = authorization_of(open_with(browser, "trusted", body_of(response)["request_uri"]))
    assert (granted.subject_id, granted.scope) == (person_id, "openid profile")


def test_it_serves_once(trusted: Portal) -> None:
    """RFC 9126 §4, §7.3."""
    browser = Browser(trusted.app)
    browser.sign_in(rows.person())
    request_uri = pushed(trusted)
    assert "code" in answer_in(open_with(browser, "trusted", request_uri))
    again = open_with(browser, "trusted", request_uri)
    assert again.status_code == 400
    assert "这次登录请求已失效或已使用" in again.text


def test_it_may_be_opened_again_until_the_sign_in_ends(trusted: Portal, moved_clock: MovedClock) -> None:
    """A person reloads the page, or takes longer to sign in than the reference was good for."""
    browser = Browser(trusted.app)
    request_uri = pushed(trusted)
    for _ in range(3):
        assert page_of(open_with(browser, "trusted", request_uri))[0] == "/sign-in"
        moved_clock.advance(timedelta(seconds=settings().pushed_request_lifetime + 1))
    browser.sign_in(rows.person())
    assert "code" in answer_in(open_with(browser, "trusted", request_uri))


def test_of_two_sign_ins_from_one_reference_one_is_answered(trusted: Portal) -> None:
    tabs = [Browser(trusted.app) for _ in range(2)]
    request_uri = pushed(trusted)
    waiting = [interaction_in(open_with(tab, "trusted", request_uri)) for tab in tabs]
    for n, tab in enumerate(tabs):
        tab.sign_in(rows.person(n))
    assert "code" in answer_in(tabs[0].resume(waiting[0]))
    late = tabs[1].resume(waiting[1])
    assert late.status_code == 400
    assert "Location" not in late.headers


def test_of_many_sign_ins_that_end_at_once_one_is_answered(trusted: Portal) -> None:
    """Each in a browser of its own, all from one reference: one code, and nobody gets a 500."""
    request_uri = pushed(trusted)
    tabs = [Browser(trusted.app) for _ in range(6)]
    waiting = [interaction_in(open_with(tab, "trusted", request_uri)) for tab in tabs]
    for n, tab in enumerate(tabs):
        tab.sign_in(rows.person(n))
    db.session.rollback()
    works = [lambda tab=tab, one=one: tab.resume(one) for tab, one in zip(tabs, waiting, strict=True)]
    answers = all_at_once(trusted.app, works)
    assert sorted(answer.status_code for answer in answers if isinstance(answer, TestResponse)) == [303, *[400] * 5]


def test_a_refusal_ends_it_too(app: Flask, portal: Portal) -> None:
    browser = Browser(app)
    request_uri = pushed(portal, prompt="none")
    assert error_in(open_with(browser, "portal", request_uri)) == "login_required"
    assert open_with(browser, "portal", request_uri).status_code == 400


def test_it_expires(trusted: Portal, moved_clock: MovedClock) -> None:
    request_uri = pushed(trusted)
    moved_clock.advance(timedelta(seconds=settings().pushed_request_lifetime))
    assert open_with(Browser(trusted.app), "trusted", request_uri).status_code == 400


def test_it_is_the_clients_own(app: Flask, portal: Portal, trusted: Portal) -> None:
    """RFC 9126 §2.2: the reference is bound to the client that pushed."""
    request_uri = pushed(trusted)
    assert open_with(Browser(app), "portal", request_uri).status_code == 400
    assert page_of(open_with(Browser(app), "trusted", request_uri))[0] == "/sign-in"


def test_with_an_address_beside_it_the_portal_is_told(trusted: Portal) -> None:
    gone = "urn:ietf:params:oauth:request_uri:unheard-of"
    response = open_with(Browser(trusted.app), "trusted", gone, redirect_uri=CALLBACK, state="af0ifjsldkj")
    assert error_in(response) == "invalid_request_uri"


def test_nothing_beside_the_reference_counts(trusted: Portal) -> None:
    """RFC 9101 §6.3: what was pushed was authenticated, what stands in the address was not."""
    browser = Browser(trusted.app)
    browser.sign_in(rows.person())
    request_uri = pushed(trusted, scope="openid")
    opened = open_with(browser, "trusted", request_uri, scope="openid profile", redirect_uri=CALLBACK)
    assert authorization_of(opened).scope == "openid"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request_uri": "https://portal.example/request"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"org_hint": "914400000000000000"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"request": "a.b.c"}, "invalid_request_object"),
        ({"prompt": "x\x00"}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_at_once(trusted: Portal, changes: dict[str, str | None], error: str) -> None:
    assert_refused(push(trusted, **changes), error)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(PushedRequest)) == 0


def test_only_the_client_itself_may_push(app: Flask, trusted: Portal) -> None:
    assert_refused(app.test_client().post("/oidc/par", data=request_parameters()), "invalid_client", 401)


def test_several_resources_may_be_pushed(app: Flask, portal: Portal) -> None:
    """RFC 8707 §2: the one parameter that may stand several times."""
    both = ["https://api.example", "https://more.example"]
    client = Portal.registered(app, "both", redirect_uris=[CALLBACK], more={"resources": both[1:]})
    form: dict[str, Any] = request_parameters(client_id="both") | {"resource": both}
    response = client.post("/oidc/par", form)
    assert response.status_code == 201, response.text
    assert page_of(open_with(Browser(app), "both", body_of(response)["request_uri"]))[0] == "/sign-in"
    twice = client.post("/oidc/par", request_parameters(client_id="both") | {"state": ["a", "b"]})
    assert_refused(twice, "invalid_request")


def test_a_client_that_must_push_cannot_do_without(app: Flask, portal: Portal) -> None:
    """RFC 9126 §6."""
    more = {"require_pushed_authorization_requests": True}
    client = Portal.registered(app, "careful", redirect_uris=[CALLBACK], more=more)
    browser = Browser(app)
    assert error_in(browser.authorize(client_id="careful")) == "invalid_request"
    assert page_of(open_with(browser, "careful", pushed(client)))[0] == "/sign-in"


def test_public_clients_may_push(app: Flask, portal: Portal) -> None:
    client = Portal.registered(app, "app", public=True, redirect_uris=[CALLBACK])
    assert page_of(open_with(Browser(app), "app", pushed(client)))[0] == "/sign-in"


def test_what_is_kept_is_encrypted(trusted: Portal) -> None:
    """A login hint may be a phone number."""
    pushed(trusted, login_hint="13800138000")
    [kept] = db.session.connection().exec_driver_sql("SELECT parameters FROM pushed_request").fetchone() or [b""]
    assert b"13800138000" not in bytes(kept)


def test_a_proof_at_the_push_binds_the_code(trusted: Portal) -> None:
    """RFC 9449 §10.1."""
    browser = Browser(trusted.app)
    browser.sign_in(rows.person())
    key, thief = Key(), Key()
    issuer = settings().issuer
    form = request_parameters(client_id="trusted")
    response = trusted.app.test_client().post(
        "/oidc/par",
        data=form,
        headers={"DPoP": key.proof(htu=f"{issuer}/oidc/par"), "Authorization": _basic(trusted)},
    )
    code = answer_in(open_with(browser, "trusted", body_of(response)["request_uri"]))["code"]
    wrong = trusted.post("/oidc/token", _redemption(code), headers=_headers(trusted, thief))
    assert wrong.status_code == 400


def _basic(portal: Portal) -> str:
    assert portal.secret is not None
    return basic(portal.client_id, portal.secret)


def _headers(portal: Portal, key: Key) -> dict[str, str]:
    return {"Authorization": _basic(portal), "DPoP": key.proof()}


def _redemption(code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }


# --- Request objects (RFC 9101), by value ----------------------------------------------------------------------------


@pytest.fixture
def signing(app: Flask, portal: Portal) -> Browser:
    """A browser before a provider that knows the client `signing`, which signs its requests."""
    rows.client("signing", redirect_uris=[CALLBACK], more={"jwks": client_jwt.key_set()})
    return Browser(app)


def send(browser: Browser, text: str, client_id: str = "signing", **more: str) -> TestResponse:
    beside = {"redirect_uri": CALLBACK, "state": "af0ifjsldkj"}
    query = {"client_id": client_id, "request": text} | beside | more
    return browser.http.get("/oidc/authorize", query_string=query)


def made(**changes: Any) -> str:
    alg = changes.pop("alg", "ES256")
    return client_jwt.request_object("signing", request_parameters(client_id="signing") | changes, alg=alg)


@pytest.mark.parametrize("alg", client_jwt.ALL)
def test_a_signed_request_is_taken(signing: Browser, alg: str) -> None:
    assert page_of(send(signing, made(alg=alg)))[0] == "/sign-in"


def test_numbers_and_json_stand_in_it_as_they_are(signing: Browser) -> None:
    text = made(max_age=0, claims={"userinfo": {"name": None}})
    assert page_of(send(signing, text))[0] == "/sign-in"


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": 10**11},
        {"nbf": 10**10},
        {"client_id": "portal"},
        {"sub": "signing"},
        {"request": "a.b.c"},
        {"request_uri": "https://portal.example/r"},
        {"scope": ["openid"]},
        {"max_age": True},
    ],
    ids=str,
)
def test_requests_that_are_refused(signing: Browser, changes: dict[str, Any]) -> None:
    """DESIGN 3, trap 9: `alg: none`, a wrong `aud` or `iss`, no `exp`; and what RFC 9101 §10 warns of."""
    assert error_in(send(signing, made(**changes))) == "invalid_request_object"


def test_a_request_that_another_key_signed_is_refused(signing: Browser) -> None:
    foreign = ECKey.generate_key("P-256", {"kid": "ec"})
    claims = {"iss": "signing", "aud": settings().issuer, "exp": 10**10} | request_parameters(client_id="signing")
    assert error_in(send(signing, client_jwt.signed(claims, key=foreign))) == "invalid_request_object"


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "logout+jwt", 7])
def test_a_jwt_of_another_kind_is_no_request(signing: Browser, typ: Any) -> None:
    claims = {"iss": "signing", "aud": settings().issuer} | request_parameters(client_id="signing")
    text = client_jwt.signed(claims | {"exp": clock.timestamp() + 60}, header={"typ": typ})
    assert error_in(send(signing, text)) == "invalid_request_object"


def test_nothing_beside_a_signed_request_counts(signing: Browser) -> None:
    person_id = rows.person()
    signing.sign_in(person_id)
    page = send(signing, made(scope="openid"), scope="openid profile")
    interaction = interaction_in(page)
    agreed(interaction, person_id, scopes=["openid", "profile"])
    assert authorization_of(signing.resume(interaction)).scope == "openid"


def test_another_response_type_outside_is_refused(signing: Browser) -> None:
    """OpenID Connect Core §6.1."""
    assert error_in(send(signing, made(), response_type="token")) == "invalid_request_object"


def test_unsigned_only_where_registered(signing: Browser) -> None:
    rows.client("plain", redirect_uris=[CALLBACK], more={"request_object_signing_alg": "none"})
    parameters = request_parameters(client_id="plain")
    assert page_of(send(signing, client_jwt.request_object("plain", parameters, alg="none"), "plain"))[0] == "/sign-in"
    half = client_jwt.request_object("plain", parameters, alg="none") + "AAAA"
    assert error_in(send(signing, half, "plain")) == "invalid_request_object"


def test_a_client_that_must_sign_cannot_do_without(signing: Browser) -> None:
    """RFC 9101 §10.5."""
    more = {"require_signed_request_object": True, "jwks": client_jwt.key_set()}
    rows.client("strict", redirect_uris=[CALLBACK], more=more)
    assert error_in(signing.authorize(client_id="strict")) == "invalid_request"
    text = client_jwt.request_object("strict", request_parameters(client_id="strict"))
    assert page_of(send(signing, text, "strict"))[0] == "/sign-in"


def test_without_a_usable_address_a_page_says_so(signing: Browser) -> None:
    query = {"client_id": "signing", "request": "a.b.c"}
    page = signing.http.get("/oidc/authorize", query_string=query)
    assert page.status_code == 400
    assert "Location" not in page.headers
