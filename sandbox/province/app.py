"""The whole stand-in: both protocols, the pages, and what operators and tests may do.

GET /   the accounts, for people who try the demo
PUT /persons/{useridcode}, PUT /legal-entities/{useridcode}, PUT /clients/{client_id}   one object of the seed
GET /faults, POST /faults {mode, seconds?}   besides the modes of every stand-in (sandbox/faults.py):

wrong_signature   another key signs the ID token                foreign_audience  the ID token is for another client
unknown_level     the level is L9                               wrong_nonce       the ID token has another nonce
no_level          no level is stated                            expired_token     ID and access tokens have expired
account_disabled  the account was disabled after the sign-in

Seed: {"clients": [{client_id, name?, redirect_prefixes}], "persons": [{useridcode, login, password, name,
document_type?, document_number, phone?, level?, level_way?, level_at?, disabled?}], "legal_entities": [{useridcode,
login, password, name, uscc | org_code, phone?, level?, level_way?, level_at?, disabled?, legal_representative?:
{name, document_type?, document_number?, phone?}, contact?: the same}]}; every part may be left out.
"""

from datetime import datetime, timedelta, timezone
from typing import cast

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from sandbox import pages, web
from sandbox.faults import Faults, View
from sandbox.province import oidc, scan, sso, upgrade
from sandbox.province.accounts import Account
from sandbox.province.clients import Client
from sandbox.province.province import OWN_FAULTS, Profile, Province, province

PROVINCE = Profile("province", "省统一身份认证", "粤省事", ("person", "legal"))
SOCIAL_CARD = Profile("social-card", "电子社保卡", "电子社保卡", ("person",))
BLUEPRINTS = (sso.blueprint, oidc.blueprint, scan.blueprint, upgrade.blueprint)
BEIJING = timezone(timedelta(hours=8))
OURS = ("oidc.rotate_keys",)
"""What is no part of the system stood in for, and works in every error mode."""


def create_app(api_key: str, seed: object = None) -> Flask:
    """Return the province's stand-in; `api_key` is every client's secret. Raises web.Invalid for a wrong seed."""
    return _create(PROVINCE, api_key, seed)


def create_social_card(api_key: str, seed: object = None) -> Flask:
    """Return the same as 电子社保卡, which knows persons only. Raises web.Invalid for a wrong seed."""
    return _create(SOCIAL_CARD, api_key, seed)


def _create(profile: Profile, api_key: str, seed: object) -> Flask:
    faults = Faults(refusal="query_not_permitted", own=OWN_FAULTS)
    here = Province(profile, api_key, faults)
    _fill(here, {} if seed is None else web.as_object(seed, f"{profile.name}-data"))
    app = web.new_app("sandbox.province", faults)
    app.extensions["province"] = here
    pages.install(app, profile.name, profile.title)
    app.add_template_filter(upgrade.level_name, "level_name")
    app.add_template_filter(_clock_time, "clock_time")
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _let_faults_strike(app, faults)
    app.add_url_rule("/", view_func=show_accounts)
    app.add_url_rule("/persons/<useridcode>", view_func=put_person, methods=["PUT"])
    app.add_url_rule("/legal-entities/<useridcode>", view_func=put_legal_entity, methods=["PUT"])
    app.add_url_rule("/clients/<client_id>", view_func=put_client, methods=["PUT"])
    return app


def _let_faults_strike(app: Flask, faults: Faults) -> None:
    struck = {blueprint.name for blueprint in BLUEPRINTS}
    for endpoint, view in app.view_functions.items():
        if endpoint.partition(".")[0] in struck and endpoint not in OURS:
            app.view_functions[endpoint] = faults.strike(cast("View", view))


def _fill(here: Province, seed: dict[str, object]) -> None:
    for client in web.as_list(seed.get("clients", []), "clients"):
        here.clients.put(Client.from_json(web.as_object(client, "clients")))
    for person in web.as_list(seed.get("persons", []), "persons"):
        here.accounts.put(Account.person(web.as_object(person, "persons")))
    legal_entities = web.as_list(seed.get("legal_entities", []), "legal_entities")
    if legal_entities and "legal" not in here.profile.kinds:
        raise web.Invalid("legal_entities")
    for legal in legal_entities:
        here.accounts.put(Account.legal(web.as_object(legal, "legal_entities")))


def _clock_time(at: datetime) -> str:
    """Return `at` as a clock on a wall in China shows it."""
    return at.astimezone(BEIJING).strftime("%m-%d %H:%M:%S")


def show_accounts() -> ResponseReturnValue:
    """Show every account with its password. All are fictional, and this is what a visitor needs to know."""
    return pages.page("index.html", accounts=province().accounts.all())


def put_person(useridcode: str) -> ResponseReturnValue:
    """Enter a person's account, or change it; the address says whose."""
    account = Account.person(_named("useridcode", useridcode))
    return jsonify(useridcode=useridcode), 201 if province().accounts.put(account) else 200


def put_legal_entity(useridcode: str) -> ResponseReturnValue:
    """Enter a legal entity's account, or change it; the address says whose."""
    if "legal" not in province().profile.kinds:
        raise web.Invalid("legal_entities")
    account = Account.legal(_named("useridcode", useridcode))
    return jsonify(useridcode=useridcode), 201 if province().accounts.put(account) else 200


def put_client(client_id: str) -> ResponseReturnValue:
    """Register a client, or change it; the address says which."""
    client = Client.from_json(_named("client_id", client_id))
    return jsonify(client_id=client_id), 201 if province().clients.put(client) else 200


def _named(field: str, value: str) -> dict[str, object]:
    """Return the request's object; its id may be left out, or be the address's. Raises web.Invalid."""
    body = web.json_object()
    if body.setdefault(field, value) != value:
        raise web.Invalid(field)
    return body
