"""Plan "Dynamic OP" (`oidcc-dynamic-certification-test-plan[response_type=code]`).

Each test is named after the module that it stands for. The clients register themselves, authenticate by
`private_key_jwt` and know no PKCE, so the operator gives the suite an initial access token that says so:
`jingban client token conformance --pkce-optional`.

Modules that do not apply:
- `oidcc-idtoken-unsigned` skips itself: discovery does not offer `none`. That it cannot be registered is tested.
- `oidcc-request-uri-unsigned` and `oidcc-ensure-request-object-with-redirect-uri` skip themselves for the same reason.
  Unsigned request objects are taken from clients that registered for them; so the tests do.
- One condition of `oidcc-discovery-endpoint-verification` would fail: of a dynamic provider Discovery §3 demands the
  response types `id_token` and `id_token token` beside `code`, and there is no implicit flow here (RFC 9700 §2.1.2).
  The other conditions are in test_config.py, and what is for this plan alone below.
- WebFinger (Discovery §2) is in no module of a provider's plan; there is none.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.conformance.dynamic import CALLBACK, KEY, Registered, Registrar, published
from tests.conformance.suite import TIMEOUT, Registration, Suite, check_claims
from tests.oidc import client_jwt
from tests.oidc.portal import claims_in, header_of
from tests.support.processes import until
from tests.support.stack import Stack

JWKS, JWT = "application/jwk-set+json", "application/oauth-authz-req+jwt"
NEW_KEY = RSAKey.generate_key(2048, {"kid": "second"})


@pytest.fixture(scope="module", autouse=True)
def rotating(stack: Stack, initial_token: str) -> Iterator[tuple[Registered, dict[str, Any], list[RSAKey]]]:
    """A client that was seen with its first key, with what it got, and the list of what its `jwks_uri` holds.

    Begun before the first module: a provider asks an address again only after a while, and that passes meanwhile.
    """
    user = next(each for each in stack.described["accounts"] if each["kind"] == "person")
    registration = Registrar(_nobody(stack, user), initial_token)
    keys = [KEY]
    with published(lambda: json.dumps(client_jwt.key_set(*keys)).encode(), JWKS) as (uri, _):
        grants = ["authorization_code", "refresh_token"]
        client = registration.client(jwks=None, jwks_uri=uri, grant_types=grants)
        yield client, client.suite.sign_in(scope="openid offline_access", prompt="consent"), keys
        registration.unregister()


def _nobody(stack: Stack, user: dict[str, Any]) -> Suite:
    return Suite(stack.issuer, Registration("", "", CALLBACK), user["login"], user["password"])


def test_oidcc_server(registrar: Registrar) -> None:
    client = registrar.client()
    tokens = client.suite.sign_in(scope="openid profile")
    assert client.suite.userinfo(tokens["access_token"])["sub"] == tokens["claims"]["sub"]
    assert client.read().json()["client_id"] == client.told["client_id"]


def test_oidcc_discovery_endpoint_verification(suite: Suite) -> None:
    """What this plan demands beside Config OP: registration, and requests by reference (Core §15.2)."""
    said = suite.metadata
    assert said["registration_endpoint"].startswith(f"{suite.issuer}/")
    assert said["request_uri_parameter_supported"] is True
    assert "RS256" in said["request_object_signing_alg_values_supported"]
    assert "RS256" in said["userinfo_signing_alg_values_supported"]
    assert "private_key_jwt" in said["token_endpoint_auth_methods_supported"]
    assert "RS256" in said["token_endpoint_auth_signing_alg_values_supported"]
    assert "authorization_code" in said["grant_types_supported"]


def test_oidcc_discovery_issuer_not_matching(suite: Suite) -> None:
    """Discovery §4.3: the issuer is the address to which the well-known path was added, also behind another name."""
    elsewhere = suite.issuer.replace("localhost", "127.0.0.1")
    said = requests.get(f"{elsewhere}/.well-known/openid-configuration", timeout=TIMEOUT).json()
    assert said["issuer"] == suite.issuer, "a client that asked elsewhere sees the difference and stops"


def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(registrar: Registrar) -> None:
    suite = registrar.client().suite
    answer = suite.authorize()
    form = {"grant_type": "authorization_code", "code": answer.code, "redirect_uri": suite.client.redirect_uri}
    assertion = suite.assertion(aud=suite.metadata["issuer"])
    response = requests.post(suite.metadata["token_endpoint"], data=form | assertion, timeout=TIMEOUT)
    assert response.status_code == 200, response.text


def test_oidcc_ensure_redirect_uri_in_authorization_request(registrar: Registrar) -> None:
    """Core §3.1.2.1: it is required, also when only one is registered. The user sees why nothing goes on."""
    _assert_page(registrar.client().suite, redirect_uri=None)


def test_oidcc_ensure_request_object_with_redirect_uri(registrar: Registrar) -> None:
    """What stands in the object counts: an address beside it that is not registered is passed over (Core §6.1)."""
    suite = registrar.client(request_object_signing_alg="none").suite
    asked, _ = suite.parameters()
    beside = asked | {"redirect_uri": f"{CALLBACK}/elsewhere", "request": _request_object(suite, asked, "none")}
    answer = suite.authorize(**beside)
    assert suite.tokens(replace(answer, nonce=asked["nonce"]))["claims"]["nonce"] == asked["nonce"]


def test_oidcc_idtoken_rs256(registrar: Registrar) -> None:
    suite = registrar.client(id_token_signed_response_alg="RS256").suite
    assert header_of(suite.sign_in()["id_token"])["alg"] == "RS256"


def test_oidcc_idtoken_unsigned(registrar: Registrar) -> None:
    """Not offered, so the module skips itself; and not registered in silence either."""
    assert "none" not in registrar.suite.metadata["id_token_signing_alg_values_supported"]
    registrar.assert_refused("invalid_client_metadata", id_token_signed_response_alg="none")


def test_oidcc_userinfo_rs256(registrar: Registrar) -> None:
    """Core §5.3.2: signed, as `application/jwt`, with `iss` and `aud`."""
    suite = registrar.client(userinfo_signed_response_alg="RS256").suite
    tokens = suite.sign_in(scope="openid profile")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    response = requests.get(suite.metadata["userinfo_endpoint"], headers=headers, timeout=TIMEOUT)
    assert response.headers["Content-Type"].partition(";")[0] == "application/jwt"
    keys = KeySet.import_key_set(requests.get(suite.metadata["jwks_uri"], timeout=TIMEOUT).json())
    claims = jwt.decode(response.text, keys, algorithms=["RS256"]).claims
    assert (claims.pop("iss"), claims.pop("aud")) == (suite.metadata["issuer"], suite.client.client_id)
    assert check_claims(claims)["sub"] == tokens["claims"]["sub"]


# --- redirect URIs ---------------------------------------------------------------------------------------------------


def test_oidcc_redirect_uri_query_ok(registrar: Registrar) -> None:
    """RFC 6749 §3.1.2: a query is kept, and ours is added to it."""
    suite = registrar.client(redirect_uris=[f"{CALLBACK}?foo=bar"]).suite
    answer = suite.authorize()
    assert answer.parameters["foo"] == "bar"
    suite.tokens(answer)


def test_oidcc_redirect_uri_query_mismatch(registrar: Registrar) -> None:
    suite = registrar.client(redirect_uris=[f"{CALLBACK}?foo=bar"]).suite
    _assert_page(suite, redirect_uri=f"{CALLBACK}?bar=foo")


def test_oidcc_redirect_uri_query_added(registrar: Registrar) -> None:
    _assert_page(registrar.client().suite, redirect_uri=f"{CALLBACK}?foo=bar")


def test_oidcc_redirect_uri_regfrag(registrar: Registrar) -> None:
    registrar.assert_refused("invalid_redirect_uri", redirect_uris=[f"{CALLBACK}#foobar"])


# --- what a registration may say -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["policy_uri", "tos_uri"])
def test_oidcc_registration_policy_uri(registrar: Registrar, name: str) -> None:
    """oidcc-registration-policy-uri, -tos-uri: the user is shown where to read it."""
    suite = registrar.client(**{name: f"https://conformance.example/{name}"}).suite
    suite.sign_in()
    assert f'href="https://conformance.example/{name}"' in suite.consent_page


def test_oidcc_registration_logo_uri(registrar: Registrar) -> None:
    """Registered and told again. It is not shown: the user's browser would be sent to a stranger's server."""
    client = registrar.client(logo_uri="https://conformance.example/logo.png")
    client.suite.sign_in()
    assert client.read().json()["logo_uri"] == "https://conformance.example/logo.png"


def test_oidcc_registration_jwks_uri(registrar: Registrar) -> None:
    with published(lambda: json.dumps(client_jwt.key_set(KEY)).encode(), JWKS) as (uri, server):
        registrar.client(jwks=None, jwks_uri=uri).suite.sign_in()
        assert server.received


def test_oidcc_registration_sector_uri(registrar: Registrar) -> None:
    with published(lambda: json.dumps([CALLBACK]).encode(), "application/json") as (uri, _):
        client = registrar.client(subject_type="pairwise", sector_identifier_uri=uri)
        mine = client.suite.sign_in()["claims"]["sub"]
    assert registrar.client().suite.sign_in()["claims"]["sub"] != mine


def test_oidcc_registration_sector_bad(registrar: Registrar) -> None:
    with published(lambda: json.dumps([f"{CALLBACK}/other"]).encode(), "application/json") as (uri, _):
        registrar.assert_refused("invalid_client_metadata", subject_type="pairwise", sector_identifier_uri=uri)


# --- requests by reference -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("registered", "alg"), [("none", "none"), (None, "RS256"), ("RS256", "RS256")])
def test_oidcc_request_uri_unsigned(registrar: Registrar, registered: str | None, alg: str) -> None:
    """oidcc-request-uri-unsigned, -signed-rs256: the address is registered, the object is there (Core §6.2)."""
    objects: list[bytes] = []
    with published(objects.pop, JWT) as (uri, _):
        suite = registrar.client(request_uris=[uri], request_object_signing_alg=registered).suite
        asked, _ = suite.parameters()
        objects.append(_request_object(suite, asked, alg).encode())
        outside = {name: asked[name] for name in ("client_id", "response_type", "scope")}
        suite.browser.get(suite.metadata["authorization_endpoint"], **outside, request_uri=uri)
        suite.do_what_the_pages_ask()
    returned = suite.returned()
    assert returned["state"] == asked["state"]
    assert "code" in returned, returned


# --- refresh tokens, keys --------------------------------------------------------------------------------------------


def test_oidcc_refresh_token(registrar: Registrar) -> None:
    """With `offline_access`, and `prompt=consent` as Core §11 asks; another client cannot use it."""
    grants = ["authorization_code", "refresh_token"]
    suite, other = (registrar.client(grant_types=grants).suite for _ in range(2))
    tokens = suite.sign_in(scope="openid offline_access", prompt="consent")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    foreign = other.post("token_endpoint", **form)
    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_grant")
    refreshed = suite.post("token_endpoint", **form)
    assert refreshed.status_code == 200, refreshed.text
    claims = suite.id_token_claims(refreshed.json()["id_token"], nonce=None)
    assert (claims["sub"], claims["auth_time"]) == (tokens["claims"]["sub"], tokens["claims"]["auth_time"])


def test_oidcc_server_rotate_keys(stack: Stack, suite: Suite) -> None:
    """The operator rotates: a new key is published, the old ones stay, and what was signed before still verifies."""
    before = _kids(suite)
    token = suite.sign_in()["id_token"]
    stack.jingban("keys", "rotate", "--alg", "RS256", "--now")
    until(lambda: _kids(suite) - before)
    assert before <= _kids(suite)
    suite.id_token_claims(token, nonce=claims_in(token)["nonce"])
    assert header_of(suite.sign_in()["id_token"])["kid"] != header_of(token)["kid"]


def test_oidcc_refresh_token_rp_key_rotation(
    rotating: tuple[Registered, dict[str, Any], list[RSAKey]],
) -> None:
    """The client puts a new key behind its `jwks_uri` and signs with it; the suite gives a minute, ours needs 10 s."""
    client, tokens, keys = rotating
    keys[:] = [NEW_KEY]
    suite = client.suite.with_client(replace(client.suite.client, key=NEW_KEY))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answers: list[requests.Response] = []

    def is_known() -> bool:
        answers.append(suite.post("token_endpoint", **form))
        return answers[-1].status_code != 401

    until(is_known, timeout=20)
    assert answers[-1].status_code == 200, answers[-1].text


def _request_object(suite: Suite, asked: dict[str, str], alg: str) -> str:
    """Return the parameters as a request object (Core §6.1), unsigned or signed with the client's key."""
    claims = {"iss": suite.client.client_id, "aud": suite.metadata["issuer"], "exp": int(time.time()) + 300} | asked
    if alg == "none":
        return client_jwt.compact({"alg": "none"}, claims, lambda _: b"")
    return client_jwt.signed(claims, alg=alg, key=KEY)


def _assert_page(suite: Suite, **changes: str | None) -> None:
    """Assert that a request shows an error page and goes nowhere."""
    asked, _ = suite.parameters(**changes)
    page = requests.get(suite.metadata["authorization_endpoint"], params=asked, allow_redirects=False, timeout=TIMEOUT)
    assert (page.status_code, page.headers.get("Location")) == (400, None)
    assert "<h1" in page.text


def _kids(suite: Suite) -> set[str]:
    response = requests.get(suite.metadata["jwks_uri"], timeout=TIMEOUT)
    return {key["kid"] for key in response.json()["keys"]}
