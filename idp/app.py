"""The whole wiring on one page."""

from flask import Blueprint, Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from idp import error_pages, health, i18n, jobs, limits, logs, look, paths, templating, web
from idp.factors.certificates import trust
from idp.flows import (
    account,
    agreements,
    ask_for_grant,
    certificates,
    choose_unit,
    consent,
    device,
    devices,
    federation,
    first_login,
    first_unit,
    frame,
    grants,
    home,
    legal_representative,
    parent_accounts,
    raise_level,
    regions,
    register_person,
    register_unit,
    scan,
    security,
    sign_in,
    sign_in_certificate,
    sign_in_passkey,
    sign_in_scan,
    sign_in_sms,
    sign_out,
    step_up,
    sub_accounts,
    unionpay,
    unit_account,
    unit_security,
    unit_verification,
    upstream_links,
)
from idp.flows import help as help_pages
from idp.gateways import Gateways, build_gateways, fetch
from idp.gateways.province import build_upstreams
from idp.oidc import endpoints, fast_paths, request_body
from idp.oidc.registration import software_statement
from idp.settings import Settings
from idp.store import db as database
from idp.store import vault

BLUEPRINTS: tuple[Blueprint, ...] = (
    endpoints.blueprint,
    health.blueprint,
    account.blueprint,
    agreements.blueprint,
    ask_for_grant.blueprint,
    certificates.blueprint,
    choose_unit.blueprint,
    consent.blueprint,
    device.blueprint,
    devices.blueprint,
    federation.blueprint,
    first_login.blueprint,
    first_unit.blueprint,
    grants.blueprint,
    help_pages.blueprint,
    home.blueprint,
    legal_representative.blueprint,
    parent_accounts.blueprint,
    raise_level.blueprint,
    regions.blueprint,
    register_person.blueprint,
    register_unit.blueprint,
    scan.blueprint,
    security.blueprint,
    sign_in.blueprint,
    sign_in_certificate.blueprint,
    sign_in_passkey.blueprint,
    sign_in_scan.blueprint,
    sign_in_sms.blueprint,
    sign_out.blueprint,
    step_up.blueprint,
    sub_accounts.blueprint,
    unionpay.blueprint,
    unit_account.blueprint,
    unit_security.blueprint,
    unit_verification.blueprint,
    upstream_links.blueprint,
)


def create_app(settings: Settings) -> Flask:
    """Return the provider as a WSGI application.

    Raises KeyFileError when the key file cannot be used, SettingWrong for the file of another setting.
    """
    logs.configure(settings.log_level, settings.log_format)
    app = Flask("idp", template_folder=str(paths.templates()), static_folder=None)
    app.jinja_environment = templating.PageEnvironment  # type: ignore[assignment]  # the class that it extends
    opened = vault.load(settings.key_file)
    app.config.update(_config(settings), SECRET_KEY=opened.cookie_key)
    app.extensions["jingban.settings"] = settings
    app.extensions["jingban.vault"] = opened
    app.extensions["jingban.gateways"] = _gateways(settings)
    app.extensions["jingban.upstreams"] = build_upstreams(settings.upstreams)
    database.init_app(app)
    web.init_app(app)
    i18n.init_app(app)
    look.init_app(app)
    limits.init_app(app, settings)
    error_pages.init_app(app)
    frame.init_app(app)
    CSRFProtect(app).exempt(endpoints.blueprint)  # clients send no cookie; authorization requests come from elsewhere
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    software_statement.init_app(app, settings)
    fetch.init_app(app, settings)
    trust.init_app(app, settings)
    jobs.register_handlers()
    fast_paths.install(app, settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _config(settings: Settings) -> dict[str, object]:
    """Return what Flask and its extensions are told; one line each, with the reason where it is not plain."""
    return {
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},  # an error's text would carry personal data
        "SESSION_COOKIE_NAME": "__Host-jingban_browser" if settings.https else "jingban_browser",
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": request_body.LONGEST,
        "MAX_FORM_PARTS": 200,
        "WTF_CSRF_TIME_LIMIT": None,  # the token lives as long as the browser cookie
        "WTF_CSRF_SSL_STRICT": False,  # Referrer-Policy is no-referrer; the token alone proves the form is ours
        "WTF_I18N_ENABLED": False,  # every message of a form is our own
    }


def _gateways(settings: Settings) -> Gateways:
    return build_gateways(
        sms_url=settings.sms_url,
        sms_key=settings.sms_key.get_secret_value(),
        unionpay_url=settings.unionpay_url,
        unionpay_key=settings.unionpay_key.get_secret_value(),
        company_register_url=settings.company_register_url,
        company_register_key=settings.company_register_key.get_secret_value(),
        face_check_url=settings.face_check_url,
        face_check_key=settings.face_check_key.get_secret_value(),
    )
