"""The whole wiring on one page."""

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from idp import paths, web
from idp.settings import Settings
from idp.store import vault
from idp.store.db import db


def create_app(settings: Settings) -> Flask:
    """Return the provider as a WSGI application. Raises KeyFileError when the key file cannot be used."""
    app = Flask("idp", template_folder=str(paths.templates()), static_folder=str(paths.static()))
    opened = vault.load(settings.key_file)
    app.config.update(
        SECRET_KEY=opened.cookie_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SESSION_COOKIE_NAME="__Host-jingban_browser" if settings.https else "jingban_browser",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the browser cookie
    )
    app.extensions["jingban.settings"] = settings
    app.extensions["jingban.vault"] = opened
    db.init_app(app)
    Migrate(app, db, directory=str(paths.migrations()))
    web.init_app(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
