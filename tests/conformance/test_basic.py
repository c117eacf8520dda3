"""Plan "Basic OP" (`oidcc-basic-certification-test-plan`), and "Form Post (basic)" with the same modules.

Each test is named after the module that it stands for; `_` is the module's `-`.
"""

import time

import pytest
import requests

from tests.conformance.suite import STANDARD_CLAIMS, TIMEOUT, Registration, Suite, check_claims

pytestmark = pytest.mark.parametrize("response_mode", [None, "form_post"], ids=["query", "form_post"])


@pytest.fixture(autouse=True)
def _in_this_mode(suite: Suite, response_mode: str | None) -> None:
    suite.response_mode = response_mode


def test_oidcc_server(suite: Suite) -> None:
    tokens = suite.sign_in()
    assert suite.userinfo(tokens["access_token"])["sub"] == tokens["claims"]["sub"]


def test_oidcc_response_type_missing(suite: Suite) -> None:
    """Either a page or an error that goes back; ours goes back."""
    assert suite.authorize(response_type=None).error in {"invalid_request", "unsupported_response_type"}


def test_oidcc_userinfo_get(suite: Suite) -> None:
    tokens = suite.sign_in(scope="openid profile")
    assert suite.userinfo(tokens["access_token"])["sub"] == tokens["claims"]["sub"]


@pytest.mark.parametrize("where", ["header", "body"])
def test_oidcc_userinfo_post(suite: Suite, where: str) -> None:
    """oidcc-userinfo-post-header, oidcc-userinfo-post-body."""
    tokens = suite.sign_in()
    token = tokens["access_token"]
    headers = {"Authorization": f"Bearer {token}"} if where == "header" else {}
    data = {"access_token": token} if where == "body" else {}
    answer = requests.post(suite.metadata["userinfo_endpoint"], headers=headers, data=data, timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    assert check_claims(answer.json())["sub"] == tokens["claims"]["sub"]


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(suite: Suite) -> None:
    assert "nonce" not in suite.sign_in(nonce=None)["claims"]


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone", "profile email address phone"])
def test_oidcc_scope(suite: Suite, scope: str) -> None:
    """oidcc-scope-profile, -email, -address, -phone, -all: claims of a scope are in UserInfo, and none of another."""
    tokens = suite.sign_in(scope=f"openid {scope}")
    standard = set().union(*STANDARD_CLAIMS.values())
    asked = set().union(*(STANDARD_CLAIMS[each] for each in scope.split()))
    said = set(suite.userinfo(tokens["access_token"]))
    assert said & standard <= asked
    assert said & asked or scope in {"email", "address"}, "no account has an e-mail; not each has an address"
    assert not set(tokens["claims"]) & standard, "Core §5.4: with a code they are in UserInfo"


def test_oidcc_ensure_other_scope_order_succeeds(suite: Suite) -> None:
    suite.sign_in(scope="phone profile openid")


@pytest.mark.parametrize("display", ["page", "popup"])
def test_oidcc_display(suite: Suite, display: str) -> None:
    """oidcc-display-page, oidcc-display-popup."""
    suite.sign_in(display=display)


def test_oidcc_prompt_login(suite: Suite) -> None:
    first = suite.sign_in()["claims"]
    time.sleep(1)
    again = suite.sign_in(prompt="login")["claims"]
    assert suite.pages[0] == "username", "the user was asked again"
    assert again["sub"] == first["sub"]
    assert again["auth_time"] > first["auth_time"]


def test_oidcc_prompt_none_not_logged_in(suite: Suite) -> None:
    assert suite.authorize(prompt="none").error in {"login_required", "interaction_required"}
    assert suite.pages == []


def test_oidcc_prompt_none_logged_in(suite: Suite) -> None:
    first = suite.sign_in()["claims"]
    again = suite.sign_in(prompt="none")["claims"]
    assert suite.pages == []
    assert (again["sub"], again.get("auth_time")) == (first["sub"], first.get("auth_time"))


def test_oidcc_max_age_1(suite: Suite) -> None:
    first = suite.sign_in()["claims"]
    time.sleep(2)
    again = suite.sign_in(max_age="1")["claims"]
    assert suite.pages[0] == "username"
    assert again["sub"] == first["sub"]
    assert again["auth_time"] > first["auth_time"]
    assert time.time() - again["auth_time"] < 60


def test_oidcc_max_age_10000(suite: Suite) -> None:
    first = suite.sign_in()["claims"]
    again = suite.sign_in(max_age="10000")["claims"]
    assert suite.pages == []
    assert again["auth_time"] == first["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(suite: Suite) -> None:
    suite.sign_in(extra="foobar")


def test_oidcc_id_token_hint(suite: Suite) -> None:
    first = suite.sign_in()
    again = suite.sign_in(prompt="none", id_token_hint=first["id_token"])
    assert again["claims"]["sub"] == first["claims"]["sub"]


def test_oidcc_login_hint(suite: Suite) -> None:
    """The suite sends an address that need not be a user of ours."""
    suite.sign_in(login_hint="buffy@conformance.example")


@pytest.mark.parametrize("parameter", ["ui_locales", "claims_locales"])
def test_oidcc_locales(suite: Suite, parameter: str) -> None:
    """oidcc-ui-locales, oidcc-claims-locales."""
    suite.sign_in(**{parameter: "se"})
    suite.new_browser()
    suite.sign_in(**{parameter: "en zh-Hans"})


def test_oidcc_ensure_request_with_acr_values_succeeds(suite: Suite) -> None:
    """A warning comes if no `acr` is returned."""
    asked = suite.metadata["acr_values_supported"][:2]
    assert suite.sign_in(acr_values=" ".join(asked))["claims"]["acr"] in suite.metadata["acr_values_supported"]


def test_oidcc_codereuse(suite: Suite) -> None:
    answer = suite.authorize()
    suite.tokens(answer)
    again = suite.redeem(answer)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_oidcc_codereuse_30seconds(suite: Suite) -> None:
    """What the code brought is revoked; the suite waits for half a minute, the rule has no such limit."""
    answer = suite.authorize()
    tokens = suite.tokens(answer)
    assert suite.redeem(answer).json()["error"] == "invalid_grant"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    userinfo = requests.get(suite.metadata["userinfo_endpoint"], headers=headers, timeout=TIMEOUT)
    assert userinfo.status_code == 401
    assert 'error="invalid_token"' in userinfo.headers["WWW-Authenticate"]


@pytest.mark.parametrize("changed", ["https://conformance.example/elsewhere", "?more=1", "/more"])
def test_oidcc_ensure_registered_redirect_uri(suite: Suite, changed: str) -> None:
    """The user sees what is wrong, and nothing is sent anywhere."""
    uri = changed if changed.startswith("https") else suite.client.redirect_uri + changed
    asked, _ = suite.parameters(redirect_uri=uri)
    page = requests.get(suite.metadata["authorization_endpoint"], params=asked, allow_redirects=False, timeout=TIMEOUT)
    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "<h1" in page.text


def test_oidcc_ensure_post_request_succeeds(suite: Suite) -> None:
    suite.tokens(suite.authorize(method="POST"))


def test_oidcc_server_client_secret_post(suite: Suite, clients: dict[str, Registration]) -> None:
    suite.with_client(clients["post"]).sign_in()


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(suite: Suite) -> None:
    """This client is not registered for unsigned request objects."""
    asked = suite.authorize(request_uri="https://conformance.example/request.jwt")
    assert asked.error in {"request_uri_not_supported", "invalid_request_uri", "invalid_request"}


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(suite: Suite) -> None:
    header, payload = "eyJhbGciOiJub25lIn0", "eyJzY29wZSI6Im9wZW5pZCJ9"  # {"alg":"none"}, {"scope":"openid"}
    assert suite.authorize(request=f"{header}.{payload}.").error in {
        *("request_not_supported", "invalid_request_object", "invalid_request")
    }


def test_oidcc_claims_essential(suite: Suite) -> None:
    tokens = suite.sign_in(claims='{"userinfo": {"name": {"essential": true}}}')
    assert "name" in suite.userinfo(tokens["access_token"])


def test_oidcc_refresh_token(suite: Suite, clients: dict[str, Registration]) -> None:
    """A refresh token works, its ID token is of the same sign-in, and another client cannot use it."""
    tokens = suite.sign_in(scope="openid offline_access", prompt="consent")
    foreign = suite.with_client(clients["second"]).post(
        "token_endpoint", grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_grant")
    answer = suite.post("token_endpoint", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert answer.status_code == 200, answer.text
    refreshed = answer.json()
    assert refreshed["access_token"] != tokens["access_token"]
    claims = suite.id_token_claims(refreshed["id_token"], nonce=None)  # Core §12.2: SHOULD NOT have one
    assert (claims["sub"], claims["auth_time"]) == (tokens["claims"]["sub"], tokens["claims"]["auth_time"])
    assert suite.userinfo(refreshed["access_token"])["sub"] == claims["sub"]


def test_oidcc_ensure_request_with_valid_pkce_succeeds(suite: Suite) -> None:
    suite.sign_in(pkce=True)
