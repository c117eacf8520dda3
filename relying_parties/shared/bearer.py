"""What every API of a portal does with access tokens and errors (RFC 6750), in JSON."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from relying_parties.shared.provider import ProviderDown, ProviderRefused

RETRY_SECONDS = "5"


class Unauthorized(Exception):
    """A request whose token does not do (RFC 6750 §3): status, error code and description; no code, no token."""

    def __init__(self, status: int, error: str = "", description: str = "", **parameters: str) -> None:
        super().__init__(error)
        self.status = status
        self.parameters = {"error": error, "error_description": description, **parameters} if error else {}


def token() -> str:
    """Return the token of the Authorization header, the only place where we take one (§2.1). Raises Unauthorized."""
    header = request.headers.get("Authorization", "")
    scheme, _, found = header.partition(" ")
    if scheme.lower() != "bearer" or not found.strip():
        raise Unauthorized(401)
    return found.strip()


def install(blueprint: Blueprint, *, realm: str) -> None:
    """Let an API answer errors in JSON, and say with a challenge for `realm` what is wrong with a token."""

    def unauthorized(refusal: Unauthorized) -> ResponseReturnValue:
        response = jsonify(refusal.parameters or {"error": "unauthorized"})
        said = "".join(f', {name}="{value}"' for name, value in refusal.parameters.items())
        response.headers["WWW-Authenticate"] = f'Bearer realm="{realm}"{said}'
        return response, refusal.status

    blueprint.register_error_handler(Unauthorized, unauthorized)
    blueprint.register_error_handler(ProviderDown, _provider_problem)
    blueprint.register_error_handler(ProviderRefused, _provider_problem)
    blueprint.register_error_handler(HTTPException, _http_error)


def _provider_problem(_error: Exception) -> ResponseReturnValue:
    response = jsonify(error="temporarily_unavailable", error_description="the provider cannot be asked")
    response.headers["Retry-After"] = RETRY_SECONDS
    return response, 503


def _http_error(error: HTTPException) -> ResponseReturnValue:
    return jsonify(error=error.name.lower().replace(" ", "_")), error.code or 500
