"""Reading our own tokens: nothing that a token says about its own verification counts (RFC 8725)."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from idp import clock
from idp.oidc.tokens import jws
from idp.store import keyring
from tests.oidc.portal import Portal, claims_in, header_of
from tests.support import rows
from tests.support.signing import plant_keys

TYP = "at+jwt"


def _claims(**changes: Any) -> dict[str, Any]:
    return {"iss": "http://localhost:8000", "sub": "p_1", "exp": clock.timestamp() + 60} | changes


def _encoded(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.fixture
def ring(sqlite_app: Flask) -> Flask:
    """An application with signing keys."""
    plant_keys()
    return sqlite_app


@pytest.mark.parametrize("alg", keyring.ALGORITHMS)
def test_what_was_signed_is_read(ring: Flask, alg: str) -> None:
    claims = _claims(name="甲子")
    assert jws.read(jws.sign(claims, alg=alg, typ=TYP), typ=TYP) == claims


@pytest.mark.parametrize("typ", ["JWT", "AT+JWT", "logout+jwt", "application/at+jwt", ""])
def test_another_type_is_refused(ring: Flask, typ: str) -> None:
    """RFC 9068 §4, RFC 8725 §3.11: an ID token is no access token."""
    assert jws.read(jws.sign(_claims(), alg="ES256", typ=TYP), typ=typ) is None
    assert jws.read(jws.sign(_claims(), alg="ES256", typ=typ), typ=TYP) is None


def test_another_issuer_under_the_same_key_is_refused(ring: Flask) -> None:
    """DESIGN 3, trap 10."""
    assert jws.read(jws.sign(_claims(iss="https://other.example"), alg="ES256", typ=TYP), typ=TYP) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_token_is_refused(ring: Flask, place: int) -> None:
    parts = jws.sign(_claims(), alg="ES256", typ=TYP).split(".")
    other = jws.sign(_claims(sub="p_2"), alg="RS256", typ=TYP).split(".")
    parts[place] = other[place]
    assert jws.read(".".join(parts), typ=TYP) is None


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "RS256", "PS256", "ES384", ""])
def test_an_algorithm_that_the_key_was_not_made_for_is_refused(ring: Flask, alg: str) -> None:
    """RFC 8725 §3.1: alg none, and HS256 under the public key of ES256, which everybody has."""
    signer = keyring.signer("ES256")
    header = _encoded({"alg": alg, "typ": TYP, "kid": signer.kid})
    body = _encoded(_claims())
    assert jws.read(f"{header}.{body}.", typ=TYP) is None
    public = ECKey.import_key(signer.key.as_dict(private=False)).raw_value
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if alg == "HS256":
        octets = OctKey.import_key(urlsafe_b64encode(pem).decode())
        forged = jwt.encode({"alg": "HS256", "typ": TYP, "kid": signer.kid}, _claims(), octets, algorithms=["HS256"])
        assert jws.read(forged, typ=TYP) is None


def test_rs256_and_ps256_keys_are_not_mixed(ring: Flask) -> None:
    """Both are RSA: a key is for one algorithm."""
    signer = keyring.signer("RS256")
    key = RSAKey.import_key({k: v for k, v in signer.key.as_dict(private=True).items() if k != "alg"})
    forged = jwt.encode({"alg": "PS256", "typ": TYP, "kid": signer.kid}, _claims(), key, algorithms=["PS256"])
    assert jws.read(forged, typ=TYP) is None


def test_a_key_in_the_header_is_never_used(ring: Flask) -> None:
    """RFC 8725 §3.10: not `jwk`, not `jku`, not `x5u`; a foreign key under our kid does not verify either."""
    theirs = ECKey.generate_key("P-256")
    ours = keyring.signer("ES256").kid
    leads = [
        {"jwk": theirs.as_dict(private=False)},
        {"jku": "https://attacker.example/jwks"},
        {"x5u": "https://attacker.example/cert"},
        {"kid": ours},
        {"kid": ours, "jwk": theirs.as_dict(private=False)},
        {"kid": "../../dev/null"},
        {"kid": None},
        {"kid": [ours]},
    ]
    signature = jwt.encode({"alg": "ES256"}, _claims(), theirs).rpartition(".")[2]
    for lead in leads:
        header = _encoded({"alg": "ES256", "typ": TYP, **lead})
        assert jws.read(f"{header}.{_encoded(_claims())}.{signature}", typ=TYP) is None
    forged = jwt.encode({"alg": "ES256", "typ": TYP, "kid": ours}, _claims(), theirs)
    assert jws.read(forged, typ=TYP) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c.d.e",
        "é.é.é",
        _encoded([]) + ".e30.x",
        _encoded(["alg", "kid"]) + ".e30.x",
        _encoded("null") + ".e30.x",
        _encoded('"alg"') + ".e30.x",
        _encoded("7") + ".e30.x",
        _encoded("[" * 180) + ".e30.x",
        _encoded({"alg": "ES256", "kid": 7, "typ": TYP}) + ".e30.x",
        _encoded({"alg": ["ES256"], "kid": "x", "typ": TYP}) + ".e30.x",
        "x" * 300 + ".e30.x",
        "a." + "b" * 9000 + ".c",
    ],
)
def test_nonsense_is_refused(ring: Flask, token: str) -> None:
    assert jws.read(token, typ=TYP) is None


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text() | st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_no_input_makes_the_reader_fail(ring: Flask, made: str | list[bytes]) -> None:
    token = made if isinstance(made, str) else ".".join(urlsafe_b64encode(part).decode() for part in made)
    assert jws.read(token, typ=TYP) is None


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_no_changed_character_passes(ring: Flask, place: int, character: str) -> None:
    """But for the spare bits of the last one, which carry nothing (RFC 4648 §3.5)."""
    claims = _claims()
    token = jws.sign(claims, alg="EdDSA", typ=TYP)
    place %= len(token) - 1
    changed = token[:place] + character + token[place + 1 :]
    assert (jws.read(changed, typ=TYP) == claims) == (changed == token)


def test_tokens_of_a_retired_key_are_read_while_they_live(ring: Flask) -> None:
    """DESIGN 3: next, active, retired."""
    token = jws.sign(_claims(), alg="ES256", typ=TYP)
    keyring.rotate("ES256", at_once=True)
    assert jws.read(token, typ=TYP) is not None
    assert header_of(jws.sign(_claims(), alg="ES256", typ=TYP))["kid"] != header_of(token)["kid"]


def test_expiry_is_the_moment_itself(ring: Flask) -> None:
    """RFC 7519 §4.1.4: on or after it the token must not be accepted."""
    now = clock.timestamp()
    assert not jws.is_live(_claims(exp=now - 1))
    assert not jws.is_live(_claims(exp=clock.timestamp()))
    assert jws.is_live(_claims(exp=now + 60))


def test_tokens_stay_within_the_bounds_of_the_reader(sqlite_portal: Portal) -> None:
    token = sqlite_portal.tokens(sqlite_portal.granted(rows.person()))["access_token"]
    assert len(token) < jws.LONGEST / 2
    assert len(token.partition(".")[0]) < jws.LONGEST_HEADER
    assert claims_in(token)
