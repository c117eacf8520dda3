"""`client_secret_jwt` and `private_key_jwt` (OpenID Connect Core §9, RFC 7523 §3): who is let in, and one 401."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey, OctKey, RSAKey
from werkzeug.test import TestResponse

from idp import clock, ids
from idp.settings import settings
from tests.oidc import client_jwt
from tests.oidc.client_jwt import KEYS, assertion, credentials, key_set
from tests.oidc.portal import Portal, assert_refused, basic, body_of
from tests.support import rows

PATHS = {"/oidc/token": "token", "/oidc/introspect": "introspection", "/oidc/revoke": "revocation"}
FORM = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}


def registered(app: Flask, client_id: str = "signer", **more: Any) -> str:
    """Register a client that signs with any of the keys."""
    method = more.pop("method", "private_key_jwt")
    return rows.client(client_id, token_endpoint_auth_method=method, more={"jwks": key_set()} | more)


@pytest.fixture
def signer(sqlite_portal: Portal) -> Flask:
    """An application that knows the client `signer`."""
    registered(sqlite_portal.app)
    return sqlite_portal.app


def send(app: Flask, form: dict[str, str], path: str = "/oidc/token", **options: Any) -> TestResponse:
    return app.test_client().post(path, data=FORM | form, **options)


def passed(response: TestResponse) -> bool:
    """Whether the client was let in, and only its token is no good."""
    return response.status_code == 200 or body_of(response)["error"] == "invalid_grant"


def assert_kept_out(response: TestResponse) -> None:
    assert_refused(response, "invalid_client", 401)
    assert body_of(response)["error_description"] == "Client authentication failed"


@pytest.mark.parametrize("alg", client_jwt.ALL)
@pytest.mark.parametrize("path", PATHS)
def test_private_key_jwt(signer: Flask, path: str, alg: str) -> None:
    assert passed(send(signer, credentials("signer", alg=alg), path))


def test_client_secret_jwt(sqlite_portal: Portal) -> None:
    secret = ids.new_secret()
    rows.client("hmac", token_endpoint_auth_method="client_secret_jwt", sealed_secret=secret)
    key = OctKey.import_key(secret)
    made = assertion("hmac", alg="HS256", key=key)
    assert passed(send(sqlite_portal.app, {"client_assertion_type": client_jwt.TYPE, "client_assertion": made}))
    wrong = assertion("hmac", alg="HS256", key=OctKey.import_key(ids.new_secret()))
    assert_kept_out(send(sqlite_portal.app, {"client_assertion_type": client_jwt.TYPE, "client_assertion": wrong}))


@pytest.mark.parametrize("endpoint", ["", "/oidc/token", "own", "list"])
@pytest.mark.parametrize("path", PATHS)
def test_audiences_that_are_ours(signer: Flask, path: str, endpoint: str) -> None:
    """The issuer, the token endpoint, or the endpoint that is called; also in a list."""
    issuer = settings().issuer
    aud = {"own": issuer + path, "list": [issuer, "https://elsewhere.example"]}.get(endpoint, issuer + endpoint)
    assert passed(send(signer, credentials("signer", aud=aud), path))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": []},
        {"aud": None},
        {"aud": 7},
        {"aud": [["x"]]},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"sub": None},
        {"iss": None},
        {"iss": "portal", "sub": "portal"},
        {"iss": "nobody", "sub": "nobody"},
        {"iss": "\x00", "sub": "\x00"},
        {"exp": None},
        {"exp": "later"},
        {"exp": True},
        {"exp": -1},
        {"exp": 1},
        {"exp": 10**9 * 9},
        {"exp": 10**300},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"jti": 7},
        {"nbf": 10**10},
        {"iat": 10**10},
        {"nbf": "x"},
    ],
    ids=str,
)
def test_claims_that_are_wrong(signer: Flask, changes: dict[str, Any]) -> None:
    assert_kept_out(send(signer, credentials("signer", **changes)))


def test_an_endpoint_that_is_not_called_is_no_audience(signer: Flask) -> None:
    wrong = credentials("signer", aud=settings().issuer + "/oidc/revoke")
    assert_kept_out(send(signer, wrong, "/oidc/introspect"))


def test_an_assertion_serves_once(signer: Flask) -> None:
    """RFC 7523 §3, 7: also at another endpoint."""
    form = credentials("signer")
    assert passed(send(signer, form))
    assert_kept_out(send(signer, form))
    assert_kept_out(send(signer, form, "/oidc/revoke"))


def test_a_wrong_assertion_uses_up_nothing(signer: Flask) -> None:
    """Else anybody who sees a `jti` beforehand could make the client's own assertion fail."""
    foreign = ECKey.generate_key("P-256", {"kid": "ec"})
    assert_kept_out(send(signer, credentials("signer", key=foreign, jti="one")))
    assert passed(send(signer, credentials("signer", jti="one")))


def test_two_clients_may_use_one_jti(signer: Flask) -> None:
    registered(signer, "other")
    assert passed(send(signer, credentials("signer", jti="one")))
    assert passed(send(signer, credentials("other", jti="one")))


@pytest.mark.parametrize("kid", [None, "ec"])
def test_the_key_is_found_with_and_without_its_name(signer: Flask, kid: str | None) -> None:
    assert passed(send(signer, _forged({"kid": kid})))


@pytest.mark.parametrize("kid", ["another", 7, ["ec"]], ids=str)
def test_another_name_of_the_key_is_refused(signer: Flask, kid: Any) -> None:
    """With a signature that is right over exactly this header; other headers: tests/oidc/hostile/test_jose.py."""
    assert_kept_out(send(signer, _forged({"kid": kid})))


def _claims() -> dict[str, Any]:
    return {"iss": "signer", "sub": "signer", "aud": settings().issuer, "jti": "1", "exp": clock.timestamp() + 60}


def _forged(header: dict[str, Any], key: Any = None, alg: str = "ES256") -> dict[str, str]:
    text = client_jwt.signed(_claims(), alg=alg, key=key or KEYS["ES256"], header=header)
    return {"client_assertion_type": client_jwt.TYPE, "client_assertion": text}


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_in_the_header_is_no_key(signer: Flask, name: str) -> None:
    """RFC 8725 §3.10: the key of an attacker who puts it, or its address, into the token."""
    foreign = ECKey.generate_key("P-256", {"kid": "mine"})
    value = {"jwk": foreign.as_dict(private=False), "x5c": ["MIIB"]}.get(name, "https://evil.example/keys")
    assert_kept_out(send(signer, _forged({"kid": None, name: value}, foreign)))
    assert passed(send(signer, _forged({name: value}))), "by the client's own key such a header changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "..",
        "e30.e30.",
        "e30.e30.e30",
        "W10.W10.W10",
        "eyJhbGciOiJub25lIn0.e30.",
        "x" * 20000,
        "é.é.é",
        "a.b.c.d.e",
        "bnVsbA.bnVsbA.bnVsbA",
        urlsafe_b64encode(b'{"alg":"ES256","alg":"none"}').decode() + ".e30.e30",
        urlsafe_b64encode(b'{"a":' * 400 + b"1" + b"}" * 400).decode() + ".e30.e30",
    ],
)
def test_what_is_no_jwt(signer: Flask, text: str) -> None:
    assert_kept_out(send(signer, {"client_assertion_type": client_jwt.TYPE, "client_assertion": text}))


@pytest.mark.parametrize("kind", ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"])
def test_the_type_must_be_the_one_for_jwts(signer: Flask, kind: str) -> None:
    assert_kept_out(send(signer, credentials("signer") | {"client_assertion_type": kind}))


def test_a_client_id_beside_it_must_agree(signer: Flask) -> None:
    """RFC 7521 §4.2: optional, and then the same."""
    assert passed(send(signer, credentials("signer") | {"client_id": "signer"}))
    assert_kept_out(send(signer, credentials("signer") | {"client_id": "portal"}))


def test_two_ways_at_once_are_invalid(signer: Flask) -> None:
    """RFC 6749 §2.3."""
    header = {"Authorization": basic("signer", "x")}
    assert_refused(send(signer, credentials("signer"), headers=header), "invalid_request")
    assert_refused(send(signer, credentials("signer") | {"client_secret": "x"}), "invalid_request")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "none"])
def test_a_client_of_another_method_is_kept_out(sqlite_portal: Portal, method: str) -> None:
    registered(sqlite_portal.app, method=method)
    assert_kept_out(send(sqlite_portal.app, credentials("signer")))


def test_a_client_that_signs_is_not_let_in_without(signer: Flask) -> None:
    assert_kept_out(send(signer, {"client_id": "signer"}))
    assert_kept_out(send(signer, {"client_id": "signer", "client_secret": "x"}))


def test_a_registered_algorithm_is_the_only_one(sqlite_portal: Portal) -> None:
    registered(sqlite_portal.app, token_endpoint_auth_signing_alg="PS256")
    assert passed(send(sqlite_portal.app, credentials("signer", alg="PS256")))
    assert_kept_out(send(sqlite_portal.app, credentials("signer", alg="ES256")))
    assert_kept_out(send(sqlite_portal.app, credentials("signer", alg="RS256")))


def test_fapi_takes_the_issuer_alone_and_no_rs256(sqlite_portal: Portal) -> None:
    """FAPI 2.0 Security Profile §5.3.2.1, §5.4.1."""
    registered(sqlite_portal.app, profile="fapi2")
    issuer = settings().issuer
    assert passed(send(sqlite_portal.app, credentials("signer"), "/oidc/revoke"))
    for aud in (issuer + "/oidc/revoke", issuer + "/oidc/token", [issuer], [issuer, "https://elsewhere.example"]):
        assert_kept_out(send(sqlite_portal.app, credentials("signer", aud=aud), "/oidc/revoke"))
    assert_kept_out(send(sqlite_portal.app, credentials("signer", alg="RS256"), "/oidc/revoke"))


@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize("bits", [1024, 2047])
def test_short_rsa_keys_verify_nothing(sqlite_portal: Portal, bits: int) -> None:
    """RFC 7518 §3.3."""
    key = RSAKey.import_key(_rsa(bits))
    registered(sqlite_portal.app, jwks={"keys": [key.as_dict(private=False, kid="short")]})
    assert_kept_out(send(sqlite_portal.app, _forged({"alg": "PS256", "kid": "short"}, key, "PS256")))


def _rsa(bits: int) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - joserfc makes no short keys
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    return rsa.generate_private_key(65537, bits).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    "marks", [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "ES384"}, {"d": "AAAA"}, {"crv": "P-384"}], ids=str
)
def test_keys_for_something_else_verify_nothing(sqlite_portal: Portal, marks: dict[str, Any]) -> None:
    member = KEYS["ES256"].as_dict(private=False) | marks
    registered(sqlite_portal.app, jwks={"keys": [member]})
    assert_kept_out(send(sqlite_portal.app, credentials("signer")))
