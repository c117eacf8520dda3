"""The registration endpoint and the configuration endpoint of each client (RFC 7591 §3, RFC 7592 §2).

A request registers with an initial access token, or without where a setting opens registration; the token's policy
bounds what comes of it. Every client that registers itself asks persons for their consent.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec

from flask import abort, request

from idp import ids, limits
from idp.clients import combinations, self_registration
from idp.clients.description import NewClient
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.clients.registration_policy import RegistrationPolicy
from idp.clients.self_registration import Managed, Registered, TokenRefused
from idp.features import Feature
from idp.oidc import client_requests, sector_identifier, strict_json
from idp.oidc.blueprint import blueprint
from idp.oidc.client_requests import Answer, answer, for_clients
from idp.oidc.errors import (
    InvalidClientMetadataError,
    InvalidRedirectUriError,
    InvalidRequestError,
    OAuth2Error,
    TemporarilyUnavailableError,
)
from idp.oidc.registration import client_metadata, software_statement
from idp.oidc.strict_json import JsonRefused
from idp.sessions import client_removal
from idp.settings import settings
from idp.store.db import release
from idp.web import Access, access

PREFIX = "c_"
RESPONSE_ONLY = (
    *("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"),
)
"""RFC 7592 §2.2: members of an answer that an update MUST NOT repeat."""

P = ParamSpec("P")


class RegistrationTokenRefused(OAuth2Error):
    """RFC 7591 §3.2.2, RFC 7592 §2: as RFC 6750 §3 has it, whatever is wrong with the token."""

    error = "invalid_token"
    description = "A valid registration token is needed"
    status_code = HTTPStatus.UNAUTHORIZED

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the `WWW-Authenticate` challenge."""
        return [("WWW-Authenticate", f'Bearer error="{self.error}", error_description="{self.description}"')]


def for_registration(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Answer 404 where registration is off, and what use cases refuse as errors of RFC 7591 §3.2.2."""

    @wraps(view)
    @for_clients
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
        if not settings().is_on(Feature.REGISTRATION):
            abort(HTTPStatus.NOT_FOUND)
        try:
            return view(*args, **kwargs)
        except TokenRefused as error:
            raise RegistrationTokenRefused from error
        except ClientMetadataInvalid as error:
            raise _refused(error.facts["what"]) from error
        except limits.TooOften as error:
            raise TemporarilyUnavailableError("Too many registrations", status_code=429) from error

    return guarded


@blueprint.post("/oidc/register")
@access(Access.CLIENT)
@for_registration
def register() -> Answer:
    """RFC 7591 §3.1."""
    initial_token = _bearer()
    policy = _policy(initial_token)
    described = NewClient(ids.new_id(PREFIX), "", (), **_decided_by(policy))
    client = _checked(client_metadata.read(software_statement.applied(_body()), described, policy), policy)
    _check_sector(client)
    return _told(self_registration.register(client, policy, initial_token), HTTPStatus.CREATED)


@blueprint.get("/oidc/register/<client_id>")
@access(Access.CLIENT)
@for_registration
def read_client(client_id: str) -> Answer:
    """RFC 7592 §2.1. The secret is not told again: only its hash is kept."""
    token = _needed_bearer()
    return _told(Registered(self_registration.find(client_id, token), None, token))


@blueprint.put("/oidc/register/<client_id>")
@access(Access.CLIENT)
@for_registration
def update_client(client_id: str) -> Answer:
    """RFC 7592 §2.2: the whole description anew; of many at the same moment the last stands, whole."""
    token = _needed_bearer()
    seen = self_registration.find(client_id, token)
    body = _body()
    if body.get("client_id") != client_id or any(name in body for name in RESPONSE_ONLY):
        raise InvalidRequestError("client_id must be repeated, and nothing of the registration response but it")
    secret = body.get("client_secret")
    if not isinstance(secret, str | None):
        raise ClientMetadataInvalid(what="client_secret")
    said = software_statement.applied(body)

    def described(stands: Managed) -> NewClient:
        return _checked(client_metadata.read(said, stands.client, stands.policy), stands.policy)

    _check_sector(described(seen))  # clients alone decide about it: what stands then changes nothing
    return _told(self_registration.replace(client_id, token, described, secret=secret))


@blueprint.delete("/oidc/register/<client_id>")
@access(Access.CLIENT)
@for_registration
def delete_client(client_id: str) -> Answer:
    """RFC 7592 §2.3."""
    client_removal.remove(client_id, _needed_bearer())
    return answer(HTTPStatus.NO_CONTENT, None)


def _policy(initial_token: str | None) -> RegistrationPolicy:
    """Return what may be registered; without a token nothing, unless a setting says otherwise. Raises TokenRefused."""
    if initial_token is not None:
        return self_registration.policy_of(initial_token)
    if not settings().registration_open:
        raise TokenRefused
    limits.registration()
    return RegistrationPolicy()


def _decided_by(policy: RegistrationPolicy) -> dict[str, Any]:
    """Return what no client decides for itself."""
    return {
        "acts_for": policy.acts_for,
        "resource": policy.resource,
        "consent_required": True,
        "protocol": ProtocolMetadata(require_pkce=policy.require_pkce),
    }


def _checked(client: NewClient, policy: RegistrationPolicy) -> NewClient:
    """Return `client` when all of it may be registered. Raises ClientMetadataInvalid."""
    combinations.check(client)
    policy.check(client)
    return client


def _check_sector(client: NewClient) -> None:
    """Fetch the document of the sector, if there is one; it may come slowly. Raises ClientMetadataInvalid."""
    release()
    sector_identifier.check(client)


def _told(registered: Registered, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """RFC 7591 §3.2.1, RFC 7592 §3: what was registered, and how to manage it."""
    client = registered.managed.client
    told = {
        **client_metadata.write(client),
        "client_id_issued_at": int(registered.managed.issued_at.timestamp()),
        "registration_access_token": registered.token,
        "registration_client_uri": f"{settings().issuer}/oidc/register/{client.client_id}",
    }
    if registered.secret is not None:
        told |= {"client_secret": registered.secret, "client_secret_expires_at": 0}
    return answer(status, told)


def _body() -> dict[str, Any]:
    """Return the JSON object that was sent (RFC 7591 §3.1). Raises OAuth2Error."""
    if request.mimetype != "application/json":
        raise InvalidRequestError("Content-Type must be application/json")
    try:
        body = strict_json.read(client_requests.body(request).decode())
    except (UnicodeDecodeError, JsonRefused) as error:
        raise InvalidClientMetadataError("The body is not JSON") from error
    if not isinstance(body, dict):
        raise InvalidClientMetadataError("The body is not a JSON object")
    return body


def _needed_bearer() -> str:
    token = _bearer()
    if token is None:
        raise TokenRefused
    return token


def _bearer() -> str | None:
    """Return the token of the header (RFC 6750 §2.1), None where there is no header. Raises TokenRefused."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip().isascii():
        raise TokenRefused
    return token.strip()


def _refused(what: str) -> OAuth2Error:
    """Return the error for metadata `what` (RFC 7591 §3.2.2)."""
    if what == "redirect_uris":
        return InvalidRedirectUriError("redirect_uris is missing, or holds one that is not allowed")
    return InvalidClientMetadataError(f"{what or 'The metadata'} is missing, malformed, unsupported or not allowed")
