"""DPoP: RFC 9449. What is bound by a proof, where, and to whom it is offered."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.features import Feature
from idp.oidc import dpop, dpop_nonces
from tests.oidc.counting import statements
from tests.oidc.dpop_requests import KEY, OTHER, USERINFO, ask, for_userinfo, redeem, send, service, tokens, userinfo
from tests.oidc.portal import (
    API,
    Portal,
    assert_refused,
    body_of,
    claims_in,
    is_alive,
)
from tests.oidc.proofs import ath
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.signing import plant_keys

__all__ = ["service"]


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
