"""The whole portal on one page."""

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from relying_parties.recruitment import access, api, center, database, jobs, login, look, problems, public
from relying_parties.recruitment.keys import Keys
from relying_parties.recruitment.provider import Provider
from relying_parties.recruitment.settings import Settings

MAX_BODY_BYTES = 128 * 1024
FORM_COOKIE = "recruitment_form"
FORM_SECONDS = 12 * 3600


def create_app(settings: Settings) -> Flask:
    """Build the portal. Raises OSError or ValueError for a key file, sqlite3.Error for a database that cannot be."""
    app = Flask(__name__, static_folder=None)
    keys = Keys.load(settings.key_file)
    app.config.update(
        SETTINGS=settings,
        HTTPS=settings.https,
        SECRET_KEY=keys.cookie_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        SESSION_COOKIE_NAME=f"__Host-{FORM_COOKIE}" if settings.https else FORM_COOKIE,
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=FORM_SECONDS,
        WTF_CSRF_SSL_STRICT=False,  # our Referrer-Policy leaves no referrer to compare
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Chinese stays readable
    app.extensions["recruitment_keys"] = keys
    app.extensions["recruitment_provider"] = Provider(app, settings)
    database.init_app(app, settings.database)
    csrf = CSRFProtect(app)
    for blueprint in (public.pages, login.pages, center.pages, jobs.pages):
        app.register_blueprint(blueprint)
    for blueprint in (login.backchannel, login.third_party, api.blueprint):
        app.register_blueprint(blueprint)
        csrf.exempt(blueprint)  # no cookie decides there
    app.add_url_rule("/health", "health", _health)
    for part in (look, access, problems):
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
