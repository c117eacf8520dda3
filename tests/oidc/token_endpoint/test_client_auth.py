"""Client authentication (OpenID Connect Core §9, RFC 6749 §2.3): three methods, one way to fail."""

from base64 import b64encode

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from werkzeug.test import TestResponse

from idp import clock, ids
from idp.clients import registry
from idp.clients.model import Client
from idp.oidc.client_auth import basic_credentials
from idp.store.db import transaction
from tests.oidc.portal import Portal, assert_refused, basic, body_of

ENDPOINTS = ("/oidc/token", "/oidc/introspect", "/oidc/revoke")
FORM = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}


@pytest.fixture
def by_post(sqlite_portal: Portal) -> Portal:
    """A portal that is registered for client_secret_post."""
    return Portal.registered(sqlite_portal.app, "poster", token_endpoint_auth_method="client_secret_post")


@pytest.fixture
def public(sqlite_portal: Portal) -> Portal:
    """A portal without a secret."""
    return Portal.registered(sqlite_portal.app, "app", public=True)


def _send(app: Flask, path: str, form: dict[str, str], authorization: str | None = None) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return app.test_client().post(path, data=FORM | form, headers=headers)


def _secret_form(portal: Portal) -> dict[str, str]:
    assert portal.secret is not None
    return {"client_id": portal.client_id, "client_secret": portal.secret}


def _passed(response: TestResponse) -> bool:
    """Whether the client was let in, and only its token is no good."""
    return response.status_code == 200 or body_of(response)["error"] == "invalid_grant"


@pytest.mark.parametrize("path", ENDPOINTS)
def test_basic(sqlite_portal: Portal, path: str) -> None:
    assert _passed(sqlite_portal.post(path, FORM))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_post(by_post: Portal, path: str) -> None:
    assert _passed(_send(by_post.app, path, _secret_form(by_post)))


@pytest.mark.parametrize("path", ["/oidc/token", "/oidc/revoke"])
def test_none_for_a_public_client(public: Portal, path: str) -> None:
    assert _passed(public.post(path, FORM))


def test_a_public_client_may_not_introspect(public: Portal) -> None:
    assert_refused(public.post("/oidc/introspect", FORM), "invalid_client", 401)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_client_must_use_the_method_it_registered(sqlite_portal: Portal, by_post: Portal, path: str) -> None:
    assert by_post.secret is not None
    app = sqlite_portal.app
    assert_refused(_send(app, path, _secret_form(sqlite_portal)), "invalid_client", 401)
    assert_refused(_send(app, path, {}, basic(by_post.client_id, by_post.secret)), "invalid_client", 401)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_client_with_a_secret_is_not_taken_without_it(sqlite_portal: Portal, path: str) -> None:
    """DESIGN 3, trap 7."""
    assert_refused(_send(sqlite_portal.app, path, {"client_id": "portal"}), "invalid_client", 401)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_secret_for_a_client_that_has_none_is_refused(public: Portal, path: str) -> None:
    """DESIGN 3, trap 7: no 500, no pass."""
    form = {"client_id": "app", "client_secret": "anything"}
    assert_refused(_send(public.app, path, form), "invalid_client", 401)
    assert_refused(_send(public.app, path, {}, basic("app", "anything")), "invalid_client", 401)
    assert_refused(_send(public.app, path, {}, basic("app", "")), "invalid_client", 401)


def test_nobody_at_all(sqlite_portal: Portal) -> None:
    assert_refused(_send(sqlite_portal.app, "/oidc/token", {}), "invalid_client", 401)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_unknown_client_wrong_secret_and_wrong_method_are_answered_alike(sqlite_portal: Portal, path: str) -> None:
    """DESIGN 3, trap 7: nobody learns which clients there are."""
    app = sqlite_portal.app
    wrong_secret = _send(app, path, {}, basic("portal", "wrong"))
    assert_refused(wrong_secret, "invalid_client", 401)
    others = [
        _send(app, path, {}, basic("nobody", "wrong")),
        _send(app, path, {"client_id": "nobody", "client_secret": "wrong"}),
        _send(app, path, {"client_id": "portal", "client_secret": "wrong"}),
        _send(app, path, {"client_id": "nobody"}),
        _send(app, path, {}, "Bearer abc"),
        _send(app, path, {}, "Basic !"),
    ]
    for other in others:
        assert other.status_code == wrong_secret.status_code
        assert other.data == wrong_secret.data
        assert dict(other.headers) == dict(wrong_secret.headers)


def test_a_refusal_names_the_scheme(sqlite_portal: Portal) -> None:
    """RFC 6749 §5.2: a 401 carries WWW-Authenticate; RFC 7617 §2: which names a realm."""
    response = _send(sqlite_portal.app, "/oidc/token", {}, basic("portal", "wrong"))
    assert response.headers["WWW-Authenticate"].startswith('Basic realm="jingban", error="invalid_client"')


@pytest.mark.parametrize("path", ENDPOINTS)
def test_two_methods_at_once_are_refused(sqlite_portal: Portal, path: str) -> None:
    """RFC 6749 §2.3: MUST NOT use more than one."""
    assert sqlite_portal.secret is not None
    header = basic("portal", sqlite_portal.secret)
    assert_refused(_send(sqlite_portal.app, path, _secret_form(sqlite_portal), header), "invalid_request")


def test_the_same_client_id_may_stand_in_the_body_another_may_not(sqlite_portal: Portal) -> None:
    assert sqlite_portal.secret is not None
    header = basic("portal", sqlite_portal.secret)
    assert _passed(_send(sqlite_portal.app, "/oidc/token", {"client_id": "portal"}, header))
    assert_refused(_send(sqlite_portal.app, "/oidc/token", {"client_id": "other"}, header), "invalid_request")


def test_id_and_secret_are_form_urldecoded(sqlite_portal: Portal) -> None:
    """RFC 6749 §2.3.1."""
    secret = "p+ä:&%=s"
    with transaction() as session:
        session.execute(update(Client).where(Client.client_id == "portal").values(secret_hash=ids.fingerprint(secret)))
    app = sqlite_portal.app
    assert _passed(_send(app, "/oidc/token", {}, basic("po%72tal", "p%2B%C3%A4%3A%26%25%3Ds")))
    assert_refused(_send(app, "/oidc/token", {}, basic("portal", secret)), "invalid_client", 401)


NONSENSE = [
    "",
    "Basic",
    "Basic ",
    "Basic !!!!",
    "Basic YQ",
    "Basic " + b64encode(b"no-colon").decode(),
    "Basic " + b64encode(b"\xff\xfe:\xfd").decode(),
    "Basic " + b64encode("é:secret".encode()).decode(),
    "Basic " + b64encode(b"%ff:secret").decode(),
    "Basic " + b64encode(b"portal:%ff").decode(),
    "Basic " + b64encode(b"%00:x").decode(),
    "Basic " + b64encode(b"portal\x00:x").decode(),
    "Basic " + b64encode(b"%F0%9F%98%80:x").decode(),
    "Basic \xe9\xe9",
    "Basic a:b, Basic c:d",
    "Digest username=portal",
    "Bearer abc",
]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("header", NONSENSE)
def test_credentials_that_mean_nothing_are_no_500(sqlite_portal: Portal, path: str, header: str) -> None:
    """DESIGN 3, trap 7."""
    assert_refused(_send(sqlite_portal.app, path, {}, header), "invalid_client", 401)


def test_credentials_that_mean_nothing_are_no_500_on_postgresql(postgres_app: Flask) -> None:
    """It refuses what SQLite stores, NUL for one."""
    for header in NONSENSE:
        assert_refused(_send(postgres_app, "/oidc/token", {}, header), "invalid_client", 401)
    for client_id in ("é", "\U0001f600", "x" * 5000):
        form = {"client_id": client_id, "client_secret": "x"}
        assert_refused(_send(postgres_app, "/oidc/token", form), "invalid_client", 401)


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_no_header_makes_the_reader_fail(header: str) -> None:
    basic_credentials(header)
    basic_credentials("Basic " + b64encode(header.encode("latin-1")).decode())


def test_a_disabled_client_is_an_unknown_one(sqlite_portal: Portal) -> None:
    with transaction() as session:
        session.execute(update(Client).values(disabled_at=clock.now()))
    assert registry.find("portal") is None
    assert_refused(sqlite_portal.refresh("x"), "invalid_client", 401)


def test_every_secret_has_256_bits_and_is_kept_as_a_hash(sqlite_portal: Portal) -> None:
    """DESIGN 9: machine-made, so SHA-256 is enough and costs nothing."""
    found = registry.find("portal")
    assert found is not None
    assert sqlite_portal.secret is not None
    assert len(sqlite_portal.secret) == 43
    assert found.secret_hash == ids.fingerprint(sqlite_portal.secret)
