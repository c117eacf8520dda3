"""One good request for each operation, and for each grant type: what is attacked is one parameter of it at a time.

Without a good request around it a hostile value would be refused at the door, and nothing behind it tried.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt

from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN
from tests.oidc import client_jwt
from tests.oidc.authorize.browser import request_parameters
from tests.oidc.hostile import description
from tests.oidc.hostile.description import FORM, Operation
from tests.oidc.hostile.server import APPROVER, CALLBACK, Running
from tests.oidc.portal import VERIFIER, basic
from tests.oidc.registration.registrar import bearer

TOKEN = Operation("POST", "/oidc/token")
Form = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """A parameter of an operation, and the grant type that it belongs to at the token endpoint."""

    operation: Operation
    name: str
    grant_type: str | None = None

    def __str__(self) -> str:
        return f"{self.operation} {self.grant_type or ''} {self.name}"


def attacks(media_type: str) -> list[Attack]:
    """Return every parameter of every operation that takes bodies of this type, as the description names them."""
    found = [
        Attack(operation, name)
        for operation in description.operations()
        if operation.media_type == media_type and operation != TOKEN
        for name in operation.members()
    ]
    if media_type == FORM:
        found += [
            Attack(TOKEN, name, kind) for kind, names in description.grant_types().items() for name in sorted(names)
        ]
        found += [Attack(TOKEN, name, "client_credentials") for name in sorted(description.members("ClientInForm"))]
    return found


def headers(running: Running, operation: Operation) -> dict[str, str]:
    """Return the credentials for an operation."""
    if "clientSecretBasic" in operation.schemes:
        return {"Authorization": basic("portal", str(running.portal.secret))}
    if "initialAccessToken" in operation.schemes:
        return bearer(running.initial_token)
    if "registrationAccessToken" in operation.schemes:
        return bearer(running.managed["registration_access_token"])
    return {}


def path(running: Running, operation: Operation) -> str:
    """Return the address of an operation."""
    return operation.path.format(client_id=running.managed["client_id"])


def good(running: Running, operation: Operation, grant_type: str | None = None) -> Form:
    """Return a body that is right."""
    if operation == TOKEN:
        return {"grant_type": grant_type} | GRANTS[grant_type or "client_credentials"](running)
    return BODIES[str(operation)](running)


def _code(running: Running) -> Form:
    return {"code": running.code(running.granted()), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


def _refresh(running: Running) -> Form:
    form = {"grant_type": "authorization_code", **_code(running)}
    response = running.call("POST", "/oidc/token", data=form, headers=headers(running, TOKEN))
    return {"refresh_token": response.json()["refresh_token"]}


def _device_code(running: Running) -> Form:
    operation = Operation("POST", "/oidc/device_authorization")
    form = good(running, operation)
    response = running.call("POST", operation.path, data=form, headers=headers(running, operation))
    return {"device_code": response.json()["device_code"]}


def _exchange(running: Running) -> Form:
    return {"subject_token": running.access_token, "subject_token_type": ACCESS_TOKEN}


def _assertion(running: Running) -> Form:
    with running.app.app_context():
        return {"assertion": client_jwt.assertion("portal")}


GRANTS: dict[str, Callable[[Running], Form]] = {
    "authorization_code": _code,
    "refresh_token": _refresh,
    "client_credentials": lambda _: {},
    "urn:ietf:params:oauth:grant-type:device_code": _device_code,
    "urn:ietf:params:oauth:grant-type:token-exchange": _exchange,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _assertion,
}


def _metadata(_: Running) -> Form:
    statement = jwt.encode({"alg": "ES256", "kid": "approver"}, {"iss": "https://approver.example"}, APPROVER)
    return {"redirect_uris": ["https://client.example/callback"], "software_statement": statement}


BODIES: dict[str, Callable[[Running], Form]] = {
    "POST /oidc/introspect": lambda running: {"token": running.access_token},
    "POST /oidc/revoke": lambda _: {"token": secrets.token_urlsafe()},
    "POST /oidc/userinfo": lambda running: {"access_token": running.access_token},
    "POST /oidc/par": lambda _: request_parameters(client_id="portal"),
    "POST /oidc/device_authorization": lambda _: {"scope": "openid", "client_id": "portal"},
    "POST /oidc/register": _metadata,
    "PUT /oidc/register/{client_id}": lambda running: _metadata(running) | {"client_id": running.managed["client_id"]},
}
