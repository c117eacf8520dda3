"""Client credentials: RFC 6749 §4.4, RFC 9068 §2.2, RFC 8707; a token in the client's own name acts for nobody."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from idp import clock
from idp.clients import registration
from idp.clients.metadata import ClientMetadataInvalid
from idp.clients.registration import NewClient
from idp.clients.registry import TRUST_MS
from idp.features import Feature
from idp.sessions import client_removal
from idp.settings import settings
from tests.oidc.counting import statements
from tests.oidc.portal import API, Portal, assert_refused, audited, body_of, claims_in, header_of
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

GRANT = {"grant_type": "client_credentials"}
OTHER_API = "https://other-api.example"


def _service(app: Flask, client_id: str = "service", **changes: Any) -> Portal:
    usual: dict[str, Any] = {"grant_types": ["client_credentials"], "more": {"resources": [OTHER_API]}}
    return Portal.registered(app, client_id, **usual | changes)


@pytest.fixture(params=["jwt", "opaque"])
def service(request: pytest.FixtureRequest, sqlite_portal: Portal) -> Portal:
    """A confidential client with the grant type: with JWT access tokens, and with opaque ones."""
    return _service(sqlite_portal.app, access_token_format=request.param)


@pytest.fixture(params=["jwt", "opaque"])
def anywhere(request: pytest.FixtureRequest, portal: Portal) -> Portal:
    """The same, on both databases."""
    return _service(portal.app, access_token_format=request.param)


def _token(service: Portal, **form: str) -> dict[str, Any]:
    response = service.post("/oidc/token", GRANT | form)
    assert response.status_code == 200, response.text
    return body_of(response)


def test_the_answer(service: Portal) -> None:
    """RFC 6749 §4.4.3: no refresh token; and nobody signed in, so no ID token."""
    answer = _token(service, scope="rec.fair rec.position")
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == settings().access_token_lifetime
    assert answer["scope"] == "rec.fair rec.position"


def test_introspection_says_whose_it_is(anywhere: Portal) -> None:
    """RFC 9068 §2.2 `sub` is the client; §2.2.1 no acr, amr, auth_time; DESIGN 4: no act, nobody is acted for."""
    answer = anywhere.introspect(_token(anywhere, scope="rec.fair")["access_token"])
    assert answer.pop("jti").startswith("c.")
    assert answer.pop("exp") - answer.pop("iat") == settings().access_token_lifetime
    assert answer == {
        "active": True,
        "token_type": "Bearer",
        "iss": settings().issuer,
        "aud": API,
        "client_id": "service",
        "sub": "service",
        "sub_profile": "service",
        "scope": "rec.fair",
    }


def test_the_jwt_says_the_same(sqlite_portal: Portal) -> None:
    """RFC 9068 §2.1, §2.2."""
    service = _service(sqlite_portal.app)
    token = _token(service)["access_token"]
    assert header_of(token)["typ"] == "at+jwt"
    said = service.introspect(token)
    assert {name: said[name] for name in said if name not in {"active", "token_type"}} == claims_in(token)
    assert "scope" not in said


def test_two_tokens_are_two(service: Portal) -> None:
    assert _token(service)["access_token"] != _token(service)["access_token"]


@pytest.mark.parametrize("scope", ["openid", "profile", "offline_access", "rec.fair openid", "rec.unheard_of"])
def test_scopes_about_a_person_or_not_registered(sqlite_portal: Portal, scope: str) -> None:
    service = _service(sqlite_portal.app)
    assert_refused(service.post("/oidc/token", GRANT | {"scope": scope}), "invalid_scope")


# --- for which API (RFC 8707) ---------------------------------------------------------------------------------------


def test_it_picks_one_of_its_resources(service: Portal) -> None:
    assert service.introspect(_token(service, resource=OTHER_API)["access_token"])["aud"] == OTHER_API
    assert service.introspect(_token(service, resource=API)["access_token"])["aud"] == API


def test_other_and_several_resources(sqlite_portal: Portal) -> None:
    """RFC 8707 §2: several are allowed by the RFC; a token of ours has one audience, so they are refused."""
    service = _service(sqlite_portal.app)
    for resource in ("https://unknown.example", API + "/", API.upper()):
        assert_refused(service.post("/oidc/token", GRANT | {"resource": resource}), "invalid_target")
    several: Any = GRANT | {"resource": [API, OTHER_API]}
    assert_refused(service.post("/oidc/token", several), "invalid_target")


# --- who may ---------------------------------------------------------------------------------------------------------


def test_not_registered_for_it(sqlite_portal: Portal) -> None:
    assert_refused(sqlite_portal.post("/oidc/token", GRANT), "unauthorized_client")


def test_a_public_client_may_not(sqlite_portal: Portal) -> None:
    """RFC 6749 §4.4: confidential clients only, whatever stands in the registration."""
    public = _service(sqlite_portal.app, public=True)
    assert_refused(public.post("/oidc/token", GRANT), "invalid_client", 401)


def test_a_public_client_is_not_registered_with_it(sqlite_app: Flask) -> None:
    del sqlite_app
    for changes in (
        {"token_endpoint_auth_method": "none", "grant_types": ("client_credentials",)},
        {"grant_types": ("password",)},
    ):
        new: Any = {"client_id": "service", "client_name": "服务", "redirect_uris": ()} | changes
        with pytest.raises(ClientMetadataInvalid) as caught:
            registration.add(NewClient(**new))
        assert caught.value.facts["what"] == "grant_types"


@pytest.mark.parametrize("client_id", ["p_7f", "u_91"])
def test_no_client_has_the_id_of_a_subject(sqlite_app: Flask, client_id: str) -> None:
    """RFC 9700 §4.15: an API must not take a client's own token for a person's or a unit's."""
    del sqlite_app
    with pytest.raises(ClientMetadataInvalid) as caught:
        registration.add(NewClient(client_id, "服务", (), grant_types=("client_credentials",)))
    assert caught.value.facts["what"] == "client_id"


def test_switched_off(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """What is off is neither advertised nor answered."""
    app = make_app(migrated_sqlite_url, features_off=frozenset({Feature.CLIENT_CREDENTIALS}))
    with app.app_context():
        plant_keys()
        assert_refused(_service(app).post("/oidc/token", GRANT), "unsupported_grant_type")
        found = body_of(app.test_client().get("/.well-known/openid-configuration"))
    assert "client_credentials" not in found["grant_types_supported"]


# --- what becomes of the token --------------------------------------------------------------------------------------


def test_userinfo_has_nothing_to_say(service: Portal) -> None:
    """Core §5.3: UserInfo is about who signed in."""
    assert_refused(service.userinfo(_token(service)["access_token"]), "insufficient_scope", 403)


def test_revoked(anywhere: Portal) -> None:
    """RFC 7009 §2.1: by its own client only."""
    token, other = _token(anywhere)["access_token"], _token(anywhere)["access_token"]
    stranger = Portal.registered(anywhere.app, "stranger")
    assert_refused(stranger.revoke(token), "invalid_grant")
    assert anywhere.introspect(token)["active"] is True
    assert anywhere.revoke(token).status_code == 200
    assert anywhere.introspect(token) == {"active": False}
    assert_refused(anywhere.userinfo(token), "invalid_token", 401)
    assert anywhere.introspect(other)["active"] is True


def test_expired(service: Portal, moved_clock: MovedClock) -> None:
    token = _token(service)["access_token"]
    moved_clock.advance(timedelta(seconds=settings().access_token_lifetime))
    assert service.introspect(token) == {"active": False}


def test_a_disabled_client_s_tokens_are_dead(service: Portal, moved_clock: MovedClock) -> None:
    """Asked by the API that it is for."""
    api = Portal.registered(service.app, "api", resource=API)
    token = _token(service)["access_token"]
    assert api.introspect(token)["active"] is True
    client_removal.disable("service")
    moved_clock.advance(timedelta(milliseconds=TRUST_MS))
    assert api.introspect(token) == {"active": False}


def test_an_api_asks_about_what_is_for_it_only(service: Portal) -> None:
    """RFC 7662 §2.2. Being allowed to ask tokens for an API does not make a client that API."""
    other = _service(service.app, "other", resource="https://third.example", more={"resources": [API]})
    assert other.introspect(_token(service)["access_token"]) == {"active": False}


# --- audit and cost -------------------------------------------------------------------------------------------------


def test_it_is_audited(service: Portal) -> None:
    _token(service, scope="rec.fair")
    (entry,) = audited("token.issued")
    assert (entry.client_id, entry.actor_id, entry.subject_id, entry.unit_id) == ("service", None, None, None)
    assert entry.details == {"grant_type": "client_credentials", "scope": "rec.fair"}
    assert entry.at <= clock.now()


def test_it_costs_one_statement(anywhere: Portal) -> None:
    """DESIGN 9: a JWT needs its audit entry only; an opaque one goes with it in one statement on PostgreSQL."""
    _token(anywhere)  # the client is looked up and the key is parsed
    with statements() as texts:
        _token(anywhere)
    is_split = len(texts) > 1
    assert all(text.startswith(("INSERT", "WITH")) for text in texts)
    assert is_split == (settings().database_url.startswith("sqlite") and "opaque_token" in texts[0])
