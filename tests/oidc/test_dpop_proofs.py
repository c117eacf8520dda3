"""DPoP proofs (RFC 9449 §4.3): what one must be, that it works once, and nonces."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import strategies as st

from idp import clock
from idp.oidc import dpop, dpop_nonces
from idp.oidc.target_uris import normalised
from tests.oidc.dpop_requests import KEY, OTHER, ask, send, service
from tests.oidc.portal import (
    VERIFIER,
    Portal,
    assert_refused,
    body_of,
)
from tests.oidc.proofs import Key, b64
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

__all__ = ["service"]


# --- what a proof must be (§4.3) ------------------------------------------------------------------------------------

GOOD: dict[str, Callable[[], str]] = {
    "plain": KEY.proof,
    "EdDSA": Key("EdDSA", ed25519.Ed25519PrivateKey.generate()).proof,
    "Ed25519": Key("Ed25519", ed25519.Ed25519PrivateKey.generate()).proof,
    "PS256": Key("PS256", rsa.generate_private_key(65537, 2048)).proof,
    "RS256": Key("RS256", rsa.generate_private_key(65537, 2048)).proof,
    "an address written otherwise": lambda: KEY.proof(htu="HTTP://LOCALHOST:8000/%6fidc/./token?a=b#c"),
    "a clock that is ahead": lambda: KEY.proof(iat=clock.timestamp() + dpop.WINDOW - 2),
    "a clock that is behind": lambda: KEY.proof(iat=clock.timestamp() - dpop.WINDOW + 5),
    "parts of a second": lambda: KEY.proof(iat=clock.timestamp() + 0.5),
    "more members": lambda: KEY.proof(header={"kid": "1", "jwk": KEY.jwk | {"kid": "1", "use": "sig"}}, more=[1]),
    "a nonce of ours": lambda: KEY.proof(nonce=dpop_nonces.current()),
}


BAD: dict[str, Callable[[], str]] = {
    "nothing": lambda: "x",
    "two of them": lambda: f"{KEY.proof()}, {KEY.proof()}",
    "another signature": lambda: KEY.proof()[:-8] + "AAAAAAAA",
    "another key's signature": lambda: KEY.proof(header={"jwk": OTHER.jwk}),
    "no typ": lambda: KEY.proof(header={"typ": None}),
    "another typ": lambda: KEY.proof(header={"typ": "JWT"}),
    "an access token's typ": lambda: KEY.proof(header={"typ": "at+jwt"}),
    "no alg": lambda: KEY.proof(header={"alg": None}),
    "alg none": lambda: KEY.proof(header={"alg": "none"}),
    "alg HS256": lambda: KEY.proof(header={"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}),
    "alg of another kind of key": lambda: KEY.proof(header={"alg": "RS256"}),
    "alg that is a list": lambda: KEY.proof(header={"alg": ["ES256"]}),
    "no key": lambda: KEY.proof(header={"jwk": None}),
    "a private key": lambda: KEY.proof(header={"jwk": KEY.jwk | {"d": "AAAA"}}),
    "a key that is text": lambda: KEY.proof(header={"jwk": "x"}),
    "a key without y": lambda: KEY.proof(header={"jwk": {**KEY.jwk, "y": 1}}),
    "a point off the curve": lambda: KEY.proof(header={"jwk": KEY.jwk | {"x": KEY.jwk["y"]}}),
    "another curve": lambda: KEY.proof(header={"jwk": KEY.jwk | {"crv": "P-384"}}),
    "a short RSA key": Key("PS256", rsa.generate_private_key(65537, 1024)).proof,  # noqa: S505 - it is refused
    "an odd exponent": lambda: Key("PS256", rsa.generate_private_key(3, 2048)).proof(),
    **{name: partial(KEY.proof, header={name: "https://e.example"}) for name in ("jku", "x5u", "x5t", "zip", "b64")},
    **{name: partial(KEY.proof, header={name: ["exp"]}) for name in ("crit", "x5c")},
    "a header without end": lambda: KEY.proof(header={"more": "x" * 4000}),
    "a body without end": lambda: KEY.proof(more="x" * 9000),
    "a header that is no JSON": lambda: "e30x." + KEY.proof().partition(".")[2],
    "a header that is a list": lambda: b64(b"[]") + "." + KEY.proof().partition(".")[2],
    "no jti": lambda: KEY.proof(jti=None),
    "an empty jti": lambda: KEY.proof(jti=""),
    "a long jti": lambda: KEY.proof(jti="x" * 300),
    "a jti that is no text": lambda: KEY.proof(jti="\ud800"),
    "a jti that is a number": lambda: KEY.proof(jti=1),
    "no method": lambda: KEY.proof(htm=None),
    "another method": lambda: KEY.proof(htm="GET"),
    "the method in lower case": lambda: KEY.proof(htm="post"),
    "no address": lambda: KEY.proof(htu=None),
    "another endpoint": lambda: KEY.proof("/oidc/par"),
    "another host": lambda: KEY.proof(htu="http://evil.example/oidc/token"),
    "another scheme": lambda: KEY.proof(htu="https://localhost:8000/oidc/token"),
    "an address with a user": lambda: KEY.proof(htu="http://a@localhost:8000/oidc/token"),
    "an address that is none": lambda: KEY.proof(htu="http://[::1"),
    "an address that is a list": lambda: KEY.proof(htu=["x"]),
    "no time": lambda: KEY.proof(iat=None),
    "too early": lambda: KEY.proof(iat=clock.timestamp() - dpop.WINDOW - 2),
    "too late": lambda: KEY.proof(iat=clock.timestamp() + dpop.WINDOW + 2),
    "a time that is text": lambda: KEY.proof(iat="1"),
    "a time that is true": lambda: KEY.proof(iat=True),
    "no number": lambda: KEY.proof(iat=float("nan")),
    "a time without end": lambda: KEY.proof(iat=10**400),
    "half a surrogate pair": lambda: KEY.proof(nonce="\ud800"),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_proofs(service: Portal, name: str) -> None:
    response = ask(service, GOOD[name]())
    assert response.status_code == 200, response.text
    assert body_of(response)["token_type"] == "DPoP"


@pytest.mark.parametrize("name", BAD)
def test_bad_proofs(service: Portal, name: str) -> None:
    """Never a 5xx, never a token."""
    assert_refused(ask(service, BAD[name]()), "invalid_dpop_proof")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.sampled_from(["typ", "alg", "jwk", "kid", "crit", "more"])
CLAIMS = st.sampled_from(["jti", "htm", "htu", "iat", "nonce", "ath", "exp", "more"])


@hypothesis.given(
    header=st.dictionaries(HEADERS, ANYTHING, max_size=2),
    claims=st.dictionaries(CLAIMS, ANYTHING, max_size=3),
    jwk=st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e"]), ANYTHING, max_size=2),
)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=150)
def test_whatever_a_proof_holds(
    service: Portal, header: dict[str, Any], claims: dict[str, Any], jwk: dict[str, Any]
) -> None:
    """A proof is taken or refused; nothing in it is an error of ours."""
    if jwk:
        header = {**header, "jwk": KEY.jwk | jwk}
    answer = ask(service, KEY.proof(header=header, **claims))
    assert answer.status_code == 200 or body_of(answer)["error"] in {"invalid_dpop_proof", "use_dpop_nonce"}


@hypothesis.given(text=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=200))
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_whatever_the_header_holds(service: Portal, text: str) -> None:
    assert_refused(ask(service, text or "."), "invalid_dpop_proof")


def test_a_wrong_proof_leaves_the_code_alone(sqlite_portal: Portal) -> None:
    """§5: the client may try again with a better one."""
    grant_id = sqlite_portal.granted(rows.person())
    code = sqlite_portal.code_for(grant_id)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": sqlite_portal.redirect_uri}
    form["code_verifier"] = VERIFIER
    assert_refused(send(sqlite_portal, form, KEY.proof(nonce="old")), "use_dpop_nonce")
    assert send(sqlite_portal, form, KEY.proof()).status_code == 200


# --- once (§11.1) ---------------------------------------------------------------------------------------------------


def test_a_proof_works_once(service: Portal, moved_clock: MovedClock) -> None:
    proof = KEY.proof()
    assert ask(service, proof).status_code == 200
    assert_refused(ask(service, proof), "invalid_dpop_proof")
    moved_clock.advance(timedelta(seconds=dpop.WINDOW + 1))
    assert_refused(ask(service, proof), "invalid_dpop_proof")


def test_the_same_jti_of_another_key(service: Portal) -> None:
    assert ask(service, KEY.proof(jti="same")).status_code == 200
    assert ask(service, OTHER.proof(jti="same")).status_code == 200
    assert_refused(ask(service, KEY.proof(jti="same")), "invalid_dpop_proof")


# --- nonces (§8) ----------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(make_app: MakeApp, migrated_sqlite_url: str) -> Any:
    """A service at a provider that demands nonces."""
    app = make_app(migrated_sqlite_url, dpop_nonce_required=True)
    with app.app_context():
        plant_keys()
        yield Portal.registered(app, "service", grant_types=["client_credentials"])


def test_nonces_by_setting(strict: Portal, moved_clock: MovedClock) -> None:
    """§8: the error brings the nonce; it is good for the next proofs until it is old, and then comes a new one."""
    refused = ask(strict, KEY.proof())
    assert_refused(refused, "use_dpop_nonce")
    nonce = refused.headers["DPoP-Nonce"]
    answer = ask(strict, KEY.proof(nonce=nonce))
    assert (answer.status_code, answer.headers.get("DPoP-Nonce")) == (200, None)
    moved_clock.advance(timedelta(seconds=dpop_nonces.STEP))
    later = ask(strict, KEY.proof(nonce=nonce))
    assert later.status_code == 200
    newer = later.headers["DPoP-Nonce"]
    assert newer != nonce
    moved_clock.advance(timedelta(seconds=dpop_nonces.STEP))
    assert_refused(ask(strict, KEY.proof(nonce=nonce)), "use_dpop_nonce")
    assert ask(strict, KEY.proof(nonce=newer)).status_code == 200


@pytest.mark.parametrize("nonce", ["", "x" * 32, "é", 1, ["x"], True])
def test_what_is_no_nonce_of_ours(service: Portal, nonce: object) -> None:
    assert_refused(ask(service, KEY.proof(nonce=nonce)), "use_dpop_nonce")


# --- the address (RFC 3986 §6.2) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://a.example", "https://a.example/"),
        ("HTTPS://A.Example:443/x", "https://a.example/x"),
        ("http://a.example:80/x?q#f", "http://a.example/x"),
        ("http://a.example:8080/x/../y/./z", "http://a.example:8080/y/z"),
        ("http://a.example/x/..", "http://a.example/"),
        ("http://a.example/../../x", "http://a.example/x"),
        ("http://a.example/%7Ea%2fb%c3", "http://a.example/~a%2Fb%C3"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ("ftp://a.example/x", None),
        ("a.example/x", None),
        ("http://u:p@a.example/x", None),
        ("http://a.example/ x", None),
        ("http://a.example:99999/x", None),
        ("http://例.example/", None),
        ("", None),
    ],
)
def test_addresses_are_compared_in_normal_form(written: str, normal: str | None) -> None:
    assert normalised(written) == normal
