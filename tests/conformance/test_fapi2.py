"""Plan "FAPI 2.0 Security Profile" (private_key_jwt, DPoP, OpenID Connect).

Each test is named after the module that it stands for, without `fapi2-security-profile-final-`.
"""

import secrets
import time
from typing import Any

import pytest
import requests
from joserfc.jwk import ECKey, RSAKey

from idp.clients.metadata import ProtocolMetadata
from tests.conformance.conftest import register
from tests.conformance.fapi import Fapi
from tests.conformance.suite import TIMEOUT, Registration, Suite
from tests.support.stack import Stack

KEYS = {name: ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"}) for name in ("first", "second")}


@pytest.fixture(scope="session")
def fapi_clients(stack: Stack) -> dict[str, Registration]:
    """The plan's two clients, each with its own key."""
    registered = {}
    for name, key in KEYS.items():
        registered[name] = register(
            stack,
            f"fapi-{name}",
            token_endpoint_auth_method="private_key_jwt",
            id_token_alg="PS256",
            protocol=ProtocolMetadata(profile="fapi2", jwks={"keys": [key.as_dict(private=False)]}),
        )
    return registered


@pytest.fixture
def fapi(suite: Suite, fapi_clients: dict[str, Registration]) -> Fapi:
    """The first client, its user not signed in."""
    return Fapi(suite.with_client(fapi_clients["first"]), KEYS["first"])


@pytest.fixture
def other(fapi: Fapi, fapi_clients: dict[str, Registration]) -> Fapi:
    """The second client, in the same browser."""
    return Fapi(fapi.suite.with_client(fapi_clients["second"]), KEYS["second"])


def refused(response: requests.Response, *errors: str) -> None:
    """Assert an OAuth error of a direct request."""
    assert response.status_code in {400, 401}, response.text
    assert response.json()["error"] in errors, response.text


def test_discovery_end_point_verification(fapi: Fapi) -> None:
    said = fapi.suite.metadata
    assert "private_key_jwt" in said["token_endpoint_auth_methods_supported"]
    assert {"PS256", "ES256"} <= set(said["token_endpoint_auth_signing_alg_values_supported"])
    assert {"PS256", "ES256"} <= set(said["dpop_signing_alg_values_supported"])
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert said["pushed_authorization_request_endpoint"].startswith(said["issuer"])


def test_happy_flow(fapi: Fapi) -> None:
    tokens = fapi.tokens(fapi.signed_in())
    answer = fapi.userinfo(tokens["access_token"])
    assert (answer.status_code, answer.json()["sub"]) == (200, tokens["claims"]["sub"])


def test_user_rejects_authentication(fapi: Fapi) -> None:
    request_uri, answer = fapi.pushed(parameters={"prompt": "consent"})
    suite = fapi.suite
    suite.browser.get(
        suite.metadata["authorization_endpoint"], client_id=suite.client.client_id, request_uri=request_uri
    )
    suite.browser.submit("password", username=suite.username, password=suite.password)
    suite.browser.submit("consent", consent="deny")
    answer.parameters = suite.returned()
    assert suite.checked(answer).error == "access_denied"


def test_ensure_authorization_request_without_state_success(fapi: Fapi) -> None:
    answer = fapi.signed_in(parameters={"state": None})
    assert "state" not in answer.parameters
    fapi.tokens(answer)


def test_ensure_other_scope_order_succeeds(fapi: Fapi) -> None:
    fapi.tokens(fapi.signed_in(parameters={"scope": "profile openid"}))


def test_claims_parameter_idtoken_identity_claims(fapi: Fapi) -> None:
    claims = '{"id_token": {"name": {"essential": true}}}'
    assert "name" in fapi.tokens(fapi.signed_in(parameters={"claims": claims}))["claims"]


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_access_token_type_header_case_sensitivity(fapi: Fapi, scheme: str) -> None:
    tokens = fapi.tokens(fapi.signed_in())
    assert fapi.userinfo(tokens["access_token"], scheme=scheme).status_code == 200


def test_ensure_holder_of_key_required(fapi: Fapi) -> None:
    """A token request without a proof gets no token, and a bound token without its key is none."""
    answer = fapi.signed_in()
    refused(fapi.redeem(answer, dpop=False), "invalid_dpop_proof", "invalid_request", "invalid_grant")
    tokens = fapi.tokens(fapi.signed_in())
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    url = fapi.suite.metadata["userinfo_endpoint"]
    assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 401
    thief = Fapi(fapi.suite, KEYS["first"])
    assert thief.userinfo(tokens["access_token"]).status_code == 401


def test_ensure_authorization_request_without_par_fails(fapi: Fapi) -> None:
    asked, _ = fapi.suite.parameters(pkce=True)
    fapi.suite.browser.get(fapi.suite.metadata["authorization_endpoint"], **asked)
    assert "code=" not in fapi.suite.browser.url
    assert "password" not in {name for form in fapi.suite.browser.forms() for name in form.names()}


# --- Pushed requests -------------------------------------------------------------------------------------------------


def test_par_attempt_reuse_request_uri(fapi: Fapi) -> None:
    request_uri, answer = fapi.pushed()
    fapi.authorize(request_uri)
    answer.parameters = fapi.suite.returned()
    fapi.tokens(answer)
    fapi.authorize(request_uri)
    assert "code=" not in fapi.suite.browser.url


def test_par_attempt_to_use_request_uri_for_different_client(fapi: Fapi, other: Fapi) -> None:
    request_uri, _ = fapi.pushed()
    other.authorize(request_uri)
    assert fapi.suite.browser.url.startswith(fapi.suite.issuer), "an error page: nothing is sent anywhere"
    assert "password" not in {name for form in fapi.suite.browser.forms() for name in form.names()}


def test_par_attempt_invalid_http_method(fapi: Fapi) -> None:
    url = fapi.suite.metadata["pushed_authorization_request_endpoint"]
    for method in ("GET", "PUT"):
        assert requests.request(method, url, timeout=TIMEOUT).status_code == 405


def test_par_attempt_invalid_redirect_uri(fapi: Fapi) -> None:
    response, _ = fapi.push(parameters={"redirect_uri": "https://conformance.example/elsewhere"})
    refused(response, "invalid_request", "invalid_redirect_uri")


def test_par_authorization_request_containing_request_uri(fapi: Fapi) -> None:
    request_uri, _ = fapi.pushed()
    response, _ = fapi.push(parameters={"request_uri": request_uri})
    refused(response, "invalid_request")


@pytest.mark.parametrize(
    "pkce",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": "a" * 43, "code_challenge_method": "plain"},
    ],
    ids=["par_ensure_pkce_required", "par_plain_pkce_rejected"],
)
def test_par_pkce(fapi: Fapi, pkce: dict[str, Any]) -> None:
    response, _ = fapi.push(**pkce)
    refused(response, "invalid_request")


@pytest.mark.parametrize("verifier", [None, "wrong" * 10])
def test_par_ensure_pkce_code_verifier_required(fapi: Fapi, verifier: str | None) -> None:
    """par-ensure-pkce-code-verifier-required, par-incorrect-pkce-code-verifier-rejected."""
    refused(fapi.redeem(fapi.signed_in(), code_verifier=verifier), "invalid_grant", "invalid_request")


# --- Client authentication -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://elsewhere.example"]},
        {"aud": "token_endpoint"},
        {"aud": "pushed_authorization_request_endpoint"},
        {"aud": "array"},
        {"aud": None},
        {"iss": "somebody"},
        {"sub": None},
        {"sub": "somebody"},
        {"exp": -300},
        {"exp": None},
        {"jti": None},
        {"nbf": 3600},
        {"iat": 3600},
    ],
    ids=str,
)
def test_ensure_client_assertion_must_be_right(fapi: Fapi, changes: dict[str, Any]) -> None:
    """…-with-exp-is-5-minutes-in-past-fails, …-with-no-sub-fails, …-with-wrong-aud-fails, and what the profile adds.

    FAPI 2.0 §5.3.2.1: the audience is the issuer as a string; an endpoint's address or an array is refused.
    """
    moments = {name: int(time.time()) + value for name, value in changes.items() if isinstance(value, int)}
    aud = changes.get("aud")
    if aud == "array":
        changes = {"aud": [fapi.suite.metadata["issuer"], "https://elsewhere.example"]}
    elif isinstance(aud, str):
        changes = {"aud": fapi.suite.metadata[aud]}
    answer = fapi.signed_in()
    wrong = fapi.assertion(**(changes | moments))
    refused(fapi.redeem(answer, client_assertion=wrong), "invalid_client")
    fapi.tokens(answer)


def test_ensure_client_assertion_with_nbf_10_seconds_in_the_future_succeeds(fapi: Fapi) -> None:
    fapi.pushed()  # brings the nonce, so that the assertion below is sent once
    soon = int(time.time()) + 8
    answer = fapi.signed_in(client_assertion=fapi.assertion(nbf=soon, iat=soon))
    fapi.tokens(answer)


def test_ensure_signed_client_assertion_with_rs256_fails(fapi: Fapi, stack: Stack) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
    client = register(
        stack,
        f"fapi-rsa-{secrets.token_hex(4)}",
        token_endpoint_auth_method="private_key_jwt",
        id_token_alg="PS256",
        protocol=ProtocolMetadata(profile="fapi2", jwks={"keys": [key.as_dict(private=False)]}),
    )
    rsa = Fapi(fapi.suite.with_client(client), key)
    rsa.pushed()
    refused(rsa.push(client_assertion=rsa.assertion(alg="RS256"))[0], "invalid_client")
    assert rsa.push(client_assertion=rsa.assertion(alg="PS256"))[0].status_code == 201


def test_client_assertion_cannot_be_replayed(fapi: Fapi) -> None:
    fapi.pushed()
    assertion = fapi.assertion()
    assert fapi.push(client_assertion=assertion)[0].status_code == 201
    refused(fapi.push(client_assertion=assertion)[0], "invalid_client")


def test_ensure_mismatched_client_id_in_token_endpoint_fails(fapi: Fapi, other: Fapi) -> None:
    answer = fapi.signed_in()
    wrong = fapi.redeem(answer, client_id=other.suite.client.client_id)
    refused(wrong, "invalid_client", "invalid_request")


@pytest.mark.parametrize(
    "credentials",
    [
        {"client_assertion": None, "client_assertion_type": None, "client_secret": "secret"},
        {"client_assertion": None, "client_assertion_type": None},
    ],
    ids=["secret", "none"],
)
def test_only_private_key_jwt_is_taken(fapi: Fapi, credentials: dict[str, Any]) -> None:
    refused(fapi.push(client_id=fapi.suite.client.client_id, **credentials)[0], "invalid_client")


# --- Codes and tokens ------------------------------------------------------------------------------------------------


def test_ensure_authorization_code_is_bound_to_client(fapi: Fapi, other: Fapi) -> None:
    answer = fapi.signed_in()
    refused(other.redeem(answer, redirect_uri=fapi.suite.client.redirect_uri), "invalid_grant")


def test_attempt_reuse_authorization_code_after_one_second(fapi: Fapi) -> None:
    answer = fapi.signed_in()
    tokens = fapi.tokens(answer)
    time.sleep(1)
    refused(fapi.redeem(answer), "invalid_grant")
    assert fapi.userinfo(tokens["access_token"]).status_code == 401


def test_refresh_token(fapi: Fapi, other: Fapi) -> None:
    """FAPI 2.0 §5.3.2.1: refresh tokens are not rotated; another client's are refused."""
    tokens = fapi.tokens(fapi.signed_in(parameters={"scope": "openid offline_access", "prompt": "consent"}))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refused(other.post("token_endpoint", **form), "invalid_grant")
    for _ in range(2):
        answer = fapi.post("token_endpoint", **form)
        assert answer.status_code == 200, answer.text
        assert answer.json().get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
        assert fapi.userinfo(answer.json()["access_token"]).status_code == 200


# --- DPoP ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-10, 8])
def test_ensure_dpop_proof_with_iat_10_seconds_off_succeeds(fapi: Fapi, seconds: int) -> None:
    answer = fapi.signed_in()
    url = fapi.suite.metadata["token_endpoint"]
    fapi.redeem(answer, dpop=False)  # refused, and a nonce may come with it
    answer = fapi.signed_in()
    fapi.post("token_endpoint", grant_type="authorization_code", code="none", redirect_uri="none")
    response = fapi.redeem(answer, dpop=fapi.proof("POST", url, iat=int(time.time()) + seconds))
    assert response.status_code == 200, response.text


def test_ensure_dpop_auth_code_binding_success(fapi: Fapi) -> None:
    """The key is named by `dpop_jkt` (RFC 9449 §10)."""
    fapi.tokens(fapi.signed_in(dpop=False, dpop_jkt=fapi.thumbprint()))


def test_ensure_dpop_proof_at_par_success(fapi: Fapi) -> None:
    fapi.tokens(fapi.signed_in(dpop=True))


@pytest.mark.parametrize("bound_by", ["dpop_jkt", "proof"])
def test_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(fapi: Fapi, bound_by: str) -> None:
    binding: dict[str, Any] = (
        {"dpop": False, "dpop_jkt": fapi.thumbprint()} if bound_by == "dpop_jkt" else {"dpop": True}
    )
    answer = fapi.signed_in(**binding)
    thief = Fapi(fapi.suite, KEYS["first"])
    refused(thief.redeem(answer), "invalid_dpop_proof", "invalid_grant")


def test_ensure_mismatched_dpop_jkt_with_dpop_proof_fails(fapi: Fapi) -> None:
    response, _ = fapi.push(dpop_jkt=Fapi(fapi.suite, KEYS["first"]).thumbprint())
    refused(response, "invalid_dpop_proof", "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": "https://elsewhere.example/oidc/token"},
        {"jti": None},
        {"htm": None},
        {"htu": None},
        {"iat": None},
        {"iat": 0},
        {"header": {"typ": "jwt"}},
        {"header": {"jwk": None}},
        {"header": {"crit": ["exp"], "exp": 0}},
    ],
    ids=str,
)
def test_dpop_negative_tests(fapi: Fapi, changes: dict[str, Any]) -> None:
    answer = fapi.signed_in()
    url = fapi.suite.metadata["token_endpoint"]
    wrong = fapi.proof("POST", url, **changes)
    refused(fapi.redeem(answer, dpop=wrong), "invalid_dpop_proof", "invalid_request")


def test_dpop_proof_cannot_be_replayed(fapi: Fapi) -> None:
    url = fapi.suite.metadata["token_endpoint"]
    fapi.tokens(fapi.signed_in())
    proof = fapi.proof("POST", url)
    answer = fapi.signed_in()
    assert fapi.redeem(answer, dpop=proof).status_code == 200
    refused(fapi.redeem(fapi.signed_in(), dpop=proof), "invalid_dpop_proof")
