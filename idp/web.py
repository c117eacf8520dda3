"""What every page has: who is signed in, the browser's own id, security headers, access rules of routes.

Every route states who may call it with `@access(…)`; a test walks all routes and fails where one does not.
"""

import secrets
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.wrappers import Response as WerkzeugResponse

from idp.features import Feature
from idp.persons.model import AccountKind
from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.settings import settings
from idp.store.base import vault

P = ParamSpec("P")
R = TypeVar("R")


class Access(StrEnum):
    """Who may call a route."""

    ANYONE = "anyone"
    PERSON = "person"
    UNIT = "unit"
    SIGNED_IN = "signed_in"
    CLIENT = "client"  # authenticates itself inside: the endpoints of the protocol
    TOKEN = "token"  # noqa: S105 - carries an access token


_KINDS = {
    Access.PERSON: {AccountKind.PERSON},
    Access.UNIT: {AccountKind.UNIT},
    Access.SIGNED_IN: {AccountKind.PERSON, AccountKind.UNIT},
}


def access(who: Access) -> Callable[[Callable[P, R]], Callable[P, R | WerkzeugResponse]]:
    """State who may call a view. Without a session the caller is sent to sign in and then back (GET) or home."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | WerkzeugResponse]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | WerkzeugResponse:
            kinds = _KINDS.get(who)
            if kinds is None:
                return view(*args, **kwargs)
            found = signed_in()
            if found is None:
                back = request.full_path.rstrip("?") if request.method == "GET" else None
                tab = "unit" if who is Access.UNIT else None
                return redirect(url_for("sign_in.page", next=back, tab=tab))
            if found.kind not in kinds:
                abort(403)
            return view(*args, **kwargs)

        guarded.access = who  # type: ignore[attr-defined]
        return guarded

    return decorate


def session_cookie_name() -> str:
    """Return the name of the sign-in cookie; on https it is bound to this host (`__Host-`)."""
    return "__Host-jingban_session" if settings().https else "jingban_session"


def signed_in() -> SignedIn | None:
    """Return who is signed in in this browser, looked up once a request."""
    if "signed_in" not in g:
        token = request.cookies.get(session_cookie_name())
        g.signed_in = browser_sessions.find(token) if token else None
        g.session_over = token is not None and g.signed_in is None
    found: SignedIn | None = g.signed_in
    return found


def current() -> SignedIn:
    """Return who is signed in, on a route whose access rule demands it."""
    found = signed_in()
    if found is None:
        abort(401)
    return found


def set_session_cookie(response: WerkzeugResponse, token: str) -> None:
    """Hand the browser its new session."""
    response.set_cookie(
        session_cookie_name(),
        token,
        max_age=settings().session_absolute,
        secure=settings().https,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_session_cookie(response: WerkzeugResponse) -> None:
    """Take the session from the browser."""
    g.signed_in, g.session_over = None, True
    response.delete_cookie(session_cookie_name(), secure=settings().https, httponly=True, samesite="Lax", path="/")


def op_state_cookie_name() -> str:
    """Return the name of the cookie that scripts of check_session_iframe read."""
    return "__Host-jingban_op_state" if settings().https else "jingban_op_state"


def op_state(who: SignedIn) -> str:
    """Return the "OP User Agent state" of a sign-in (OpenID Connect Session Management 1.0 §4.2).

    It changes with every sign-in, tells nothing about who signed in, and opens nothing.
    """
    return vault().lookup("op_state", who.session_id)


def _keep_op_state(response: Response) -> Response:
    """Keep the cookie of the state in step with the session, wherever that was looked up.

    Readable by our own script in a frame of a portal, hence SameSite=None; that needs Secure, so on plain http (this
    machine) it is Lax. A request that brought no session cookie (a form of another site) says nothing.
    """
    if not settings().is_on(Feature.SESSION_MANAGEMENT):
        return response
    name, kept = op_state_cookie_name(), request.cookies.get(op_state_cookie_name())
    samesite = "None" if settings().https else "Lax"
    who: SignedIn | None = g.get("signed_in")
    if who is not None and kept != op_state(who):
        age = settings().session_absolute
        response.set_cookie(name, op_state(who), max_age=age, secure=settings().https, samesite=samesite, path="/")
    elif kept is not None and g.get("session_over", False):
        response.delete_cookie(name, secure=settings().https, samesite=samesite, path="/")
    return response


def browser_id() -> str:
    """Return the id of this browser, from the signed cookie; interactions, drafts and SMS codes are bound to it."""
    found = session.get("browser")
    if not isinstance(found, str):
        found = secrets.token_urlsafe(16)
        session["browser"] = found
        session.permanent = False
    return found


def has_browser_id() -> bool:
    """Whether this request brought the cookie: what another site posts comes without it (SameSite=Lax)."""
    return isinstance(session.get("browser"), str)


def allow_form_target(origin: str) -> None:
    """Let forms of this page lead to `origin`, a validated redirect URI's: CSP `form-action` covers redirects too."""
    g.form_targets = [*g.get("form_targets", []), origin]


def allow_frames(origins: Iterable[str]) -> None:
    """Let this page load frames from `origins`, and from nowhere else (CSP `frame-src`)."""
    g.frame_sources = sorted({*g.get("frame_sources", []), *origins})


def _security_headers(response: Response) -> Response:
    targets = " ".join(["'self'", *g.get("form_targets", [])])
    frames = " ".join(g.get("frame_sources", [])) or "'none'"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; frame-src {frames}; form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if settings().https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


class _BrowserCookie(SecureCookieSessionInterface):
    """Flask's signed cookie. What signs it is made once: making it costs more than signing."""

    def __init__(self) -> None:
        self._serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer


def init_app(app: Flask) -> None:
    """Attach the headers that every answer carries, and the cookie by which a browser is known."""
    app.session_interface = _BrowserCookie()
    app.after_request(_security_headers)
    app.after_request(_keep_op_state)
