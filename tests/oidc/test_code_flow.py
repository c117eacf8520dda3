"""The whole way of a portal: from the authorization request to tokens, UserInfo, refresh and the end of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet

from idp import clock
from idp.oidc.tokens.id_token import half_hash
from idp.sessions import browser_sessions
from idp.settings import settings
from idp.store.db import transaction
from tests.oidc.authorize.browser import Browser, answer_in
from tests.oidc.portal import API, NONCE, Portal, assert_dead, assert_refused, body_of
from tests.support import fictional, rows

Verify = Callable[[str], dict[str, Any]]


@pytest.fixture
def trusted(app: Flask, portal: Portal) -> Portal:
    """A portal of the same body: its users are not asked for consent. Its callback is the browser's."""
    return Portal.registered(
        app, "trusted", consent_required=False, redirect_uris=[portal.redirect_uri, "https://trusted.example/callback"]
    )


@pytest.fixture
def verify(app: Flask) -> Verify:
    """Verify an ID token as a portal does: metadata, JWKS, signature, then the claims of Core §3.1.3.7."""

    def checked(token: str) -> dict[str, Any]:
        http = app.test_client()
        metadata = body_of(http.get("/.well-known/openid-configuration"))
        keys = http.get(metadata["jwks_uri"].removeprefix(metadata["issuer"])).get_json()
        claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": metadata["issuer"]},
            aud={"essential": True, "value": "trusted"},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        ).validate(claims)
        return claims

    return checked


def _code(app: Flask, person_id: str, **changes: str | None) -> str:
    browser = Browser(app)
    browser.sign_in(person_id)
    return answer_in(browser.authorize(client_id="trusted", **changes))["code"]


def test_for_oneself(app: Flask, trusted: Portal, verify: Verify) -> None:
    """R1: a job seeker."""
    person_id = rows.person()
    code = _code(app, person_id, scope="openid profile", nonce=NONCE)
    redeemed = trusted.redeem(code, redirect_uri="https://portal.example/callback")
    assert redeemed.status_code == 200, redeemed.text
    tokens = body_of(redeemed)
    claims = verify(tokens["id_token"])
    assert (claims["sub"], claims["nonce"]) == (person_id, NONCE)
    assert claims["at_hash"] == half_hash(tokens["access_token"], "RS256")
    answer = body_of(trusted.userinfo(tokens["access_token"]))
    assert (answer["sub"], answer["name"]) == (person_id, fictional.person_name(0))
    again = trusted.refreshed(tokens["refresh_token"])
    assert verify(again["id_token"])["sid"] == claims["sid"]


def test_for_a_unit(app: Flask, trusted: Portal, verify: Verify) -> None:
    """R1, C2, C3: an agent in the unit's own part; only what the unit granted."""
    person_id, unit_id = rows.person(), rows.unit(verified_at=clock.now())
    rows.grant(rows.binding(unit_id, person_id), rows.business("rec.position"))
    rows.business("rec.fair")
    details = [{"type": "unit_delegation", "actions": ["rec.position", "rec.fair"], "identifier": unit_id}]
    code = _code(app, person_id, authorization_details=json.dumps(details))
    tokens = body_of(trusted.redeem(code, redirect_uri="https://portal.example/callback"))
    claims = verify(tokens["id_token"])
    assert claims["sub"] == person_id
    assert claims["acting_for"]["sub"] == unit_id
    assert claims["acting_for"]["verified"] is True
    seen = trusted.introspect(tokens["access_token"])
    assert (seen["sub"], seen["act"]["sub"], seen["aud"]) == (unit_id, person_id, API)
    assert seen["scope"] == "openid rec.position"
    assert seen["authorization_details"] == [
        {"type": "unit_delegation", "identifier": unit_id, "actions": ["rec.position"]}
    ]
    assert body_of(trusted.userinfo(tokens["access_token"]))["acting_for"] == claims["acting_for"]


def test_signing_out_in_the_browser_ends_it(app: Flask, trusted: Portal) -> None:
    person_id = rows.person()
    browser = Browser(app)
    session_id = browser.sign_in(person_id)
    code = answer_in(browser.authorize(client_id="trusted"))["code"]
    tokens = body_of(trusted.redeem(code, redirect_uri="https://portal.example/callback"))
    with transaction() as session:
        browser_sessions.end(session, session_id, why="signed_out")
    assert_dead(trusted, tokens)


def test_a_code_is_bound_to_the_callback_it_was_sent_to(app: Flask, trusted: Portal) -> None:
    """RFC 6749 §4.1.3: also when both are registered."""
    code = _code(app, rows.person())
    assert_refused(trusted.redeem(code, redirect_uri="https://trusted.example/callback"), "invalid_grant")


def test_the_issuer_of_tokens_is_the_one_of_the_answer(app: Flask, trusted: Portal, verify: Verify) -> None:
    """RFC 9207: `answer_in` checks the `iss` of the answer."""
    tokens = body_of(trusted.redeem(_code(app, rows.person()), redirect_uri="https://portal.example/callback"))
    assert verify(tokens["id_token"])["iss"] == settings().issuer
