"""DPoP: RFC 9449. What a proof must be, what is bound by it, and that it works once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from idp import clock
from idp.features import Feature
from idp.oidc import dpop, dpop_nonces
from idp.oidc.target_uris import normalised
from tests.oidc.counting import statements
from tests.oidc.portal import (
    API,
    VERIFIER,
    Portal,
    assert_refused,
    basic,
    body_of,
    claims_in,
    is_alive,
)
from tests.oidc.proofs import Key, ath, b64
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

KEY, OTHER = Key(), Key()
USERINFO = "/oidc/userinfo"


def send(portal: Portal, form: dict[str, str], proof: str | None) -> TestResponse:
    """POST a form to the token endpoint with a proof."""
    headers = {} if proof is None else {"DPoP": proof}
    if portal.secret is None:
        form = form | {"client_id": portal.client_id}
    else:
        headers["Authorization"] = basic(portal.client_id, portal.secret)
    return portal.app.test_client().post("/oidc/token", data=form, headers=headers)


def redeem(portal: Portal, grant_id: str, proof: str | None, **changes: Any) -> TestResponse:
    """Redeem a code for the grant."""
    form = {
        "grant_type": "authorization_code",
        "code": portal.code_for(grant_id, **changes),
        "redirect_uri": portal.redirect_uri,
        "code_verifier": VERIFIER,
    }
    return send(portal, form, proof)


def tokens(portal: Portal, proof: str | None, grant_id: str | None = None) -> dict[str, Any]:
    """Return the answer for a new code."""
    response = redeem(portal, grant_id or portal.granted(rows.person()), proof)
    assert response.status_code == 200, response.text
    return body_of(response)


def userinfo(portal: Portal, token: str, proof: str | None, scheme: str = "DPoP") -> TestResponse:
    """Ask UserInfo with a bound token."""
    headers = {"Authorization": f"{scheme} {token}"} | ({} if proof is None else {"DPoP": proof})
    return portal.app.test_client().get(USERINFO, headers=headers)


def for_userinfo(token: str, key: Key = KEY, **changes: Any) -> str:
    """Return a proof for UserInfo."""
    return key.proof(USERINFO, **{"htm": "GET", "ath": ath(token)} | changes)


@pytest.fixture
def service(sqlite_portal: Portal) -> Portal:
    """A client with client credentials: the shortest way to the token endpoint."""
    return Portal.registered(sqlite_portal.app, "service", grant_types=["client_credentials"])


def ask(service: Portal, proof: str | None) -> TestResponse:
    """Ask for a token of the client's own."""
    return send(service, {"grant_type": "client_credentials"}, proof)


# --- what is bound --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["jwt", "opaque"])
def test_a_bound_access_token(portal: Portal, form: str) -> None:
    """§5, §6.1, §6.2, §7.1."""
    bound = Portal.registered(portal.app, "bound", access_token_format=form)
    grant_id = bound.granted(rows.person())
    answer = tokens(bound, KEY.proof(), grant_id)
    token = answer["access_token"]
    assert answer["token_type"] == "DPoP"
    said = bound.introspect(token)
    assert (said["token_type"], said["cnf"]) == ("DPoP", {"jkt": KEY.jkt})
    assert form == "opaque" or claims_in(token)["cnf"] == {"jkt": KEY.jkt}
    assert userinfo(bound, token, for_userinfo(token)).status_code == 200


def test_without_a_proof_nothing_is_bound_and_nothing_costs_more(sqlite_portal: Portal) -> None:
    """DESIGN 9: a bearer request runs no statement for DPoP."""
    answer = tokens(sqlite_portal, None)
    assert answer["token_type"] == "Bearer"
    sqlite_portal.userinfo(answer["access_token"])
    with statements() as texts:
        sqlite_portal.refreshed(answer["refresh_token"])
        sqlite_portal.userinfo(answer["access_token"])
        sqlite_portal.introspect(answer["access_token"])
    assert not any("used_jti" in text for text in texts)


def test_a_bound_token_is_no_bearer_token(sqlite_portal: Portal) -> None:
    """§7.2: and a bearer token is no bound one."""
    bound = tokens(sqlite_portal, KEY.proof())["access_token"]
    response = sqlite_portal.userinfo(bound)
    assert_refused(response, "invalid_token", 401)
    assert response.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')
    assert 'algs="ES256 ' in response.headers["WWW-Authenticate"]
    posted = sqlite_portal.app.test_client().post(USERINFO, data={"access_token": bound})
    assert_refused(posted, "invalid_token", 401)
    bearer = tokens(sqlite_portal, None, sqlite_portal.granted(rows.person(1)))["access_token"]
    assert_refused(userinfo(sqlite_portal, bearer, for_userinfo(bearer)), "invalid_token", 401)


@pytest.mark.parametrize(
    ("proof", "error"),
    [
        (lambda _: None, "invalid_dpop_proof"),
        (lambda _: "x", "invalid_dpop_proof"),
        (lambda token: for_userinfo(token, OTHER), "invalid_dpop_proof"),
        (lambda token: for_userinfo(token, ath=None), "invalid_dpop_proof"),
        (lambda token: for_userinfo(token, ath=ath(token + "x")), "invalid_dpop_proof"),
        (lambda token: for_userinfo(token, htm="POST"), "invalid_dpop_proof"),
        (lambda token: for_userinfo(token, htu="http://localhost:8000/oidc/token"), "invalid_dpop_proof"),
        (lambda token: for_userinfo(token, nonce="old"), "use_dpop_nonce"),
    ],
)
def test_proofs_at_the_resource(sqlite_portal: Portal, proof: Callable[[str], str | None], error: str) -> None:
    """§4.3, §7.1, §9: 401 and the challenge of the scheme."""
    token = tokens(sqlite_portal, KEY.proof())["access_token"]
    response = userinfo(sqlite_portal, token, proof(token))
    assert_refused(response, error, 401)
    assert response.headers["WWW-Authenticate"].startswith(f'DPoP error="{error}"')
    assert ("DPoP-Nonce" in response.headers) == (error == "use_dpop_nonce")


@pytest.mark.parametrize(("proof", "status"), [(KEY.proof, 200), (OTHER.proof, 400), (lambda: None, 400)])
def test_a_code_bound_to_a_key(sqlite_portal: Portal, proof: Callable[[], str | None], status: int) -> None:
    """§10: another key, or none, burns it as a wrong verifier does."""
    grant_id = sqlite_portal.granted(rows.person())
    response = redeem(sqlite_portal, grant_id, proof(), dpop_jkt=KEY.jkt)
    assert response.status_code == status, response.text
    assert is_alive(grant_id) == (status == 200)


# --- refresh tokens -------------------------------------------------------------------------------------------------


def refresh(portal: Portal, answer: dict[str, Any], proof: str | None) -> TestResponse:
    """Present the refresh token of a token response."""
    return send(portal, {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}, proof)


def test_a_public_client_s_refresh_token_is_bound(portal: Portal) -> None:
    """§5: without its key it is of no use, and trying that does no harm; RFC 7662 says which key."""
    public = Portal.registered(portal.app, "public", public=True)
    first = tokens(public, KEY.proof())
    for proof in (OTHER.proof(), None):
        assert_refused(refresh(public, first, proof), "invalid_grant")
    second = body_of(refresh(public, first, KEY.proof()))
    assert second["token_type"] == "DPoP"
    assert_refused(refresh(public, second, OTHER.proof()), "invalid_grant")
    assert refresh(public, second, KEY.proof()).status_code == 200


def test_a_stolen_refresh_token_ends_nothing(sqlite_portal: Portal) -> None:
    """The thief of a used token without its key must not be able to end the family either."""
    public = Portal.registered(sqlite_portal.app, "public", public=True)
    first = tokens(public, KEY.proof())
    second = body_of(refresh(public, first, KEY.proof()))
    assert_refused(refresh(public, first, OTHER.proof()), "invalid_grant")
    assert refresh(public, second, KEY.proof()).status_code == 200


def test_a_confidential_client_may_change_its_key(sqlite_portal: Portal) -> None:
    """§5: its refresh tokens are bound to its authentication already."""
    answer = tokens(sqlite_portal, KEY.proof())
    again = body_of(refresh(sqlite_portal, answer, OTHER.proof()))
    assert claims_in(again["access_token"])["cnf"] == {"jkt": OTHER.jkt}
    assert body_of(refresh(sqlite_portal, again, None))["token_type"] == "Bearer"


def test_reuse_is_still_reuse(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """RFC 9700 §4.14.2: whoever has the key and an old token ends the family."""
    app = make_app(migrated_sqlite_url, refresh_grace=0)
    with app.app_context():
        plant_keys()
        public = Portal.registered(app, "public", public=True)
        api = Portal.registered(app, "api", resource=API)
        first = tokens(public, KEY.proof())
        second = body_of(refresh(public, first, KEY.proof()))
        assert_refused(refresh(public, first, KEY.proof()), "invalid_grant")
        assert_refused(refresh(public, second, KEY.proof()), "invalid_grant")
        assert api.introspect(second["access_token"]) == {"active": False}


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


# --- who must -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{"dpop_bound_access_tokens": True}, {"profile": "fapi2"}])
def test_a_client_whose_tokens_must_be_bound(sqlite_portal: Portal, more: dict[str, Any]) -> None:
    """§5.2; FAPI 2.0 Security Profile §5.3.2.1: and FAPI clients always repeat a nonce."""
    must = Portal.registered(sqlite_portal.app, "must", grant_types=["client_credentials"], more=more)
    assert_refused(ask(must, None), "invalid_dpop_proof")
    first = ask(must, KEY.proof())
    assert (first.status_code == 200) == ("profile" not in more)
    assert ask(must, KEY.proof(nonce=dpop_nonces.current())).status_code == 200


def test_switched_off(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """Neither advertised nor looked at; a client that must be bound gets nothing."""
    app = make_app(migrated_sqlite_url, features_off=frozenset({Feature.DPOP}))
    with app.app_context():
        plant_keys()
        service = Portal.registered(app, "service", grant_types=["client_credentials"])
        assert body_of(ask(service, KEY.proof()))["token_type"] == "Bearer"
        more = {"dpop_bound_access_tokens": True}
        must = Portal.registered(app, "must", grant_types=["client_credentials"], more=more)
        assert_refused(ask(must, KEY.proof()), "invalid_dpop_proof")
        found = body_of(app.test_client().get("/.well-known/openid-configuration"))
        challenge = app.test_client().get(USERINFO, headers={"Authorization": "DPoP x"}).headers["WWW-Authenticate"]
    assert "dpop_signing_alg_values_supported" not in found
    assert challenge == "Bearer"


def test_discovery_names_the_algorithms(sqlite_portal: Portal) -> None:
    """§5.1."""
    found = body_of(sqlite_portal.app.test_client().get("/.well-known/openid-configuration"))
    assert found["dpop_signing_alg_values_supported"] == list(dpop.ALGORITHMS)
    assert not {"none", "HS256"}.intersection(dpop.ALGORITHMS)


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
