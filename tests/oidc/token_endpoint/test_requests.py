"""What the endpoints for clients take: one form body, every parameter once (RFC 6749 §3.2, §5.2)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.oidc.portal import Portal, assert_refused, basic, body_of
from tests.support import rows
from tests.support.application import MakeApp

ENDPOINTS = ("/oidc/token", "/oidc/introspect", "/oidc/revoke")
FORM = "application/x-www-form-urlencoded"


def _raw(portal: Portal, body: bytes | str, path: str = "/oidc/token", **options: Any) -> TestResponse:
    assert portal.secret is not None
    headers = {"Authorization": basic(portal.client_id, portal.secret)}
    options = {"content_type": FORM, "headers": headers} | options
    return portal.app.test_client().post(path, data=body, **options)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_only_post(sqlite_portal: Portal, path: str) -> None:
    assert sqlite_portal.app.test_client().get(path).status_code == 405


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "application/x-www-form"]
)
def test_other_content_types_are_refused(sqlite_portal: Portal, path: str, content_type: str) -> None:
    response = _raw(sqlite_portal, "token=x&grant_type=refresh_token", path, content_type=content_type)
    assert_refused(response, "invalid_request")


def test_a_charset_does_no_harm(sqlite_portal: Portal) -> None:
    response = _raw(sqlite_portal, "token=x", "/oidc/introspect", content_type=f"{FORM}; charset=UTF-8")
    assert body_of(response) == {"active": False}


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("name", ["token", "grant_type", "code", "client_id", "client_secret", "redirect_uri", "odd"])
def test_a_parameter_sent_twice_is_refused(sqlite_portal: Portal, path: str, name: str) -> None:
    response = _raw(sqlite_portal, f"grant_type=refresh_token&token=x&{name}=1&{name}=1", path)
    assert_refused(response, "invalid_request")


def test_an_empty_parameter_counts_as_left_out(sqlite_portal: Portal) -> None:
    """RFC 6749 §3.2; but twice is twice."""
    assert_refused(_raw(sqlite_portal, "grant_type="), "invalid_request")
    assert body_of(_raw(sqlite_portal, "grant_type="))["error_description"] == "grant_type is missing"
    assert_refused(_raw(sqlite_portal, "grant_type=refresh_token&scope=&scope=&refresh_token=x"), "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        "grant_type=%ff",
        "grant_type=refresh_token&refresh_token=%00",
        "grant_type=refresh_token&refresh_token=a%0d%0ab",
        b"grant_type=\xff",
        "grant_type=" + "".join(f"&p{number}=1" for number in range(51)),
        "grant_type=refresh_token&client_id=%00",
    ],
)
def test_what_cannot_be_read_is_refused(sqlite_portal: Portal, body: bytes | str) -> None:
    assert_refused(_raw(sqlite_portal, body), "invalid_request")


@pytest.mark.parametrize("path", [*ENDPOINTS, "/oidc/par", "/oidc/device_authorization", "/oidc/userinfo"])
def test_a_body_that_is_too_long_is_refused(sqlite_portal: Portal, path: str) -> None:
    assert_refused(_raw(sqlite_portal, "grant_type=" + "x" * 70_000, path), "invalid_request", 413)


@pytest.mark.parametrize("grant_type", ["password", "implicit", "urn:x", "\u6388\u6743", '"\\'])
def test_an_unknown_grant_type_is_named_so_and_not_repeated(sqlite_portal: Portal, grant_type: str) -> None:
    """RFC 6749 §5.2; Authlib writes what it was sent into the description."""
    response = sqlite_portal.post("/oidc/token", {"grant_type": grant_type})
    assert_refused(response, "unsupported_grant_type")
    assert body_of(response)["error_description"] == "This grant_type is not supported"


@pytest.mark.parametrize("path", ["/oidc/introspect", "/oidc/revoke"])
def test_a_missing_token_is_invalid(sqlite_portal: Portal, path: str) -> None:
    assert_refused(sqlite_portal.post(path, {"token_type_hint": "access_token"}), "invalid_request")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_errors_are_json_that_nobody_stores(sqlite_portal: Portal, path: str) -> None:
    response = sqlite_portal.post(path, {})
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ENDPOINTS)
def test_no_cookie_is_needed_nor_given(sqlite_portal: Portal, path: str) -> None:
    """Clients have no session with us, and no CSRF token."""
    assert "Set-Cookie" not in sqlite_portal.post(path, {"token": "x", "grant_type": "refresh_token"}).headers


@pytest.mark.parametrize("path", ENDPOINTS)
def test_while_the_database_is_away_the_client_is_told_so_in_json(make_app: MakeApp, path: str) -> None:
    away = make_app("postgresql+psycopg://jingban@/jingban?host=/nonexistent")
    portal = Portal(away, "portal", "secret")
    with away.app_context():
        response = portal.post(path, {"token": "x", "grant_type": "refresh_token"})
    assert_refused(response, "temporarily_unavailable", 503)


def test_behind_tls_the_answers_say_so(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, issuer="https://login.example")
    response = app.test_client().post("/oidc/token", data={"grant_type": "refresh_token"})
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_what_nobody_foresaw_tells_nothing(sqlite_portal: Portal) -> None:
    """Here a client was given an algorithm that has no key."""
    other = Portal.registered(sqlite_portal.app, "other", id_token_alg="ES512")
    code = other.code_for(other.granted(rows.person()))
    other.app.testing = False
    response = other.redeem(code)
    assert response.status_code == 500
    assert "ES512" not in response.text
    assert "Traceback" not in response.text
