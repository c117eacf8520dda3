"""DESIGN 3, trap 6: Authlib reads grant_type and secrets from the query string; duplicate parameters, and Basic and
body together, pass; a missing redirect_uri passes. Every parameter: tests/oidc/token_endpoint/test_requests.py.
"""

from urllib.parse import urlencode

import pytest

from tests.oidc.portal import VERIFIER, Portal, assert_refused, basic
from tests.support import rows

FORM = "application/x-www-form-urlencoded"


def _form(portal: Portal, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": portal.redirect_uri,
        "code_verifier": VERIFIER,
    }


@pytest.mark.parametrize("in_query", ["grant_type", "code", "client_secret", "redirect_uri", "anything"])
def test_nothing_is_read_from_the_query_string(sqlite_portal: Portal, in_query: str) -> None:
    code = sqlite_portal.code_for(sqlite_portal.granted(rows.person()))
    form = _form(sqlite_portal, code)
    query = urlencode({in_query: form.pop(in_query, "x")})
    assert_refused(sqlite_portal.post(f"/oidc/token?{query}", form), "invalid_request")
    assert sqlite_portal.redeem(code).status_code == 200


def test_credentials_in_the_query_string_are_refused(sqlite_portal: Portal) -> None:
    code = sqlite_portal.code_for(sqlite_portal.granted(rows.person()))
    query = urlencode({"client_id": "portal", "client_secret": sqlite_portal.secret})
    response = sqlite_portal.post(f"/oidc/token?{query}", _form(sqlite_portal, code), headers={})
    assert_refused(response, "invalid_request")


def test_duplicates_are_refused_even_if_equal(sqlite_portal: Portal) -> None:
    assert sqlite_portal.secret is not None
    code = sqlite_portal.code_for(sqlite_portal.granted(rows.person()))
    body = urlencode([*_form(sqlite_portal, code).items(), ("code", code)])
    headers = {"Authorization": basic("portal", sqlite_portal.secret)}
    response = sqlite_portal.app.test_client().post("/oidc/token", data=body, content_type=FORM, headers=headers)
    assert_refused(response, "invalid_request")
    assert sqlite_portal.redeem(code).status_code == 200


def test_basic_and_body_together_are_refused(sqlite_portal: Portal) -> None:
    assert sqlite_portal.secret is not None
    code = sqlite_portal.code_for(sqlite_portal.granted(rows.person()))
    response = sqlite_portal.redeem(code, client_id="portal", client_secret=sqlite_portal.secret)
    assert_refused(response, "invalid_request")


def test_a_missing_redirect_uri_is_refused(sqlite_portal: Portal) -> None:
    code = sqlite_portal.code_for(sqlite_portal.granted(rows.person()))
    form = _form(sqlite_portal, code)
    del form["redirect_uri"]
    assert_refused(sqlite_portal.post("/oidc/token", form), "invalid_request")
