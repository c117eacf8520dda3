"""What is answered in front of Flask (DESIGN 9).

Metadata and JWKS are bytes made once: every portal fetches them, often on every start of every process, and a Flask
request would cost ten times as much. The endpoints that clients and APIs call are Flask views too, but are called
without what Flask does around a page (routes, cookies, rate limits, CSRF, languages, page headers): it would double
their cost, and none of it is for them. Whatever must see every request stands in front of this, as WSGI middleware.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import structlog
from flask import Flask, Request, Response, g

from idp import clock
from idp.oidc.client_endpoints import answer_introspect, answer_revoke, answer_token
from idp.oidc.client_requests import Answer
from idp.oidc.discovery import metadata
from idp.oidc.request_body import Unread
from idp.oidc.userinfo import answer_userinfo
from idp.settings import Settings, at_hand
from idp.store import keyring

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENDPOINTS: dict[tuple[str, str], Callable[[Request], Answer]] = {
    ("POST", "/oidc/token"): answer_token,
    ("POST", "/oidc/introspect"): answer_introspect,
    ("POST", "/oidc/revoke"): answer_revoke,
    ("GET", "/oidc/userinfo"): answer_userinfo,
    ("POST", "/oidc/userinfo"): answer_userinfo,
}
"""What is called past Flask; any other method goes to Flask and is refused there."""

FOR_BROWSERS = frozenset({"/oidc/token", "/oidc/revoke", "/oidc/userinfo"})
"""What scripts of other origins may call (WHATWG Fetch, CORS): clients that run in a browser need these.

Any origin may, without credentials. No cookie, client certificate or saved password goes with such a call, so a page
gets nothing that it did not hold before: its code, its tokens. A list of origins would protect nobody, for whoever has
those can present them from elsewhere too.
"""

_ANYBODY = ("Access-Control-Allow-Origin", "*")
_CORS = (_ANYBODY, ("Access-Control-Expose-Headers", "DPoP-Nonce, WWW-Authenticate"))
_PREFLIGHT = (
    _ANYBODY,
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP"),
    ("Access-Control-Max-Age", "7200"),
    ("Content-Length", "0"),
)

MAX_AGE = 300
"""Seconds for which a client may keep its copy; the next signing key is published longer ahead than that."""

TRUST_MS = 1000

log = structlog.get_logger()


class FastPaths:
    """Answers the addresses that it knows, and hands everything else on."""

    def __init__(self, app: Flask, settings: Settings, behind: "WSGIApplication") -> None:
        self._behind = behind
        document = json.dumps(metadata(settings)).encode()
        jwks = _Jwks(app)
        self._answers: dict[str, Callable[[], bytes]] = {
            **{address: lambda: document for address in _metadata_addresses(settings.issuer)},
            "/oidc/jwks": jwks.current,
        }
        self._headers = _headers(settings)
        self._app = app
        self._settings = settings

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer as WSGI wants it (PEP 3333)."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if method == "OPTIONS" and (path in FOR_BROWSERS or path in self._answers):
            start_response(_status(HTTPStatus.NO_CONTENT), list(_PREFLIGHT))
            return []
        endpoint = ENDPOINTS.get((method, path))
        if endpoint is not None:
            response = self._call(endpoint, Unread(environ))
            if "HTTP_ORIGIN" in environ and path in FOR_BROWSERS:
                response.headers.extend(_CORS)
            return response(environ, start_response)
        answer = self._answers.get(path)
        if answer is None:
            return self._behind(environ, start_response)
        if method not in {"GET", "HEAD"}:
            start_response(_status(HTTPStatus.METHOD_NOT_ALLOWED), [("Allow", "GET, HEAD"), ("Content-Length", "0")])
            return []
        body = answer()
        start_response(_status(HTTPStatus.OK), [*self._headers, ("Content-Length", str(len(body)))])
        return [] if method == "HEAD" else [body]

    def _call(self, endpoint: Callable[[Request], Answer], asked: Request) -> Answer | Response:
        """Return the answer of an endpoint; what it did not foresee ends as it would in Flask, which logs it."""
        try:
            with at_hand(self._settings), self._app.app_context():
                g.caller_address = asked.remote_addr
                return endpoint(asked)
        except Exception as error:  # noqa: BLE001 - Flask's last resort
            with self._app.request_context(asked.environ):
                return self._app.handle_exception(error)


class _Jwks:
    """The JWKS of the key ring, asked for at most once a second."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._body = b""
        self._asked_at = 0

    def current(self) -> bytes:
        """Return the JWKS. While the database is away the last one stands: signatures can be checked without us."""
        now = clock.millis()
        if not 0 <= now - self._asked_at < TRUST_MS:
            try:
                with self._app.app_context():
                    self._body = keyring.jwks()
            except (psycopg.OperationalError, sqlite3.OperationalError):
                if not self._body:
                    raise
                log.exception("database.away")
            self._asked_at = now
        return self._body


def _metadata_addresses(issuer: str) -> tuple[str, ...]:
    """Return where the metadata stands.

    RFC 8414 §3.1 and §5: an issuer with a path has it behind the well-known part as well; where Discovery §4 puts it,
    behind the path, is the first of them for a proxy that forwards the path to us.
    """
    names = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
    path = urlsplit(issuer).path
    return names if not path else (*names, *(name + path for name in names))


def _status(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"


def _headers(settings: Settings) -> list[tuple[str, str]]:
    headers: dict[str, str] = {
        "Content-Type": "application/json",
        "Cache-Control": f"public, max-age={min(MAX_AGE, settings.key_publish_ahead)}",
        "Access-Control-Allow-Origin": "*",  # public documents; portals in the browser read them too
        "X-Content-Type-Options": "nosniff",
    }
    if settings.https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return list(headers.items())


def install(app: Flask, settings: Settings) -> None:
    """Put the fast paths in front of `app`."""
    in_front: Any = FastPaths(app, settings, app.wsgi_app)
    app.wsgi_app = in_front  # type: ignore[method-assign]
