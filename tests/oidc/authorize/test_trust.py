"""Until client and redirect URI are right, an error is a page, and nothing is sent anywhere (RFC 6749 §4.1.2.1)."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from idp import clock
from tests.oidc.authorize.browser import CALLBACK, Browser, error_in, request_parameters
from tests.oidc.portal import Portal
from tests.support import rows


def assert_page(response: TestResponse, *parts: str) -> None:
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert response.mimetype == "text/html"
    for part in parts:
        assert part in response.text


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"client_id": None}, "未在本平台登记"),
        ({"client_id": "stranger"}, "未在本平台登记"),
        ({"client_id": "portal' OR 1=1--"}, "未在本平台登记"),
        ({"client_id": "a\0b"}, "格式有误"),
        ({"client_id": "x" * 5000}, "格式有误"),
        ({"redirect_uri": None}, "返回地址未经登记"),  # also with one registered URI only (OIDC Core §3.1.2.1)
        ({"redirect_uri": "https://evil.example/callback"}, "返回地址未经登记"),
        ({"redirect_uri": CALLBACK + "/"}, "返回地址未经登记"),
        ({"redirect_uri": CALLBACK + "?next=x"}, "返回地址未经登记"),
        ({"redirect_uri": CALLBACK + "#x"}, "返回地址未经登记"),
        ({"redirect_uri": "https://portal.example/x/../callback"}, "返回地址未经登记"),
        ({"redirect_uri": CALLBACK + "\r\nSet-Cookie: a=b"}, "格式有误"),
        ({"redirect_uri": "javascript:alert(1)"}, "返回地址未经登记"),
    ],
)
def test_errors_that_must_not_be_redirected(sqlite_portal: Portal, changes: dict, part: str) -> None:
    browser = Browser(sqlite_portal.app)
    assert_page(browser.authorize(**changes), part)
    posted = browser.http.post("/oidc/authorize", data=request_parameters(**changes))
    assert_page(posted, part)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_repeated_ones_are_not_trusted(sqlite_portal: Portal, name: str) -> None:
    """RFC 6749 §3.1: two readers of this request could see two clients or two targets."""
    parameters = list(request_parameters().items())
    again = [*parameters, (name, dict(parameters)[name])]
    assert_page(Browser(sqlite_portal.app).http.get("/oidc/authorize", query_string=again), "格式有误")


def test_a_disabled_client_is_unknown(sqlite_portal: Portal) -> None:
    rows.client("closed", redirect_uris=[CALLBACK], disabled_at=clock.now() - timedelta(days=1))
    assert_page(Browser(sqlite_portal.app).authorize(client_id="closed"), "未在本平台登记或已停用")


def test_a_native_client_listens_on_its_own_port(sqlite_portal: Portal) -> None:
    """RFC 8252 §7.3, and only there."""
    loopback = "http://127.0.0.1/cb"
    rows.client("native", redirect_uris=[loopback], more={"application_type": "native"})
    rows.client("web", redirect_uris=[loopback])
    browser = Browser(sqlite_portal.app)
    asked = {"redirect_uri": "http://127.0.0.1:51004/cb", "response_type": None}
    answer = browser.authorize(client_id="native", **asked)
    assert answer.headers["Location"].startswith("http://127.0.0.1:51004/cb?error=invalid_request&")
    assert_page(browser.authorize(client_id="web", **asked), "返回地址未经登记")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("multipart/form-data; boundary=x", 400), ("application/json", 400), ("text/plain", 400), ("", 400)],
)
def test_a_post_is_a_form_and_nothing_else(sqlite_portal: Portal, content_type: str, status: int) -> None:
    """OpenID Connect Core §3.1.2.1, §13.2."""
    response = Browser(sqlite_portal.app).http.post(
        "/oidc/authorize", data=b"client_id=portal", headers={"Content-Type": content_type}
    )
    assert response.status_code == status
    assert "格式有误" in response.text


def test_giants(sqlite_portal: Portal) -> None:
    browser = Browser(sqlite_portal.app)
    giant = "x" * 100_000
    assert browser.http.get(f"/oidc/authorize?client_id=portal&x={giant}").status_code == 400
    assert browser.http.post("/oidc/authorize", data={"client_id": "portal", "x": giant}).status_code == 413
    many = "&".join(f"a{number}=1" for number in range(2000))
    assert browser.http.get(f"/oidc/authorize?{many}").status_code == 400


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt", "max_age"),
                *("claims", "authorization_details", "org_hint", "resource", "acr_values", "id_token_hint"),
                *("code_challenge", "code_challenge_method", "response_mode", "ui_locales", "login_hint", "request"),
            ]
        ),
        st.one_of(st.text(max_size=30), st.sampled_from(["none", "[]", "{}", "[{}]", "null", "0", "[" * 5000])),
        max_size=4,
    )
)
def test_no_parameters_make_a_5xx(sqlite_portal: Portal, changes: dict[str, str]) -> None:
    query = request_parameters() | {name: value.encode("utf-8", "surrogatepass") for name, value in changes.items()}
    response = Browser(sqlite_portal.app).http.get("/oidc/authorize", query_string=query)
    assert response.status_code in {303, 400}, response.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.binary(max_size=200))
def test_no_bytes_make_a_5xx(sqlite_portal: Portal, noise: bytes) -> None:
    browser = Browser(sqlite_portal.app)
    start = b"client_id=portal&redirect_uri=https%3A%2F%2Fportal.example%2Fcallback&response_type=code&scope=openid&"
    for body in (noise, start + noise):
        response = browser.http.post(
            "/oidc/authorize", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert response.status_code in {303, 400}, response.text


def test_what_is_right_goes_to_the_portal(app: Flask) -> None:
    """The first error after trust is a redirect, on both databases."""
    rows.client()
    assert error_in(Browser(app).authorize(response_type=None)) == "invalid_request"
