"""A portal put together: what all of them have in common, on one page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from relying_parties.shared import browsers, database, leaving, look, problems
from relying_parties.shared.identities import Identity
from relying_parties.shared.keys import Keys
from relying_parties.shared.provider import Provider
from relying_parties.shared.settings import Settings

MAX_BODY_BYTES = 128 * 1024
FORM_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Site:
    """What the frame says of a portal. `switches` stand in the menu of identities: (endpoint, icon, label)."""

    name: str
    latin: str
    notes: tuple[str, ...]
    switches: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a portal brings: its short name, tables, pages, endpoints that no cookie decides about, and styles.

    `identity_url` leads to the page of an identity. `unaffected` says what can be done while the provider is away.
    A portal has the endpoints `public.home` and `login.choose`, to which shared pages lead.
    """

    name: str
    site: Site
    tables: str
    pages: Iterable[Blueprint]
    endpoints: Iterable[Blueprint]
    identity_url: Callable[[Identity], str]
    styles: tuple[str, ...] = ()
    unaffected: tuple[str, ...] = ()


def assemble(import_name: str, settings: Settings, parts: Parts) -> Flask:
    """Build a portal. Raises OSError or ValueError for a key file, sqlite3.Error for a database that cannot be."""
    app = Flask(import_name, static_folder=None)
    keys = Keys.load(settings.key_file, parts.name)
    host = "__Host-" if settings.https else ""
    app.config.update(
        SETTINGS=settings,
        HTTPS=settings.https,
        SECRET_KEY=keys.cookie_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        BROWSER_COOKIE=f"{host}{parts.name}_portal",
        UNAFFECTED=parts.unaffected,
        SESSION_COOKIE_NAME=f"{host}{parts.name}_form",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=FORM_SECONDS,
        WTF_CSRF_SSL_STRICT=False,  # our Referrer-Policy leaves no referrer to compare
    )
    look.init_app(app, *parts.styles)
    app.jinja_env.globals.update(site=parts.site, identity_url=parts.identity_url)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Chinese stays readable
    app.extensions["portal_keys"] = keys
    app.extensions["portal_provider"] = Provider(app, settings)
    database.init_app(app, settings.database, parts.tables)
    csrf = CSRFProtect(app)
    for blueprint in (*parts.pages, leaving.pages):
        app.register_blueprint(blueprint)
    for blueprint in (*parts.endpoints, leaving.backchannel):
        app.register_blueprint(blueprint)
        csrf.exempt(blueprint)  # no cookie decides there
    app.add_url_rule("/health", "health", _health)
    for part in (browsers, problems):
        part.init_app(app)
    app.after_request(lambda response: _headers(settings, response))
    return app


def _health() -> ResponseReturnValue:
    """Tell that the portal runs; the provider is not asked."""
    return jsonify(status="ok")


def _headers(settings: Settings, response: Response) -> Response:
    # Logging out leads from a form of ours to the provider, and CSP's form-action covers redirects.
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"form-action 'self' {settings.issuer_origin}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if settings.https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "asset_file":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
