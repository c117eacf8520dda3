"""Dynamic client registration: RFC 7591, OpenID Connect Registration 1.0 §3."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from idp import ids
from idp.clients import registry
from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor, Client
from idp.features import Feature
from idp.oidc.registration.client_metadata import ENCRYPTION, RESERVED, SELF_ASSERTED
from idp.store.db import db
from tests.oidc.portal import Portal, assert_refused, body_of, claims_in
from tests.oidc.registration.registrar import CALLBACK, bearer, initial_token, post, registered
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.parallel import all_at_once
from tests.support.signing import plant_keys


def test_every_default_is_the_specification_s(app: Flask) -> None:
    """RFC 7591 §2, OpenID Connect Registration §2; the answer holds all registered metadata (RFC 7591 §3.2.1)."""
    response = post(app, {"redirect_uris": [CALLBACK]}, initial_token())
    told = body_of(response)
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    for secret in ("client_secret", "registration_access_token"):
        assert len(told.pop(secret)) == 43
    client_id = told.pop("client_id")
    assert abs(told.pop("client_id_issued_at") - db.session.get_one(Client, client_id).created_at.timestamp()) <= 1
    assert told == {
        "client_name": "client.example",
        "client_secret_expires_at": 0,
        "registration_client_uri": f"http://localhost:8000/oidc/register/{client_id}",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "openid profile email address phone offline_access",
        "id_token_signed_response_alg": "RS256",
        "application_type": "web",
        "subject_type": "public",
        **dict.fromkeys(
            (
                "backchannel_logout_session_required",
                "dpop_bound_access_tokens",
                "frontchannel_logout_session_required",
                "require_auth_time",
                "require_pushed_authorization_requests",
                "require_signed_request_object",
            ),
            False,
        ),
    }


def test_everything_that_is_known_is_given_back(sqlite_app: Flask) -> None:
    asked = {
        "redirect_uris": [CALLBACK, "https://client.example/other"],
        "client_name": "某应用",
        "client_uri": "https://client.example/",
        "logo_uri": "https://client.example/logo.png",
        "policy_uri": "https://client.example/policy",
        "tos_uri": "https://client.example/tos",
        "contacts": ["ops@client.example"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "scope": "openid profile",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "PS256",
        "default_max_age": 3600,
        "require_auth_time": True,
        "default_acr_values": ["urn:jingban:acr:L1"],
        "initiate_login_uri": "https://client.example/begin",
        "post_logout_redirect_uris": ["https://client.example/bye"],
        "backchannel_logout_uri": "https://client.example/logout",
        "backchannel_logout_session_required": True,
        "frontchannel_logout_uri": "https://client.example/out",
        "subject_type": "pairwise",
        "dpop_bound_access_tokens": True,
        "application_type": "web",
    }
    told = registered(sqlite_app, initial_token(), **asked)
    assert {name: told[name] for name in asked} == asked


def test_what_is_not_known_is_ignored(sqlite_app: Flask) -> None:
    """RFC 7591 §2: and null says nothing."""
    told = registered(sqlite_app, initial_token(), **{"client_name#en": "x", "unheard_of": [1], "logo_uri": None})
    assert not {"client_name#en", "unheard_of", "logo_uri"} & set(told)


def test_it_can_sign_people_in(app: Flask) -> None:
    plant_keys()
    told = registered(app, initial_token(), id_token_signed_response_alg="ES256")
    portal = Portal(app, told["client_id"], told["client_secret"])
    grant = portal.granted(rows.person())
    tokens = body_of(portal.redeem(portal.code_for(grant, redirect_uri=CALLBACK), redirect_uri=CALLBACK))
    assert claims_in(tokens["id_token"])["aud"] == told["client_id"]
    stored = db.session.get_one(Client, told["client_id"])
    assert stored.secret_hash == ids.fingerprint(told["client_secret"])
    assert stored.consent_required


def test_a_public_client_has_no_secret(sqlite_app: Flask) -> None:
    told = registered(sqlite_app, initial_token(), token_endpoint_auth_method="none")
    assert not {"client_secret", "client_secret_expires_at"} & set(told)


def test_every_field_of_ours_is_decided() -> None:
    """A new field of the metadata is either the client's to say or reserved; nothing is both or neither."""
    assert set(ProtocolMetadata.model_fields) == SELF_ASSERTED | RESERVED
    assert not SELF_ASSERTED & RESERVED


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://client.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [CALLBACK + "#f"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": CALLBACK}, "invalid_redirect_uri"),
        ({"redirect_uris": [7]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://[::1"]}, "invalid_redirect_uri"),
        ({"response_types": ["code id_token"]}, "invalid_client_metadata"),
        ({"response_types": ["token"], "grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"], "response_types": ["code"]}, "invalid_client_metadata"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "HS256"}, "invalid_client_metadata"),
        ({"userinfo_signed_response_alg": "none"}, "invalid_client_metadata"),
        ({"subject_type": "other"}, "invalid_client_metadata"),
        ({"application_type": "desktop"}, "invalid_client_metadata"),
        ({"default_max_age": "3600"}, "invalid_client_metadata"),
        ({"require_auth_time": "true"}, "invalid_client_metadata"),
        ({"contacts": "me"}, "invalid_client_metadata"),
        ({"client_name": ["x"]}, "invalid_client_metadata"),
        ({"logo_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"scope": "openid rec.position"}, "invalid_client_metadata"),
        ({"scope": "openid unheard_of"}, "invalid_client_metadata"),
        ({"authorization_details_types": ["unit_delegation"]}, "invalid_client_metadata"),
        ({"jwks": {"keys": []}, "jwks_uri": "https://client.example/jwks"}, "invalid_client_metadata"),
        ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
        ({"software_statement": 7}, "invalid_software_statement"),
        *(({name: "RSA-OAEP-256"}, "invalid_client_metadata") for name in ENCRYPTION),
        ([], "invalid_client_metadata"),
        ("x", "invalid_client_metadata"),
    ],
    ids=str,
)
def test_refused(sqlite_app: Flask, body: Any, error: str) -> None:
    asked = {"redirect_uris": [CALLBACK]} | body if isinstance(body, dict) else body
    assert_refused(post(sqlite_app, asked, initial_token()), error)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{}", "application/x-www-form-urlencoded", 400),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"client_name": "\\ud800"}', "application/json", 400),
        (b'{"x": NaN}', "application/json", 400),
        (b" " * 70_000, "application/json", 413),
    ],
)
def test_unreadable(sqlite_app: Flask, data: bytes, content_type: str, status: int) -> None:
    client = sqlite_app.test_client()
    headers = bearer(initial_token())
    response = client.post("/oidc/register", data=data, content_type=content_type, headers=headers)
    assert response.status_code == status
    assert body_of(response)["error"] in {"invalid_request", "invalid_client_metadata"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from([*sorted(SELF_ASSERTED), "redirect_uris", "grant_types", "scope", "client_name"])


@given(body=st.dictionaries(_NAMES, _JSON, max_size=4))
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered(sqlite_app: Flask, body: dict[str, Any]) -> None:
    """No mistyped value is a 5xx; what is taken is well-typed."""
    response = post(sqlite_app, {"redirect_uris": [CALLBACK]} | body, initial_token())
    assert response.status_code in {201, 400}, response.text
    if response.status_code == 201:
        assert registry.find(body_of(response)["client_id"]) is not None


# --- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "Bearer unknown", "Bearer ", "Basic YTpi", "Bearer \xe9"])
def test_without_a_good_initial_access_token(sqlite_app: Flask, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    client = sqlite_app.test_client()
    response = client.post("/oidc/register", json={"redirect_uris": [CALLBACK]}, headers=headers)
    assert_refused(response, "invalid_token", 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert db.session.query(Client).count() == 0


def test_a_token_is_used_up(app: Flask) -> None:
    """What fails uses nothing up; the last use is the last."""
    token = initial_token(uses=2)
    registered(app, token)
    assert_refused(post(app, {"redirect_uris": []}, token), "invalid_redirect_uri")
    registered(app, token)
    assert_refused(post(app, {"redirect_uris": [CALLBACK]}, token), "invalid_token", 401)


def test_the_last_use_is_one_client_s(app: Flask) -> None:
    """Many at the same moment: one statement decides, the others are told that there is none left."""
    token = initial_token(uses=1)
    works = [lambda: post(app, {"redirect_uris": [CALLBACK]}, token).status_code] * 6
    assert sorted(map(str, all_at_once(app, works))) == ["201", *["401"] * 5]
    assert db.session.query(Client).count() == 1


def test_a_token_expires(app: Flask, moved_clock: MovedClock) -> None:
    token = initial_token(days=1)
    moved_clock.advance(timedelta(days=1))
    assert_refused(post(app, {"redirect_uris": [CALLBACK]}, token), "invalid_token", 401)


def test_open_registration(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """A setting opens it; what comes of it has no more than the standard scopes, and no more often than the limit."""
    app = make_app(migrated_sqlite_url, registration_open=True, limit_registration="2/minute")
    with app.app_context():
        told = body_of(post(app, {"redirect_uris": [CALLBACK]}, None))
        assert registry.find(told["client_id"]) is not None
        assert_refused(post(app, {"redirect_uris": [CALLBACK], "scope": "openid x"}, None), "invalid_client_metadata")
        assert_refused(post(app, {"redirect_uris": [CALLBACK]}, None), "temporarily_unavailable", 429)
        assert_refused(post(app, {"redirect_uris": [CALLBACK]}, "wrong"), "invalid_token", 401)


def test_switched_off(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, features_off=[Feature.REGISTRATION])
    assert post(app, {}, None).status_code == 404
    assert app.test_client().get("/oidc/register/c_x").status_code == 404


# --- the policy of the initial access token --------------------------------------------------------------------------


def test_power_comes_from_the_policy_alone(sqlite_app: Flask) -> None:
    """Businesses, acting for units, the audience, PKCE: not the client's to say."""
    token = initial_token(
        scopes=("openid", "rec.position"), acts_for="optional", resource="https://api.example", require_pkce=False
    )
    told = registered(
        sqlite_app,
        token,
        acts_for="required",
        consent_required=False,
        resource="https://other.example",
        scope="openid",
    )
    client = registry.find(told["client_id"])
    assert client is not None
    assert (client.acts_for, client.resource) == (ActsFor.OPTIONAL, "https://api.example")
    assert client.consent_required
    assert not client.protocol.require_pkce
    assert client.scopes == ("openid",)
    more = registered(sqlite_app, token, require_pkce=True)
    assert more["scope"] == "openid rec.position"


def test_a_public_client_never_goes_without_pkce(sqlite_app: Flask) -> None:
    """RFC 9700 §2.1.1."""
    token = initial_token(require_pkce=False)
    body = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    assert_refused(post(sqlite_app, body, token), "invalid_client_metadata")


@pytest.mark.parametrize(
    ("policy", "body", "error"),
    [
        ({"software_ids": ("a",)}, {"software_id": "a"}, None),
        ({"software_ids": ("a",)}, {"software_id": "b"}, "invalid_client_metadata"),
        ({"software_ids": ("a",)}, {}, "invalid_client_metadata"),
        ({"redirect_hosts": ("client.example",)}, {}, None),
        ({"redirect_hosts": ("*.example",)}, {}, None),
        ({"redirect_hosts": ("*.client.example",)}, {}, "invalid_redirect_uri"),
        ({"redirect_hosts": ("other.example",)}, {}, "invalid_redirect_uri"),
        (
            {"redirect_hosts": ("client.example",)},
            {"post_logout_redirect_uris": ["https://other.example/"]},
            "invalid_client_metadata",
        ),
        (
            {"redirect_hosts": ("client.example",)},
            {"initiate_login_uri": "https://other.example/"},
            "invalid_client_metadata",
        ),
        (
            {"redirect_hosts": ("client.example",)},
            {"application_type": "native", "redirect_uris": ["http://127.0.0.1/cb", "org.example.app:/cb"]},
            None,
        ),
        ({"redirect_hosts": ("client.example",)}, {"redirect_uris": ["http://127.0.0.1/cb"]}, "invalid_redirect_uri"),
        ({"grant_types": ("client_credentials",)}, {"grant_types": ["client_credentials"], "redirect_uris": []}, None),
        ({"acts_for": "optional"}, {"authorization_details_types": ["unit_delegation"]}, None),
    ],
    ids=str,
)
def test_the_policy_bounds(sqlite_app: Flask, policy: dict[str, Any], body: dict[str, Any], error: str | None) -> None:
    response = post(sqlite_app, {"redirect_uris": [CALLBACK]} | body, initial_token(**policy))
    if error is None:
        assert response.status_code == 201, response.text
    else:
        assert_refused(response, error)
