"""The device grant (RFC 8628 §3.4, §3.5): the device asks again and again until the person has decided.

A device code pays out once. One that is presented again was stolen or its device is broken: as with authorization
codes, everything that it brought ends with it.
"""

from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc8628 import AuthorizationPendingError, ExpiredTokenError, SlowDownError

from idp import clock, ids
from idp.clients.registry import RegisteredClient
from idp.features import DEVICE_CODE
from idp.oidc import dpop, grants
from idp.oidc.client_auth import ALL_METHODS
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import (
    AccessDeniedError,
    InvalidAuthorizationDetailsError,
    InvalidTargetError,
    UnauthorizedClientError,
)
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.token_endpoint import terms
from idp.oidc.token_endpoint.issue import issue
from idp.oidc.token_endpoint.outcome import Refused, end_grant, invalid_grant, tell_portal
from idp.sessions import device_codes
from idp.store import hot


class DeviceCodeGrant(BaseGrant, TokenEndpointMixin):
    """`grant_type=urn:ietf:params:oauth:grant-type:device_code`, as Authlib's dispatch wants it."""

    GRANT_TYPE = DEVICE_CODE
    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS

    request: ClientRequest

    def validate_token_request(self) -> None:
        """Authenticate the client and read what it presents. Raises OAuth2Error."""
        client: Any = self.authenticate_token_endpoint_client()
        if DEVICE_CODE not in client.grant_types:
            raise UnauthorizedClientError("The client may not use this grant_type")
        self.request.client = client
        self._proof = dpop.at_token_endpoint(self.request, client)
        self._device_hash = ids.fingerprint(self.request.required("device_code"))

    def create_token_response(self) -> Any:
        """Redeem the code, or count the poll, in one transaction. Raises OAuth2Error."""
        client: Any = self.request.client
        with hot.transaction() as on:
            outcome = _redeem(on, client, self._device_hash, self.request.form, self._proof.jkt)
        if isinstance(outcome, Refused):
            tell_portal(outcome)
            raise outcome.error
        return HTTPStatus.OK, outcome, self._proof.headers


def _redeem(
    on: hot.Executor, client: RegisteredClient, device_hash: str, form: dict[str, str], jkt: str | None
) -> dict[str, Any] | Refused:
    now = clock.millis()
    place = {"device_hash": device_hash, "client_id": client.client_id}
    claimed = on.one(device_codes.CLAIM, **place, now=now)
    if claimed is None:
        return _not_claimed(on, place, now)
    found = grants.find(on, claimed[0])
    if found is None:
        return invalid_grant()
    grant, _ = found
    try:
        asked = terms.of_code(grant, client, form, jkt)
        acting = grants.standing(on, grant, client)
    except (InvalidTargetError, InvalidAuthorizationDetailsError) as error:
        return Refused(error)
    except GrantLost as lost:
        return end_grant(on, grant, action="grant.lost", why=lost.reason, now=now)
    return issue(on, grant, client, acting, asked, grant_type=DEVICE_CODE)


def _not_claimed(on: hot.Executor, place: dict[str, Any], now: int) -> Refused:
    """Say why there are no tokens (RFC 8628 §3.5)."""
    jitter = device_codes.JITTER_MS
    polled = on.one(device_codes.POLL, **place, now=now, jitter=jitter, slower_by=device_codes.SLOWER_BY)
    if polled is not None:
        return Refused(SlowDownError() if polled[0] else AuthorizationPendingError())
    found = on.one(device_codes.FIND, **place)
    if found is None:
        return invalid_grant()
    authorization_id, used_at, refused_at = found
    if used_at is not None:
        return _replayed(on, authorization_id, now)
    return Refused(AccessDeniedError() if refused_at is not None else ExpiredTokenError())


def _replayed(on: hot.Executor, authorization_id: str, now: int) -> Refused:
    found = grants.find(on, authorization_id)
    if found is None:
        return invalid_grant()
    grant: Grant = found[0]
    return end_grant(on, grant, action="device_code.replayed", why="device_code_replayed", now=now)
