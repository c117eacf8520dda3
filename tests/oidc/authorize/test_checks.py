"""The checks after trust: each error goes to the portal, with state and issuer (RFC 6749 §4.1.2.1, RFC 9207)."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from sqlalchemy import func, select

from idp import clock
from idp.delegation.model import Business
from idp.oidc.tokens import jws
from idp.sessions.model import Interaction
from idp.settings import settings
from idp.store import keyring
from idp.store.db import db, transaction
from tests.oidc.authorize.browser import (
    CALLBACK,
    Browser,
    answer_in,
    error_in,
    interaction_row,
    page_of,
    request_parameters,
)
from tests.oidc.portal import Portal
from tests.support import fictional, rows

ACR = "urn:jingban:acr:"


def details(**changes: object) -> str:
    detail = {"type": "unit_delegation", "actions": ["rec.position"]} | changes
    return json.dumps([{name: value for name, value in detail.items() if value is not None}])


@pytest.fixture
def browser(sqlite_portal: Portal) -> Browser:
    rows.business("rec.position")
    rows.business("rec.fair")
    rows.business("foreign.business")
    return Browser(sqlite_portal.app)


def asked(browser: Browser, **changes: str | None) -> dict:
    """Return the request that is stored for a person who must sign in first."""
    return interaction_row(browser.journey(**changes)).request


def test_a_request_that_is_right_leads_to_sign_in(browser: Browser) -> None:
    assert page_of(browser.authorize()) == ("/sign-in", {})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        # RFC 6749 §3.1.1, §4.1.2.1
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": '"><script>'}, "unsupported_response_type"),
        # OAuth 2.0 Multiple Response Types §2.1
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "query.jwt"}, "invalid_request"),
        ({"response_mode": "nonsense"}, "invalid_request"),
        # OpenID Connect Core §3.1.2.1 scope
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid foreign.business"}, "invalid_scope"),
        # RFC 7636 §4.3, RFC 9700 §2.1.1 (trap 4): every client, S256 alone
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "a" * 42}, "invalid_request"),
        ({"code_challenge": "a" * 44}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "~"}, "invalid_request"),
        # OpenID Connect Core §3.1.2.1 prompt, max_age
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none create"}, "invalid_request"),
        ({"prompt": "NONE"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "ten"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "9" * 30}, "invalid_request"),
        # OpenID Connect Core §3.1.2.6
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"),
        ({"request_uri": "https://portal.example/request.jwt"}, "invalid_request_uri"),
        ({"registration": "{}"}, "registration_not_supported"),
        # OpenID Connect Core §5.5
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"id_token": []}'}, "invalid_request"),
        ({"claims": '{"userinfo": {"name": "x"}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": {"values": "L1"}}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": {"values": [1]}}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"sub": {"value": 7}}}'}, "invalid_request"),
        ({"claims": '{"userinfo": {"sub": {"values": [7]}}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"name": {"value": "\\ud800"}}}'}, "invalid_request"),
        ({"claims": '{"x": NaN}'}, "invalid_request"),
        ({"claims": '{"x":' + "[" * 9000}, "invalid_request"),
        (
            {"claims": '{"id_token": {"acr": {"essential": true, "value": "urn:other:loa4"}}}'},
            "unmet_authentication_requirements",
        ),
        # RFC 8707 §2
        ({"resource": "https://api.example/"}, "invalid_target"),
        ({"resource": "https://other.example"}, "invalid_target"),
        # OpenID Connect Core §3.1.2.1 id_token_hint
        ({"id_token_hint": "nonsense"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        # RFC 9396 §5
        ({"authorization_details": "{"}, "invalid_authorization_details"),
        ({"authorization_details": "{}"}, "invalid_authorization_details"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"authorization_details": "[1]"}, "invalid_authorization_details"),
        ({"authorization_details": "[{}]"}, "invalid_authorization_details"),
        ({"authorization_details": f"[{details()[1:-1]},{details()[1:-1]}]"}, "invalid_authorization_details"),
        ({"authorization_details": details(type="payment")}, "invalid_authorization_details"),
        ({"authorization_details": details(amount=5)}, "invalid_authorization_details"),
        ({"authorization_details": details(actions="rec.position")}, "invalid_authorization_details"),
        ({"authorization_details": details(actions=["foreign.business"])}, "invalid_authorization_details"),
        ({"authorization_details": details(actions=["openid"])}, "invalid_authorization_details"),
        ({"authorization_details": details(actions=[["rec.position"]])}, "invalid_authorization_details"),
        ({"authorization_details": details(identifier=7)}, "invalid_authorization_details"),
        ({"authorization_details": details(identifier="p_person")}, "invalid_authorization_details"),
        ({"authorization_details": details(representation_required="yes")}, "invalid_authorization_details"),
        # RFC 6749 Appendix A: no control characters
        ({"nonce": "a\0b"}, "invalid_request"),
        ({"nonce": "n" * 3000}, "invalid_request"),
    ],
)
def test_errors_for_the_portal(browser: Browser, changes: dict, error: str) -> None:
    assert error_in(browser.authorize(**changes)) == error


@pytest.mark.parametrize("name", [*request_parameters(), "prompt", "claims", "request"])
def test_repeated_parameters(browser: Browser, name: str) -> None:
    """RFC 6749 §3.1: also of parameters that Authlib does not look at."""
    if name in {"client_id", "redirect_uri"}:
        return  # tests/oidc/authorize/test_trust.py: a page
    pairs = [*request_parameters().items(), (name, "a"), (name, "a")]
    location = browser.get(f"/oidc/authorize?{urlencode(pairs)}").headers["Location"]
    assert location.startswith(f"{CALLBACK}?error=invalid_request&")
    assert ("state=" in location) == (name != "state")  # of two states neither is given back


def test_several_resources_of_which_one_is_not_registered(browser: Browser) -> None:
    """RFC 8707 §2: `resource` alone may be repeated; every value must be one of the client's."""
    pairs = [*request_parameters().items(), ("resource", "https://api.example"), ("resource", "https://other.example")]
    assert error_in(browser.get(f"/oidc/authorize?{urlencode(pairs)}")) == "invalid_target"


def test_unknown_parameters_are_ignored_also_repeated(browser: Browser) -> None:
    """RFC 6749 §3.1: "the authorization server MUST ignore unrecognized request parameters"."""
    pairs = [*request_parameters().items(), ("unknown", "a"), ("unknown", "b"), ("other", "a\0b")]
    assert page_of(browser.get(f"/oidc/authorize?{urlencode(pairs)}"))[0] == "/sign-in"


def test_a_client_without_the_code_grant(browser: Browser) -> None:
    """RFC 6749 §4.1.2.1 unauthorized_client."""
    rows.client("machine", redirect_uris=[CALLBACK], grant_types=["client_credentials"])
    assert error_in(browser.authorize(client_id="machine")) == "unauthorized_client"


def test_scope_that_is_not_understood_is_ignored(browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1; a retired or foreign business is understood, so it is refused (above)."""
    assert asked(browser, scope="openid e-mail unheard.of profile openid")["scope"] == ["openid", "profile"]


def test_scope_of_this_provider_that_the_client_lacks(browser: Browser) -> None:
    rows.client("plain", redirect_uris=[CALLBACK], scopes=["openid"])
    assert error_in(browser.authorize(client_id="plain", scope="openid phone")) == "invalid_scope"
    with transaction() as session:
        session.get_one(Business, "foreign.business").retired_at = clock.now()
    assert error_in(browser.authorize(client_id="plain", scope="openid foreign.business")) == "invalid_scope"


def test_the_request_is_kept_as_it_was_checked(browser: Browser) -> None:
    request = asked(
        browser,
        scope="openid profile rec.position",
        prompt="login consent",
        max_age="0300",
        acr_values=f"{ACR}L2 {ACR}L1 urn:other",
        ui_locales="en zh-Hans",
        resource="https://api.example",
        org_hint=fictional.uscc(1).lower(),
        authorization_details=details(actions=["rec.fair", "rec.fair"], representation_required=True),
        claims='{"userinfo": {"name": null}}',
        nonce="单=&\"'",
    )
    assert request["prompt"] == ["login", "consent"]
    assert request["max_age"] == 300
    assert request["acr_values"] == [f"{ACR}L2", f"{ACR}L1", "urn:other"]
    assert request["ui_locales"] == ["en", "zh-Hans"]
    assert request["org_hint"] == fictional.uscc(1)
    assert request["unit_delegation"] == {
        "actions": ["rec.fair"],
        "identifier": None,
        "representation_required": True,
    }
    assert request["claims"] == {"userinfo": {"name": None}}
    assert request["nonce"] == "单=&\"'"
    assert "request" not in request


def test_a_login_hint_is_kept_only_if_it_is_a_login_name(browser: Browser) -> None:
    """The interaction stands in clear; a phone or a document number must not (DESIGN 7)."""
    assert asked(browser, login_hint="user_0001")["login_hint"] == "user_0001"
    for personal in (fictional.mobile(), fictional.resident_id(), "张三", "a@b.example"):
        assert asked(browser, login_hint=personal)["login_hint"] is None


@pytest.mark.parametrize(
    ("claims", "acr_values", "essential"),
    [
        ({"id_token": {"acr": {"essential": True, "values": [f"{ACR}L1", f"{ACR}L2"]}}}, [], [f"{ACR}L1", f"{ACR}L2"]),
        ({"id_token": {"acr": {"essential": True, "value": f"{ACR}L2"}}}, [], [f"{ACR}L2"]),
        ({"id_token": {"acr": {"essential": True}}}, [], []),
        ({"id_token": {"acr": {"values": [f"{ACR}L2"]}}}, [f"{ACR}L2"], []),
        ({"id_token": {"acr": None}}, [], []),
        ({"id_token": None, "userinfo": {}}, [], []),
    ],
)
def test_acr_in_the_claims_parameter(browser: Browser, claims: dict, acr_values: list, essential: list) -> None:
    """OpenID Connect Core §5.5.1.1."""
    request = asked(browser, claims=json.dumps(claims))
    assert (request["acr_values"], request["essential_acr"]) == (acr_values, essential)


# --- org_hint, acts_for (DESIGN 4) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "org_hint", ["914400000000000000", fictional.uscc(1)[:-1] + "0", " " + fictional.uscc(1), "x"]
)
def test_a_malformed_org_hint_is_a_page(browser: Browser, org_hint: str) -> None:
    """U3, DESIGN 4: a page for the person, not an error for the portal."""
    response = browser.authorize(org_hint=org_hint)
    assert response.status_code == 400
    assert "统一社会信用代码" in response.text


def test_a_client_that_never_acts_for_units_cannot_ask_to(browser: Browser) -> None:
    rows.client("citizens", redirect_uris=[CALLBACK], acts_for="never")
    never = {"client_id": "citizens"}
    assert error_in(browser.authorize(**never, org_hint=fictional.uscc(1))) == "invalid_request"
    assert error_in(browser.authorize(**never, authorization_details=details())) == "invalid_authorization_details"


# --- id_token_hint -------------------------------------------------------------------------------------------------


def test_an_id_token_of_ours_is_a_hint_also_when_expired(sqlite_portal: Portal, moved_clock) -> None:
    person = rows.person()
    token = sqlite_portal.tokens(sqlite_portal.granted(person))["id_token"]
    moved_clock.advance(timedelta(hours=2))
    request = asked(Browser(sqlite_portal.app), id_token_hint=token)
    assert request["id_token_hint_sub"] == person
    assert request["id_token_hint_sid"].startswith("ps_")
    assert token not in json.dumps(request)


def test_tokens_that_are_no_hint(sqlite_portal: Portal) -> None:
    """Trap 10, at this endpoint too: an access token, another issuer's, another client's, a forged one."""
    browser = Browser(sqlite_portal.app)
    person = rows.person()
    other = Portal.registered(sqlite_portal.app, "other")
    grant = sqlite_portal.granted(person)
    tokens = sqlite_portal.tokens(grant)
    claims = {"iss": settings().issuer, "aud": "portal", "sub": person, "exp": clock.timestamp() + 60}
    signer = keyring.signer("RS256")
    foreign = jwt.encode({"alg": "RS256", "kid": signer.kid}, claims | {"iss": "https://other.example"}, signer.key)
    wrong = {
        "access token": tokens["access_token"],
        "refresh token": tokens.get("refresh_token", "x"),
        "another client's": other.tokens(other.granted(person))["id_token"],
        "another issuer's under our key": foreign,
        "logout token": jws.sign(claims, alg="RS256", typ="logout+jwt"),
        "no audience": jws.sign({**claims, "aud": ["portal", "other"]}, alg="RS256", typ="JWT"),
        "alg none": _unsigned(claims),
        "cut off": tokens["id_token"][:-4],
    }
    for what, token in wrong.items():
        assert error_in(browser.authorize(id_token_hint=token)) == "invalid_request", what
    good = jws.sign(claims, alg="RS256", typ="JWT")
    assert page_of(browser.authorize(id_token_hint=good))[0] == "/sign-in"


def _unsigned(claims: dict) -> str:
    def part(value: dict) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def test_a_hint_and_a_claim_for_different_subjects(sqlite_portal: Portal) -> None:
    """OpenID Connect Core §5.5.1: `sub` with a value names who must be signed in, as a hint does."""
    browser = Browser(sqlite_portal.app)
    claims = {"iss": settings().issuer, "aud": "portal", "sub": "p_one"}
    hint = jws.sign(claims, alg="RS256", typ="JWT")
    wanted = json.dumps({"id_token": {"sub": {"value": "p_two"}}})
    assert error_in(browser.authorize(id_token_hint=hint, claims=wanted)) == "invalid_request"
    assert asked(browser, claims=wanted)["id_token_hint_sub"] == "p_two"


def test_a_post_is_the_same_request(browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: GET and POST; errors in the same way."""
    posted = browser.http.post("/oidc/authorize", data=request_parameters(response_type=None))
    assert error_in(posted) == "invalid_request"
    # What stands in the query of a POST is none of the request.
    both = browser.http.post("/oidc/authorize?response_type=code", data=request_parameters(response_type=None))
    assert error_in(both) == "invalid_request"
    assert "code" not in answer_in(both)


def test_a_confidential_client_may_be_registered_to_go_without_pkce(browser: Browser) -> None:
    """RFC 9700 §2.1.1 asks it of public clients; what this one sends all the same is checked."""
    rows.client("plain", redirect_uris=[CALLBACK], more={"require_pkce": False})
    without = {"client_id": "plain", "code_challenge": None, "code_challenge_method": None}
    assert page_of(browser.authorize(**without))[0] == "/sign-in"
    assert error_in(browser.authorize(**without | {"code_challenge_method": "S256"})) == "invalid_request"
    assert error_in(browser.authorize(client_id="plain", code_challenge_method="plain")) == "invalid_request"


def test_checks_store_nothing_when_they_refuse(browser: Browser) -> None:
    browser.authorize(code_challenge=None)
    assert db.session.scalar(select(func.count()).select_from(Interaction)) == 0
