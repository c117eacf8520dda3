"""Plans "RP-Initiated Logout OP" and "Back-Channel Logout OP". Each test is named after the module it stands for."""

import time
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.conformance.conftest import register
from tests.conformance.suite import TIMEOUT, Registration, Suite
from tests.oidc import servers
from tests.support.processes import until
from tests.support.stack import Stack

STATE = "logout-state"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def is_signed_in(suite: Suite) -> bool:
    """Tell whether the provider knows the user without asking."""
    answer = suite.authorize(prompt="none").parameters
    assert answer.get("error") in {None, "login_required"}
    return "code" in answer


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(suite: Suite) -> None:
    assert suite.metadata["end_session_endpoint"].startswith(suite.issuer)


def test_oidcc_rp_initiated_logout(suite: Suite) -> None:
    tokens = suite.sign_in()
    suite.log_out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=suite.client.signed_out_uri, state=STATE)
    assert suite.browser.url == f"{suite.client.signed_out_uri}?state={STATE}"
    assert suite.pages == [], "the ID token shows that the portal speaks for this session"
    assert not is_signed_in(suite)


@pytest.mark.parametrize("added", ["/wrong", "?foo=bar"])
def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(suite: Suite, added: str) -> None:
    """…-bad-post-logout-redirect-uri, …-query-added-to-post-logout-redirect-uri: a page, never a redirect."""
    tokens = suite.sign_in()
    uri = suite.client.signed_out_uri + added
    suite.log_out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri, state=STATE)
    assert suite.browser.url.startswith(suite.issuer)


@pytest.mark.parametrize("kind", ["modified", "bad"])
def test_oidcc_rp_initiated_logout_modified_id_token_hint(suite: Suite, kind: str) -> None:
    """…-modified-id-token-hint, …-bad-id-token-hint: an error, and nothing ends."""
    token = suite.sign_in()["id_token"]
    body, _, signature = token.rpartition(".")
    hint = f"{body}.{signature[:-6]}AAAAAA" if kind == "modified" else "bad"
    suite.log_out(id_token_hint=hint, post_logout_redirect_uri=suite.client.signed_out_uri, state=STATE)
    assert suite.browser.url.startswith(suite.issuer)
    assert suite.browser.status == 400
    assert is_signed_in(suite)


@pytest.mark.parametrize("sent", [("post_logout_redirect_uri", "state"), ("state",), ()])
def test_oidcc_rp_initiated_logout_no_id_token_hint(suite: Suite, sent: tuple[str, ...]) -> None:
    """…-no-id-token-hint, …-only-state, …-no-params: the user is asked, and stays with the provider."""
    suite.sign_in()
    values = {"post_logout_redirect_uri": suite.client.signed_out_uri, "state": STATE}
    suite.log_out(**{name: values[name] for name in sent})
    assert suite.pages == ["logout"]
    assert suite.browser.url.startswith(suite.issuer)
    assert suite.browser.status == 200
    assert not is_signed_in(suite)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(suite: Suite, method: str) -> None:
    tokens = suite.sign_in()
    suite.log_out(method=method, id_token_hint=tokens["id_token"], state=STATE)
    assert suite.browser.url.startswith(suite.issuer)
    assert not is_signed_in(suite)


def test_oidcc_rp_initiated_logout_no_state(suite: Suite) -> None:
    tokens = suite.sign_in()
    suite.log_out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=suite.client.signed_out_uri)
    assert suite.browser.url == suite.client.signed_out_uri


# --- Back-channel ----------------------------------------------------------------------------------------------------


@pytest.fixture
def listening(stack: Stack) -> Iterator[tuple[Registration, servers.Portal]]:
    """A client with a back-channel logout address that is really there."""
    with servers.portal() as portal:
        client_id = f"conformance-backchannel-{portal.port}"
        uri = f"http://127.0.0.1:{portal.port}/backchannel_logout"
        yield register(stack, client_id, backchannel_logout_uri=uri), portal


def test_oidcc_backchannel_rp_initiated_logout(suite: Suite, listening: tuple[Registration, servers.Portal]) -> None:
    """The logout token reaches the portal with what Back-Channel Logout 1.0 §2.4 demands."""
    client, portal = listening
    assert suite.metadata["backchannel_logout_supported"] is True
    assert suite.metadata["backchannel_logout_session_supported"] is True
    suite = suite.with_client(client)
    tokens = suite.sign_in()
    suite.log_out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=client.signed_out_uri, state=STATE)
    assert suite.browser.url == f"{client.signed_out_uri}?state={STATE}"
    until(lambda: portal.received)
    [(method, _, headers, body)] = portal.received
    assert (method, headers["Content-Type"]) == ("POST", "application/x-www-form-urlencoded")
    [token] = parse_qs(body.decode())["logout_token"]
    keys = KeySet.import_key_set(requests.get(suite.metadata["jwks_uri"], timeout=TIMEOUT).json())
    decoded = jwt.decode(token, keys, algorithms=[client.id_token_alg])
    assert decoded.header["typ"] == "logout+jwt"
    claims = decoded.claims
    assert set(claims) >= {"iss", "aud", "iat", "exp", "jti", "events"}
    assert (claims["iss"], claims["aud"]) == (suite.metadata["issuer"], client.client_id)
    assert claims["events"] == {EVENT: {}}
    assert (claims["sub"], claims["sid"]) == (tokens["claims"]["sub"], tokens["claims"]["sid"])
    assert "nonce" not in claims
    assert claims["exp"] - time.time() < 180
