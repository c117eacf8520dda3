"""ID tokens of an issuer that signs whatever it likes: each check of its own (OpenID Connect Core §3.1.3.7)."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, jsonify
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from idp import clock, ids
from idp.gateways.province import TripSecrets, UpstreamRefused, build_upstreams
from idp.settings import UpstreamSetting
from sandbox.serving import Server
from tests.support import fictional

BACK = "http://localhost:8000/federation/province/return"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
SECRETS = TripSecrets(ids.new_secret(), ids.new_secret(), ids.new_secret())


@dataclass
class Issuer:
    """What the issuer answers next."""

    url: str = ""
    id_token: str = ""
    userinfo: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    app, here = Flask(__name__), Issuer()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Any:
        paths = {"authorization_endpoint": "a", "token_endpoint": "t", "jwks_uri": "k", "userinfo_endpoint": "u"}
        return jsonify(issuer=here.url, **{name: f"{here.url}/{path}" for name, path in paths.items()})

    app.add_url_rule("/k", "keys", lambda: jsonify(keys=[KEY.as_dict(private=False)]))
    app.add_url_rule("/t", "token", lambda: jsonify(access_token="at", id_token=here.id_token), methods=["POST"])
    app.add_url_rule("/u", "userinfo", lambda: jsonify(here.userinfo))
    with Server(app) as server:
        here.url = server.url
        yield here


def claims(issuer: Issuer, **changes: Any) -> dict[str, Any]:
    now = clock.timestamp()
    usual = {
        "iss": issuer.url,
        "aud": "jingban",
        "sub": "p-0001",
        "nonce": SECRETS.nonce,
        "iat": now,
        "exp": now + 300,
        "user_type": "person",
        "name": fictional.person_name(),
        "document_type": "resident_id",
        "document_number": fictional.resident_id(),
        "trust_level": "L1",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(body: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one", **header}, body, key, algorithms=["RS256", "HS256"])


def fetch(issuer: Issuer, token: str) -> Any:
    issuer.id_token = token
    setting = UpstreamSetting.model_validate(
        {
            "name": "province",
            "title": "省",
            "protocol": "oidc",
            "issuer": issuer.url,
            "client_id": "jingban",
            "client_secret": "secret",
        }
    )
    return build_upstreams([setting])["province"].fetch("code", SECRETS, BACK)


def reason(issuer: Issuer, token: str) -> str:
    with pytest.raises(UpstreamRefused) as caught:
        fetch(issuer, token)
    return caught.value.reason


def test_one_that_is_right(issuer: Issuer) -> None:
    assert fetch(issuer, signed(claims(issuer))).stable_id == "p-0001"
    assert fetch(issuer, signed(claims(issuer, aud=["jingban"], azp="jingban"))).stable_id == "p-0001"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://another.example"}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"aud": "another"}, "wrong_audience"),
        ({"aud": ["jingban", "another"]}, "wrong_audience"),
        ({"azp": "another"}, "wrong_audience"),
        ({"nonce": "another"}, "wrong_nonce"),
        ({"nonce": None}, "wrong_nonce"),
        ({"sub": None}, "wrong_nonce"),
        ({"exp": None}, "expired"),
        ({"exp": 1}, "expired"),
        ({"exp": "soon"}, "expired"),
        ({"iat": None}, "wrong_time"),
        ({"iat": 1}, "wrong_time"),
        ({"iat": 1 << 39}, "wrong_time"),
    ],
)
def test_claims_that_do_not_fit(issuer: Issuer, changes: dict[str, Any], why: str) -> None:
    assert reason(issuer, signed(claims(issuer, **changes))) == why


def test_algorithms_that_are_not_ours(issuer: Issuer) -> None:
    """RFC 8725 §3.1: neither unsigned nor under an HMAC, for which a public key could be taken as the secret."""
    header, body = (urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in ('{"alg":"none"}', "{}"))
    assert reason(issuer, f"{header}.{body}.") == "wrong_algorithm"
    shared = OctKey.import_key(ids.new_secret())
    assert reason(issuer, signed(claims(issuer), shared, alg="HS256")) == "wrong_algorithm"


def test_a_key_that_nobody_published(issuer: Issuer) -> None:
    other = RSAKey.generate_key(2048)
    assert reason(issuer, signed(claims(issuer), other)) == "wrong_signature"
    assert reason(issuer, signed(claims(issuer), other, kid="two")) == "unknown_key"


@pytest.mark.parametrize("token", ["a.b.c", "a.b", "eyJhbGciOiJSUzI1NiIsImI2NCI6ZmFsc2V9.e30.eA", "é.e30.eA"])
def test_what_is_no_jwt(issuer: Issuer, token: str) -> None:
    assert reason(issuer, token) == "not_a_jwt"


def test_claims_by_userinfo(issuer: Issuer) -> None:
    """Core §5.3.2: an ID token may leave them to UserInfo, whose `sub` must be the same."""
    full = claims(issuer)
    bare = {name: full[name] for name in ("iss", "aud", "sub", "nonce", "iat", "exp")}
    issuer.userinfo = full
    assert fetch(issuer, signed(bare)).document_number == fictional.resident_id()
    issuer.userinfo = {**full, "sub": "p-0002"}
    assert reason(issuer, signed(bare)) == "sub_mismatch"
