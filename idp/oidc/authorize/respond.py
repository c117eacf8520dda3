"""The one writer of authorization responses: `iss` and `state` are added here and nowhere else.

Authlib puts `iss` behind a fragment and leaves it out of form_post, percent-encodes what should be escaped for HTML,
and rewrites the query of the redirect URI (DESIGN 3, trap 5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from flask import make_response, redirect, render_template
from werkzeug.wrappers import Response

from idp.oidc import errors
from idp.oidc.authorize.checks import FORM_POST, QUERY
from idp.oidc.errors import OAuth2Error
from idp.rules.origins import origin_of
from idp.settings import settings

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where the answer goes, and how: a redirect URI that was checked, the response mode, the state to give back."""

    redirect_uri: str
    response_mode: str
    state: str | None


def with_code(to: ReplyTo, code: str, session_state: str | None = None) -> Response:
    """RFC 6749 §4.1.2: the code; OpenID Connect Session Management 1.0 §2: `session_state`."""
    return _send(to, [("code", code), *([("session_state", session_state)] if session_state else [])])


def with_error(to: ReplyTo, error: OAuth2Error) -> Response:
    """RFC 6749 §4.1.2.1: an error, with a description for the client's developer."""
    return _send(to, errors.body_of(error))


def _send(to: ReplyTo, parameters: Parameters) -> Response:
    state = [] if to.state is None else [("state", to.state)]  # RFC 6749 §4.1.2: the exact value received
    issuer = [("iss", settings().issuer)]  # RFC 9207 §2: in every response, errors included
    return _WRITERS[to.response_mode](to.redirect_uri, [*parameters, *state, *issuer])


def _query(redirect_uri: str, parameters: Parameters) -> Response:
    """RFC 6749 §4.1.2, §3.1.2: the URI keeps the query it was registered with, byte by byte.

    303, because a 307 would repeat a POST with a password to the client (RFC 9700 §4.12).
    """
    joint = "&" if "?" in redirect_uri else "?"
    return redirect(f"{redirect_uri}{joint}{urlencode(parameters)}", HTTPStatus.SEE_OTHER)


def _form_post(redirect_uri: str, parameters: Parameters) -> Response:
    """OAuth 2.0 Form Post Response Mode §2: a form that our own script submits; without scripts a person does.

    The page may send forms to that origin alone, and load nothing but our own files.
    """
    response = make_response(
        render_template("authorize/form_post.html", redirect_uri=redirect_uri, parameters=parameters)
    )
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"form-action {origin_of(redirect_uri)}; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


_WRITERS: dict[str, Callable[[str, Parameters], Response]] = {QUERY: _query, FORM_POST: _form_post}
"""Room for `fragment` and the jwt modes (JARM): a mode is a writer."""
