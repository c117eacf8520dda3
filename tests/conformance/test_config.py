"""Plan "Config OP" (`oidcc-config-certification-test-plan`): one module, `oidcc-discovery-endpoint-verification`."""

from base64 import urlsafe_b64decode
from typing import Any

import pytest
import requests

from tests.conformance.suite import TIMEOUT, Suite

BOOLEANS = (
    *("claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"),
    *("require_request_uri_registration", "authorization_response_iss_parameter_supported"),
    *("backchannel_logout_supported", "backchannel_logout_session_supported"),
    *("frontchannel_logout_supported", "frontchannel_logout_session_supported"),
    *("require_pushed_authorization_requests", "require_signed_request_object"),
)
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def keys(suite: Suite) -> list[dict[str, Any]]:
    """The provider's published keys."""
    response = requests.get(suite.metadata["jwks_uri"], timeout=TIMEOUT)
    assert response.headers["Content-Type"].startswith("application/")
    found: list[dict[str, Any]] = response.json()["keys"]
    return found


def test_what_a_provider_must_state(suite: Suite) -> None:
    """OpenID Connect Discovery §3: REQUIRED members, and the values that everybody must support."""
    said = suite.metadata
    assert said["issuer"] == suite.issuer
    assert "code" in said["response_types_supported"]
    assert set(said["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in said["id_token_signing_alg_values_supported"]
    assert "none" not in said["id_token_signing_alg_values_supported"]
    assert "openid" in said["scopes_supported"]
    assert {"sub", "iss", "auth_time", "acr"} <= set(said["claims_supported"])
    assert "client_secret_basic" in said["token_endpoint_auth_methods_supported"]
    assert "authorization_code" in said["grant_types_supported"]


def test_members_have_their_types(suite: Suite) -> None:
    for name, value in suite.metadata.items():
        if name in BOOLEANS:
            assert isinstance(value, bool), name
        elif name.endswith(("_supported", "_values")):
            assert isinstance(value, list), name
            assert value, f"{name}: RFC 8414 §3.2 leaves out what is empty"
            assert len(value) == len(set(value)), name
        else:
            assert isinstance(value, str), name


def test_addresses_are_the_issuers_own(suite: Suite) -> None:
    """Everything is under the issuer, which in service is https, has no fragment, and can be reached."""
    for name, value in suite.metadata.items():
        if name.endswith(("_endpoint", "_uri", "_iframe")):
            assert value.startswith(f"{suite.issuer}/"), name
            assert "#" not in value
            assert requests.get(value, timeout=TIMEOUT, allow_redirects=False).status_code not in {404, 500}, name


def test_keys_are_public_and_strong(keys: list[dict[str, Any]]) -> None:
    """RFC 7517, RFC 7518 §3.3: no private part, at least 2048 bits, each with its own kid."""
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert not set(key) & PRIVATE_MEMBERS
        assert key["use"] == "sig"
        if key["kty"] == "RSA":
            modulus = urlsafe_b64decode(key["n"] + "=" * (-len(key["n"]) % 4))
            assert len(modulus) * 8 >= 2048


def test_each_algorithm_has_its_key(suite: Suite, keys: list[dict[str, Any]]) -> None:
    families = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    have = {key["kty"] for key in keys}
    assert {families[alg[:2]] for alg in suite.metadata["id_token_signing_alg_values_supported"]} <= have


def test_oauth_metadata_says_the_same(suite: Suite) -> None:
    """RFC 8414 §3: the same document for OAuth clients."""
    address = f"{suite.issuer}/.well-known/oauth-authorization-server"
    assert requests.get(address, timeout=TIMEOUT).json() == suite.metadata
