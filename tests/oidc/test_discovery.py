"""Metadata and JWKS: OpenID Connect Discovery 1.0, RFC 8414; what is said is on, and what is on is said."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata
from flask import Flask
from sqlalchemy import make_url

from idp.oidc import discovery, fast_paths
from idp.oidc.tokens.claims import CLAIMS_SUPPORTED
from idp.settings import Settings
from idp.store import keyring
from tests.oidc.portal import Portal, body_of, claims_in
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.postgres import PostgresServer
from tests.support.signing import plant_keys

ADDRESSES = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def _metadata(app: Flask) -> dict[str, Any]:
    return body_of(app.test_client().get(ADDRESSES[0]))


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_public_and_may_be_kept(sqlite_app: Flask, address: str) -> None:
    response = sqlite_app.test_client().get(address)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers
    assert body_of(response) == _metadata(sqlite_app)


def test_an_independent_reader_finds_it_valid() -> None:
    """Authlib's model checks it as RFC 8414 and Discovery §3 say."""
    OpenIDProviderMetadata(discovery.metadata(Settings(issuer="https://login.example"))).validate()


def test_the_issuer_is_exactly_the_setting(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """Discovery §4.3."""
    issuer = "https://login.example/base"
    found = _metadata(make_app(migrated_sqlite_url, issuer=issuer))
    assert found["issuer"] == issuer
    endpoints = [value for name, value in found.items() if name.endswith(("_endpoint", "jwks_uri"))]
    assert len(endpoints) >= 8
    assert all(value.startswith(f"{issuer}/oidc/") for value in endpoints)


def test_an_issuer_with_a_path(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """RFC 8414 §3.1, §5: the well-known part comes first, then the issuer's path."""
    client = make_app(migrated_sqlite_url, issuer="https://login.example/base").test_client()
    for address in ADDRESSES:
        assert client.get(f"{address}/base").data == client.get(address).data
        assert client.get(f"{address}/other").status_code == 404


def test_every_endpoint_that_it_names_exists(sqlite_portal: Portal) -> None:
    found = _metadata(sqlite_portal.app)
    client = sqlite_portal.app.test_client()
    for name, value in found.items():
        if name.endswith(("_endpoint", "_uri")):
            path = value.removeprefix(found["issuer"])
            codes = {client.get(path).status_code, client.post(path).status_code}
            assert codes != {404}, name


def test_every_grant_type_and_method_that_it_names_is_taken(sqlite_portal: Portal) -> None:
    found = _metadata(sqlite_portal.app)
    for grant_type in found["grant_types_supported"]:
        error = body_of(sqlite_portal.post("/oidc/token", {"grant_type": grant_type}))["error"]
        assert error != "unsupported_grant_type"
    assert set(found["token_endpoint_auth_methods_supported"]) == {
        *("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none")
    }
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]


def test_every_algorithm_that_it_names_has_a_key(sqlite_portal: Portal) -> None:
    found = _metadata(sqlite_portal.app)
    published = sqlite_portal.app.test_client().get("/oidc/jwks").get_json()["keys"]
    assert set(found["id_token_signing_alg_values_supported"]) == {key["alg"] for key in published}
    assert "RS256" in found["id_token_signing_alg_values_supported"]  # Discovery §3: MUST
    assert "none" not in found["id_token_signing_alg_values_supported"]


def test_every_claim_that_we_give_is_named(sqlite_portal: Portal) -> None:
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    tokens = sqlite_portal.tokens(
        sqlite_portal.granted(person_id, unit_id, "rec.position", scope="openid profile phone")
    )
    given = {*claims_in(tokens["id_token"]), *body_of(sqlite_portal.userinfo(tokens["access_token"]))}
    assert given <= set(CLAIMS_SUPPORTED)
    assert _metadata(sqlite_portal.app)["claims_supported"] == list(CLAIMS_SUPPORTED)


def test_what_a_client_must_know(sqlite_app: Flask) -> None:
    found = _metadata(sqlite_app)
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["backchannel_logout_supported"] is True
    assert found["backchannel_logout_session_supported"] is True
    assert found["request_uri_parameter_supported"] is True
    assert "none" not in found["request_object_signing_alg_values_supported"], "only of clients registered so"
    assert found["acr_values_supported"] == [f"urn:jingban:acr:L{level}" for level in range(4)]
    assert found["ui_locales_supported"] == ["zh-Hans", "zh-Hant", "en"]


# --- JWKS ---------------------------------------------------------------------------------------------------------


def test_the_jwks_follows_a_rotation_within_seconds(sqlite_app: Flask, moved_clock: MovedClock) -> None:
    plant_keys()
    client = sqlite_app.test_client()
    before = client.get("/oidc/jwks").data
    keyring.rotate("ES256", at_once=True)
    assert client.get("/oidc/jwks").data == before
    moved_clock.advance(timedelta(milliseconds=fast_paths.TRUST_MS))
    after = client.get("/oidc/jwks")
    assert after.data != before
    assert after.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("path", [*ADDRESSES, "/oidc/jwks"])
def test_other_methods(sqlite_portal: Portal, path: str) -> None:
    client = sqlite_portal.app.test_client()
    head = client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(client.get(path).data)
    refused = client.post(path)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_a_short_publication_shortens_what_clients_keep(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """A copy of the JWKS must be gone before the next key signs."""
    app = make_app(migrated_sqlite_url, key_publish_ahead=20)
    assert app.test_client().get(ADDRESSES[0]).headers["Cache-Control"] == "public, max-age=20"


def test_the_jwks_outlives_the_database(
    make_app: MakeApp, postgres_server: PostgresServer, migrated_postgres_url: str, moved_clock: MovedClock
) -> None:
    """Portals check signatures while the database is away; a process that has just started has nothing to say."""
    app, late = make_app(migrated_postgres_url), make_app(migrated_postgres_url)
    with app.app_context():
        plant_keys()
    client = app.test_client()
    before = client.get("/oidc/jwks").data
    postgres_server.drop(make_url(migrated_postgres_url).database or "")
    moved_clock.advance(timedelta(seconds=10))
    assert client.get("/oidc/jwks").data == before
    with pytest.raises(psycopg.OperationalError):
        late.test_client().get("/oidc/jwks")
