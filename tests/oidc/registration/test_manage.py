"""Clients that manage themselves: RFC 7592."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from idp import ids
from idp.clients import registry, self_registration
from idp.clients.description import NewClient
from idp.clients.model import ActsFor, Client
from idp.store.db import db, transaction
from tests.oidc.portal import Portal, assert_refused, body_of, is_alive, portal_session_alive
from tests.oidc.registration.registrar import CALLBACK, initial_token, manage, registered
from tests.support import rows
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

OTHER = "https://client.example/other"
ONCE = {"client_secret", "client_secret_expires_at"}


def body_for(told: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return what a careful client sends: what it was told, without what only an answer holds."""
    only = {"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}
    return {name: value for name, value in told.items() if name not in only} | changes


def test_read(app: Flask) -> None:
    """§2.1: all that is registered; the secret was told once."""
    told = registered(app, initial_token(), client_name="某应用")
    response = manage(app, told, "GET")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert body_of(response) == {name: value for name, value in told.items() if name not in ONCE}


def test_replace(app: Flask, moved_clock: MovedClock) -> None:
    """§2.2: what is left out is gone, secret and token stay; every process sees it within two seconds."""
    told = registered(app, initial_token(), client_name="某应用", logo_uri="https://client.example/logo.png")
    assert registry.find(told["client_id"]) is not None
    response = manage(app, told, "PUT", {"client_id": told["client_id"], "redirect_uris": [OTHER]})
    assert response.status_code == 200, response.text
    changed = body_of(response)
    assert changed["redirect_uris"] == [OTHER]
    assert changed["client_name"] == "client.example"
    assert not {"logo_uri", *ONCE} & set(changed)
    assert changed["registration_access_token"] == told["registration_access_token"]
    moved_clock.advance(timedelta(milliseconds=registry.TRUST_MS))
    client = registry.find(told["client_id"])
    assert client is not None
    assert client.redirect_uris == (OTHER,)
    portal = Portal(app, told["client_id"], told["client_secret"])
    assert_refused(portal.post("/oidc/token", {"grant_type": "authorization_code", "code": "x"}), "invalid_request")


def test_the_secret_may_be_repeated(sqlite_app: Flask) -> None:
    told = registered(sqlite_app, initial_token())
    assert manage(sqlite_app, told, "PUT", body_for(told)).status_code == 200
    wrong = body_for(told, client_secret="x" * 43)
    assert_refused(manage(sqlite_app, told, "PUT", wrong), "invalid_client_metadata")


def test_a_secret_comes_and_goes_with_the_way_of_authentication(sqlite_app: Flask) -> None:
    told = registered(sqlite_app, initial_token(), token_endpoint_auth_method="none")
    changed = body_of(manage(sqlite_app, told, "PUT", body_for(told, token_endpoint_auth_method="client_secret_post")))
    assert len(changed["client_secret"]) == 43
    assert changed["client_secret_expires_at"] == 0
    again = body_of(manage(sqlite_app, told, "PUT", body_for(changed, token_endpoint_auth_method="none")))
    assert "client_secret" not in again
    assert db.session.get_one(Client, told["client_id"], populate_existing=True).secret_hash is None


def test_a_secret_that_must_sign_is_a_new_one(sqlite_app: Flask) -> None:
    """A secret of which only the hash was kept cannot verify; one that verifies may be sent in clear as well."""
    told = registered(sqlite_app, initial_token())
    signing = body_of(manage(sqlite_app, told, "PUT", body_for(told, token_endpoint_auth_method="client_secret_jwt")))
    assert signing["client_secret"] != told["client_secret"]
    row = db.session.get_one(Client, told["client_id"], populate_existing=True)
    assert row.sealed_secret == signing["client_secret"]
    plain = body_for(signing, token_endpoint_auth_method="client_secret_basic")
    assert "client_secret" not in body_of(manage(sqlite_app, told, "PUT", plain))
    db.session.rollback()
    row = db.session.get_one(Client, told["client_id"], populate_existing=True)
    assert (row.sealed_secret, row.secret_hash) == (None, ids.fingerprint(signing["client_secret"]))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "another"}, "invalid_request"),
        ({"registration_access_token": "x"}, "invalid_request"),
        ({"client_id_issued_at": 1}, "invalid_request"),
        ({"redirect_uris": ["http://client.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://elsewhere.example/"]}, "invalid_redirect_uri"),
        ({"scope": "openid rec.position"}, "invalid_client_metadata"),
        ({"client_secret": 7}, "invalid_client_metadata"),
        ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
    ],
    ids=str,
)
def test_an_update_is_bounded_like_a_registration(sqlite_app: Flask, changes: dict[str, Any], error: str) -> None:
    """The policy of the initial access token goes on to count, also when that token is long gone."""
    told = registered(sqlite_app, initial_token(uses=1, redirect_hosts=("client.example",)))
    response = manage(sqlite_app, told, "PUT", body_for(told, **changes))
    assert_refused(response, error)
    assert body_of(manage(sqlite_app, told, "GET"))["redirect_uris"] == [CALLBACK]


def test_what_an_administrator_decided_stays(sqlite_app: Flask) -> None:
    told = registered(sqlite_app, initial_token())
    with transaction() as session:
        session.execute(
            update(Client).values(
                acts_for="optional", min_person_level=2, consent_required=False, resource="https://a"
            )
        )
    assert manage(sqlite_app, told, "PUT", body_for(told)).status_code == 200
    row = db.session.get_one(Client, told["client_id"], populate_existing=True)
    assert (row.acts_for, row.min_person_level, row.consent_required, row.resource) == (
        ActsFor.OPTIONAL,
        2,
        False,
        "https://a",
    )


def test_a_change_in_between_is_seen(app: Flask) -> None:
    """What an administrator decided a moment ago stays: an update begins with what stands when it is written."""
    told = registered(app, initial_token())
    token = told["registration_access_token"]
    seen = self_registration.find(told["client_id"], token)
    with transaction() as session:
        session.execute(update(Client).values(min_person_level=2, version=Client.version + 1))
    given: list[self_registration.Managed] = []

    def described(stands: self_registration.Managed) -> NewClient:
        given.append(stands)
        return stands.client

    self_registration.replace(told["client_id"], token, described, secret=None)
    assert (seen.client.min_person_level, given[0].client.min_person_level) == (0, 2)


def test_delete_ends_everything(app: Flask, moved_clock: MovedClock) -> None:
    """§2.3: tokens, codes and sessions are over, and so is the token that did it."""
    plant_keys()
    told = registered(app, initial_token(), grant_types=["authorization_code", "refresh_token"])
    portal = Portal(app, told["client_id"], told["client_secret"])
    other = Portal.registered(app)
    person = rows.person()
    grant, others = portal.granted(person), other.granted(person)
    code = portal.code_for(grant, redirect_uri=CALLBACK)
    tokens = body_of(portal.redeem(portal.code_for(grant, redirect_uri=CALLBACK), redirect_uri=CALLBACK))
    gone = manage(app, told, "DELETE")
    assert (gone.status_code, gone.data) == (204, b"")
    assert not is_alive(grant)
    assert not portal_session_alive(grant)
    assert is_alive(others)
    for method in ("GET", "PUT", "DELETE"):
        assert_refused(manage(app, told, method, {}), "invalid_token", 401)
    assert other.userinfo(tokens["access_token"]).status_code == 401
    moved_clock.advance(timedelta(milliseconds=registry.TRUST_MS))
    assert_refused(portal.redeem(code, redirect_uri=CALLBACK), "invalid_client", 401)


def test_every_wrong_token_is_answered_alike(sqlite_app: Flask) -> None:
    """§2: another client's, an unknown client's, the initial one, none."""
    initial = initial_token()
    told, other = registered(sqlite_app, initial), registered(sqlite_app, initial)
    unknown = told | {"registration_client_uri": told["registration_client_uri"] + "x"}
    assert_refused(manage(sqlite_app, told, "GET", token=other["registration_access_token"]), "invalid_token", 401)
    assert_refused(manage(sqlite_app, told, "DELETE", token=initial), "invalid_token", 401)
    assert_refused(manage(sqlite_app, unknown, "GET"), "invalid_token", 401)
    path = f"/oidc/register/{told['client_id']}"
    assert_refused(sqlite_app.test_client().get(path), "invalid_token", 401)
    assert manage(sqlite_app, told, "GET").status_code == 200


def test_clients_of_administrators_have_no_such_token(sqlite_app: Flask) -> None:
    rows.client()
    headers = {"Authorization": "Bearer x"}
    assert_refused(sqlite_app.test_client().get("/oidc/register/portal", headers=headers), "invalid_token", 401)


@pytest.mark.parametrize("client_id", ["%00", "c_x%00", "%ff", "%F0%9F%98%80", "x" * 5000])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_no_client_can_be_called_is_an_unknown_client(postgres_app: Flask, client_id: str, method: str) -> None:
    """PostgreSQL does not even store some of these."""
    told = {"registration_client_uri": f"/oidc/register/{client_id}", "registration_access_token": "x"}
    assert_refused(manage(postgres_app, told, method, {"client_id": client_id}), "invalid_token", 401)
