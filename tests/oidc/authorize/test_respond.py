"""The one writer of answers (RFC 6749 §4.1.2, RFC 9207, Form Post Response Mode): trap 5."""

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.oidc import errors
from idp.oidc.authorize import respond
from idp.oidc.authorize.respond import ReplyTo
from idp.settings import settings as idp_settings
from tests.oidc.authorize.browser import CALLBACK, Browser, request_parameters
from tests.support import rows

text = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40)


class _Form(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.actions: list[str] = []
        self.fields: list[tuple[str, str]] = []
        self.buttons = 0
        self.scripts: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "form":
            self.actions.append(f"{given['method']} {given['action']}")
        elif tag == "input":
            assert given["type"] == "hidden"
            self.fields.append((given["name"], given["value"]))
        elif tag == "button" and given.get("type") == "submit":
            self.buttons += 1
        elif tag == "script":
            self.scripts.append(given.get("src", "inline"))


@pytest.fixture
def requesting(sqlite_app: Flask):
    """A request context, as the writers have one."""
    with sqlite_app.test_request_context():
        yield sqlite_app


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=text, state=st.none() | text, query=st.sampled_from(["", "?a=b", "?a&b=%7e+x", "?"]))
def test_query(requesting: Flask, code: str, state: str | None, query: str) -> None:
    """RFC 6749 §3.1.2: the URI's own query stays byte by byte; `state` and `iss` once each, whatever is in them."""
    uri = f"https://portal.example/callback{query}"
    location = respond.with_code(ReplyTo(uri, "query", state), code).headers["Location"]
    assert location.startswith(uri)
    assert "#" not in location
    assert location.isascii()
    own = parse_qsl(query[1:], keep_blank_values=True)
    expected = [*own, ("code", code), *([] if state is None else [("state", state)]), ("iss", idp_settings().issuer)]
    assert parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=False) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(code=text, state=st.none() | text)
def test_form_post(requesting: Flask, code: str, state: str | None) -> None:
    """Trap 5: escaped for HTML, so what the portal gets is what was meant; with `iss`; without a line of script."""
    uri = 'https://portal.example/callback?a="b&c=<d>'
    response = respond.with_code(ReplyTo(uri, "form_post", state), code)
    form = _Form(response.get_data(as_text=True))
    assert form.actions == [f"post {uri}"]
    expected = [("code", code), *([] if state is None else [("state", state)]), ("iss", idp_settings().issuer)]
    assert form.fields == expected
    assert form.buttons == 1
    assert form.inline == []
    assert all(script.startswith("/assets/") and script.endswith(".js") for script in form.scripts)


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_errors_have_iss_and_state_too(requesting: Flask, mode: str) -> None:
    """RFC 9207 §2: "in all authorization responses, including error responses"."""
    response = respond.with_error(ReplyTo(CALLBACK, mode, "s<>"), errors.AccessDeniedError())
    if mode == "query":
        answer = parse_qsl(urlsplit(response.headers["Location"]).query)
    else:
        answer = _Form(response.get_data(as_text=True)).fields
    assert dict(answer) == {
        "error": "access_denied",
        "error_description": "The resource owner or authorization server denied the request",
        "state": "s<>",
        "iss": idp_settings().issuer,
    }


@given(st.text(max_size=60))
def test_descriptions_are_printable_ascii(description: str) -> None:
    """RFC 6749 §4.1.2.1: %x20-21 / %x23-5B / %x5D-7E; Authlib writes what the client sent into some of them."""
    error = errors.InvalidRequestError()
    error.description = description
    body = dict(errors.body_of(error))
    assert body["error"] == "invalid_request"
    assert all(0x20 <= ord(char) <= 0x7E and char not in '"\\' for char in body.get("error_description", ""))


def test_every_error_of_ours_has_a_code_and_a_clean_description() -> None:
    kinds = [kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type)]
    assert len(kinds) > 15
    for kind in kinds:
        if kind is errors.OAuth2Error:
            continue
        error = kind("nonce") if kind is errors.UseDpopNonceError else kind()
        assert not errors.invalid_error_characters(error.get_error_description())
        assert error.error


def test_the_policy_of_the_posted_answer(sqlite_app: Flask) -> None:
    """The form may go to the portal's origin alone, and nothing but our own files is loaded."""
    rows.client(consent_required=False)
    browser = Browser(sqlite_app)
    browser.sign_in(rows.person())
    response = browser.authorize(response_mode="form_post")
    assert response.status_code == 200
    policy = dict(each.strip().split(" ", 1) for each in response.headers["Content-Security-Policy"].split(";"))
    assert policy["form-action"] == "https://portal.example"
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_an_error_is_posted_if_the_portal_wants_posts(sqlite_app: Flask) -> None:
    rows.client()
    response = Browser(sqlite_app).authorize(response_mode="form_post", code_challenge=None)
    assert response.status_code == 200
    assert ("error", "invalid_request") in _Form(response.get_data(as_text=True)).fields


@pytest.mark.parametrize("uri", ["com.example.app:/cb", "javascript:alert(1)//", "data:text/html,x"])
def test_form_post_goes_to_web_addresses_alone(sqlite_app: Flask, uri: str) -> None:
    """A form posted to a script address would run in our own origin."""
    rows.client("native", redirect_uris=[uri], more={"application_type": "native"})
    response = Browser(sqlite_app).authorize(client_id="native", redirect_uri=uri, response_mode="form_post")
    assert response.status_code == 303
    location = response.headers["Location"]
    assert location.startswith(uri)
    assert "error=invalid_request" in location


def test_answers_are_redirects_by_get(sqlite_app: Flask) -> None:
    """RFC 9700 §4.12: 303, so that nothing posted here is posted to the portal."""
    rows.client()
    browser = Browser(sqlite_app)
    assert browser.authorize(response_type=None).status_code == 303
    posted = browser.http.post("/oidc/authorize", data=request_parameters(response_type=None))
    assert posted.status_code == 303
