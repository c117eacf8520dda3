"""What scripts of other origins may call (WHATWG Fetch, CORS): clients that run in a browser."""

import pytest
from flask import Flask

from idp.oidc import fast_paths
from tests.oidc.portal import Portal
from tests.support import rows

ORIGIN = {"Origin": "https://app.example"}
READABLE = [*sorted(fast_paths.FOR_BROWSERS), "/.well-known/openid-configuration", "/oidc/jwks"]
OTHERS = ("/oidc/introspect", "/oidc/authorize", "/oidc/register", "/sign-in")


@pytest.mark.parametrize("path", READABLE)
def test_preflight(sqlite_app: Flask, path: str) -> None:
    """RFC 9449 §10 of browsers: the header `DPoP` must be allowed by name, as `Authorization` must."""
    asked = ORIGIN | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,dpop",
    }
    answer = sqlite_app.test_client().options(path, headers=asked)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = {each.strip().lower() for each in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "dpop"} <= allowed
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", OTHERS)
def test_pages_and_confidential_endpoints_are_nobody_else_s(sqlite_app: Flask, path: str) -> None:
    client = sqlite_app.test_client()
    for answer in (client.options(path, headers=ORIGIN), client.get(path, headers=ORIGIN)):
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_answers_and_refusals_can_be_read(sqlite_portal: Portal) -> None:
    token = sqlite_portal.tokens(sqlite_portal.granted(rows.person()))["access_token"]
    client = sqlite_portal.app.test_client()
    answers = [
        client.get("/oidc/userinfo", headers=ORIGIN | {"Authorization": f"Bearer {token}"}),
        client.get("/oidc/userinfo", headers=ORIGIN),
        client.post("/oidc/token", data={"grant_type": "authorization_code"}, headers=ORIGIN),
        client.post("/oidc/revoke", data={"token": "x"}, headers=ORIGIN),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 401, 401]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"]


def test_no_cookie_is_read_where_any_origin_may_call(sqlite_portal: Portal) -> None:
    """What makes `*` safe: a session in the browser changes nothing there."""
    person_id = rows.person()
    client = sqlite_portal.app.test_client()
    client.set_cookie("jingban_session", rows.signed_in(person_id))
    assert client.get("/oidc/userinfo", headers=ORIGIN).status_code == 401
    assert client.post("/oidc/token", data={"grant_type": "refresh_token"}, headers=ORIGIN).status_code == 401


def test_servers_are_told_nothing_of_it(sqlite_portal: Portal) -> None:
    answer = sqlite_portal.post("/oidc/token", {"grant_type": "authorization_code"})
    assert "Access-Control-Allow-Origin" not in answer.headers
