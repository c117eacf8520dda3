"""The description of our JSON endpoints says what is: no more and no less than the application and its metadata."""

from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule

from idp.clients.metadata import ProtocolMetadata
from idp.features import GRANT_TYPES, Feature
from idp.oidc import discovery, errors, userinfo
from idp.oidc.authorize import checks
from idp.oidc.device_authorization import CHECKS as DEVICE_CHECKS
from idp.oidc.fast_paths import FastPaths
from idp.oidc.registration import endpoint as registration
from idp.oidc.registration.client_metadata import RESERVED, SELF_ASSERTED
from idp.oidc.token_endpoint import device_code
from idp.settings import Settings
from idp.web import Access
from tests.oidc.hostile import description
from tests.oidc.hostile.description import FORM, JSON, Operation
from tests.oidc.hostile.server import Running
from tests.support.processes import ROOT

DESCRIBED = description.operations()
SCHEMES = {
    Access.CLIENT: {"clientSecretBasic", "initialAccessToken", "registrationAccessToken"},
    Access.TOKEN: {"accessToken", "accessTokenOfKey"},
    Access.ANYONE: set(),
}
CLIENT = {"client_id", "client_secret", "client_assertion", "client_assertion_type"}


def as_described(rule: Rule) -> set[Operation]:
    """Return the operations of a route, its address written as OpenAPI does."""
    path = "".join(f"{{{part}}}" if is_argument else part for is_argument, part in rule._trace).removeprefix("|")
    return {Operation(method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def routes_in_json(app: Flask) -> dict[Operation, Access]:
    """Return what answers in JSON: what clients and APIs call, what is answered before Flask, and what says so."""
    found = {}
    for rule in app.url_map.iter_rules():
        access: Access = app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        for operation in as_described(rule):
            if access in {Access.CLIENT, Access.TOKEN} or (access is Access.ANYONE and is_json(app, operation)):
                found[operation] = access
    assert isinstance(app.wsgi_app, FastPaths)
    return found | {Operation("GET", path): Access.ANYONE for path in app.wsgi_app._answers}


def is_json(app: Flask, operation: Operation) -> bool:
    return operation.method == "GET" and app.test_client().get(operation.path).mimetype == JSON


def test_every_json_route_is_described_and_nothing_else(sqlite_app: Flask) -> None:
    assert set(routes_in_json(sqlite_app)) == set(DESCRIBED)


def test_who_may_call_is_described(sqlite_app: Flask) -> None:
    for operation, access in routes_in_json(sqlite_app).items():
        assert operation.schemes <= SCHEMES[access], operation
        assert bool(operation.schemes) == bool(SCHEMES[access]), operation


@pytest.mark.parametrize("operation", [each for each in DESCRIBED if each.schemes], ids=str)
def test_without_credentials_nobody_gets_in(running: Running, operation: Operation) -> None:
    path = operation.path.format(client_id=running.managed["client_id"])
    body = {FORM: b"grant_type=client_credentials&token=x&scope=openid", JSON: b"{}", None: b""}[operation.media_type]
    headers = {"Content-Type": operation.media_type} if operation.media_type else {}
    response = running.call(operation.method, path, data=body, headers=headers)
    assert response.status_code == 401
    operation.check(response.status_code, response.headers, response.content)


@pytest.mark.parametrize("operation", [each for each in DESCRIBED if not each.schemes], ids=str)
def test_what_is_public_is_answered(running: Running, operation: Operation) -> None:
    response = running.call(operation.method, operation.path)
    assert response.status_code == 200
    operation.check(response.status_code, response.headers, response.content)


@pytest.mark.parametrize("operation", [each for each in DESCRIBED if each.media_type], ids=str)
def test_another_content_type_is_refused(running: Running, operation: Operation) -> None:
    path = operation.path.format(client_id=running.managed["client_id"])
    scheme = f"Bearer {running.managed['registration_access_token']}"
    token = f"Bearer {running.initial_token}" if operation.method == "POST" else scheme
    headers = {"Authorization": token} if "register" in operation.path else {}
    for media_type in {FORM, JSON, "multipart/form-data; boundary=x", "text/plain", ""} - {operation.media_type}:
        options = {"data": b"client_id=portal", "headers": headers | {"Content-Type": media_type}}
        response = running.call(operation.method, path, **options)
        assert response.status_code in {400, 401}, (media_type, response.text)
        operation.check(response.status_code, response.headers, response.content)


def test_other_methods_are_refused(sqlite_app: Flask) -> None:
    for path in {each.path for each in DESCRIBED}:
        known = {each.method for each in DESCRIBED if each.path == path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
            response = sqlite_app.test_client().open(path.format(client_id="x"), method=method)
            assert response.status_code == 405, f"{method} {path}"
            assert set(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == known


def test_every_endpoint_of_the_metadata_that_answers_in_json_is_described() -> None:
    pages = {"authorization_endpoint", "end_session_endpoint", "check_session_iframe", "op_policy_uri", "op_tos_uri"}
    metadata = discovery.metadata(Settings())
    named = {name for name in metadata if name.endswith(("_endpoint", "_uri", "_iframe"))}
    paths = {urlsplit(metadata[name]).path for name in named - pages}
    assert paths <= {each.path for each in DESCRIBED}
    assert not {urlsplit(metadata[name]).path for name in pages} & {each.path for each in DESCRIBED}


def test_the_metadata_is_described_member_by_member() -> None:
    everything = discovery.metadata(Settings())
    least = discovery.metadata(Settings(features_off=frozenset(Feature)))
    described = _schema("Metadata")
    assert set(described["properties"]) == set(everything)
    assert set(described["required"]) == set(least)


def test_grant_types_and_methods_are_those_of_the_metadata() -> None:
    metadata = discovery.metadata(Settings())
    assert set(description.grant_types()) == set(GRANT_TYPES) == set(metadata["grant_types_supported"])
    assert description.enumerated("ClientMetadata", "grant_types") == set(GRANT_TYPES)
    methods = set(metadata["token_endpoint_auth_methods_supported"])
    assert description.enumerated("ClientMetadata", "token_endpoint_auth_method") == methods
    algorithms = set(metadata["id_token_signing_alg_values_supported"])
    assert description.enumerated("ClientMetadata", "id_token_signed_response_alg") == algorithms


def test_client_metadata_is_described_name_by_name(running: Running) -> None:
    """What a client may say; and what it is told, which the schema holds against each answer."""
    by_columns = {"client_name", "client_uri", "redirect_uris", "post_logout_redirect_uris", "grant_types", "scope"}
    by_columns |= {"backchannel_logout_uri", "initiate_login_uri", "response_types", "token_endpoint_auth_method"}
    names = set(_schema("ClientMetadata")["properties"])
    assert names == SELF_ASSERTED | by_columns | {"id_token_signed_response_alg"}
    assert set(ProtocolMetadata.model_fields) - names == RESERVED


@pytest.mark.parametrize("path", ["/oidc/par", "/oidc/device_authorization"])
def test_requests_are_described_parameter_by_parameter(path: str) -> None:
    """As many as the checks read; one that they do not know would be ignored."""
    read = {*checks.KNOWN, "resource"}
    if path == "/oidc/device_authorization":
        assert len(DEVICE_CHECKS) == 9, "a check came or went: look at what it reads"
        read = {"scope", "max_age", "login_hint", "ui_locales", "id_token_hint", "claims", "acr_values", "resource"}
        read |= {"authorization_details", "org_hint"}
    assert set(Operation("POST", path).members()) == read | CLIENT


def test_every_error_is_described() -> None:
    """All that can be said in JSON; what only the authorization endpoint says is not."""
    only_to_browsers = {"login_required", "interaction_required", "consent_required", "account_selection_required"}
    only_to_browsers |= {"invalid_request_uri", "request_uri_not_supported"}
    modules = (errors, userinfo, registration, device_code)
    classes = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    known = {each.error for each in classes if issubclass(each, errors.OAuth2Error) and each.error}
    assert description.enumerated("Error", "error") == known - only_to_browsers


def test_readers_find_it() -> None:
    assert description.document()["info"]["version"] == version("jingban")
    assert "(openapi.yaml)" in (ROOT / "docs/integrate/README.md").read_text()


def _schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = description.document()["components"]["schemas"][name]
    return found
