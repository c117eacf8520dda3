"""The same accounts by OpenID Connect, and the ID tokens that nobody may take (DESIGN 6, F1)."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError
from joserfc.jwk import KeySet

from tests.sandbox.client import Client
from tests.sandbox.province import (
    CLIENT_ID,
    PERSON,
    UNIT,
    access_token,
    oidc_authorize,
    query_of,
    sso_authorize,
    tokens,
)
from tests.support import fictional


def id_token(client: Client, account: dict[str, Any] = PERSON) -> dict[str, Any]:
    """Make the whole trip and return the verified claims."""
    answer = tokens(client, query_of(oidc_authorize(client, account))["code"]).json()
    keys = KeySet.import_key_set(client.get("/oidc/jwks").json())
    return jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims


def test_discovery_names_the_address_that_was_asked(upstream: Client) -> None:
    metadata = upstream.get("/oidc/.well-known/openid-configuration").json()
    assert metadata["issuer"] == upstream.url + "/oidc"
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert metadata[name].startswith(metadata["issuer"] + "/")
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_a_person_in_an_id_token(upstream: Client) -> None:
    claims = id_token(upstream)
    now = time.time()
    assert now - 30 < claims.pop("iat") <= now < claims.pop("exp") <= now + 300
    assert now - 30 < claims.pop("auth_time") <= now
    assert claims == {
        "iss": upstream.url + "/oidc",
        "aud": CLIENT_ID,
        "nonce": "nonce-1",
        "sub": "p-0001",
        "name": fictional.person_name(),
        "document_type": "resident_id",
        "document_number": fictional.resident_id(),
        "phone_number": fictional.mobile(),
        "user_type": "person",
        "trust_level": "L2",
        "trust_level_way": "face",
        "trust_level_at": 1772328600,
    }


def test_a_legal_entity_in_an_id_token_and_in_userinfo(upstream: Client) -> None:
    answer = tokens(upstream, query_of(oidc_authorize(upstream, UNIT))["code"]).json()
    bearer = {"Authorization": "Bearer " + answer["access_token"]}
    userinfo = upstream.get("/oidc/userinfo", headers=bearer).json()
    assert userinfo["legal_representative"] == {
        "name": fictional.person_name(1),
        "document_type": "resident_id",
        "document_number": fictional.resident_id(1),
    }
    assert userinfo["contact"]["name"] == fictional.person_name(2)
    assert (userinfo["user_type"], userinfo["document_type"], userinfo["sub"]) == ("legal", "uscc", "u-0001")
    assert userinfo.items() <= id_token(upstream, UNIT).items()


def test_the_answer_carries_state_and_issuer(upstream: Client) -> None:
    answer = query_of(oidc_authorize(upstream, redirect_uri="http://localhost:9/callback"))
    assert answer | {"state": "state-1", "iss": upstream.url + "/oidc"} == answer


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_errors_are_told_to_the_client(upstream: Client, changes: dict[str, str], error: str) -> None:
    answer = query_of(oidc_authorize(upstream, **({"redirect_uri": "http://localhost:9/callback"} | changes)))
    assert (answer["error"], answer["state"], "code" in answer) == (error, "state-1", False)


@pytest.mark.parametrize("changes", [{"client_id": "stranger"}, {"redirect_uri": "https://elsewhere.example/"}])
def test_a_stranger_is_told_nothing(upstream: Client, changes: dict[str, str]) -> None:
    answer = oidc_authorize(upstream, **changes)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code_verifier": "another"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://localhost:9/another"}, 400, "invalid_grant"),
        ({"code": "unknown"}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_token_request_is_refused(upstream: Client, changes: dict[str, str], status: int, error: str) -> None:
    code = query_of(oidc_authorize(upstream))["code"]
    answer = tokens(upstream, **({"code": code} | changes))
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_code_works_once_and_at_its_own_protocol(upstream: Client) -> None:
    code = query_of(oidc_authorize(upstream))["code"]
    assert tokens(upstream, code).status_code == 200
    assert tokens(upstream, code).status_code == 400
    assert tokens(upstream, query_of(sso_authorize(upstream))["code"]).status_code == 400
    assert "errcode" in access_token(upstream, query_of(oidc_authorize(upstream))["code"])


def test_a_token_of_the_other_protocol_opens_no_userinfo(upstream: Client) -> None:
    token = access_token(upstream, query_of(sso_authorize(upstream))["code"])["access_token"]
    for bearer in (token, "unknown"):
        answer = upstream.get("/oidc/userinfo", headers={"Authorization": f"Bearer {bearer}"})
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})


def test_a_wrong_signature_names_the_right_key(upstream: Client) -> None:
    id_token(upstream)
    upstream.fault("wrong_signature")
    with pytest.raises(BadSignatureError):
        id_token(upstream)
    upstream.fault("none")
    assert id_token(upstream)["sub"] == "p-0001"


@pytest.mark.parametrize(
    ("mode", "claim", "value"),
    [
        ("unknown_level", "trust_level", "L9"),
        ("no_level", "trust_level", None),
        ("foreign_audience", "aud", "another-client"),
        ("wrong_nonce", "nonce", "nonce-of-another"),
    ],
)
def test_faults_of_claims(upstream: Client, mode: str, claim: str, value: str | None) -> None:
    upstream.fault(mode)
    assert id_token(upstream).get(claim) == value


def test_an_expired_id_token(upstream: Client) -> None:
    upstream.fault("expired_token")
    assert id_token(upstream)["exp"] < time.time() - 3600


def test_an_account_disabled_after_the_sign_in_gets_no_token(upstream: Client) -> None:
    code = query_of(oidc_authorize(upstream))["code"]
    upstream.fault("account_disabled")
    assert tokens(upstream, code).json()["error"] == "invalid_grant"


def test_a_rotated_key_is_gone_at_once(upstream: Client) -> None:
    before = upstream.get("/oidc/jwks").json()["keys"]
    old = tokens(upstream, query_of(oidc_authorize(upstream))["code"]).json()["id_token"]
    kid = upstream.request("POST", "/oidc/rotate-keys", None).json()["kid"]
    after = upstream.get("/oidc/jwks").json()
    assert [key["kid"] for key in after["keys"]] == [kid] != [key["kid"] for key in before]
    assert not {"d", "p", "q"} & set(after["keys"][0])
    with pytest.raises(InvalidKeyIdError):
        jwt.decode(old, KeySet.import_key_set(after), algorithms=["RS256"])
    assert id_token(upstream)["sub"] == "p-0001"
