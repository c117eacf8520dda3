"""The device authorization endpoint (RFC 8628 §3.1): a device that has no browser asks; a person answers elsewhere.

What is asked passes the same checks as at the authorization endpoint, as far as it has to do with a device: there is
no redirect URI, no state, and the answer is fetched at the token endpoint.
"""

from http import HTTPStatus
from typing import Any

from flask import abort, request

from idp import limits
from idp.clients.registry import RegisteredClient
from idp.features import DEVICE_CODE, Feature
from idp.oidc import client_requests
from idp.oidc.authorize import check_delegation, checks
from idp.oidc.authorize.checks import Check
from idp.oidc.authorize.parse import RESOURCE, Parameters
from idp.oidc.authorize.trust import Case
from idp.oidc.blueprint import blueprint
from idp.oidc.client_auth import ALL_METHODS
from idp.oidc.client_endpoints import server
from idp.oidc.client_requests import Answer, for_clients
from idp.oidc.errors import InvalidRequestError, TemporarilyUnavailableError, UnauthorizedClientError
from idp.rules.documents.errors import DocumentRefused
from idp.sessions import device_codes
from idp.sessions.authorization_request import AuthorizationRequest
from idp.settings import settings
from idp.web import Access, access

CHECKS: tuple[Check, ...] = (
    checks.scope_allowed,
    checks.max_age_number,
    checks.hints,
    checks.subject_hinted,
    checks.authentication_context,
    checks.resources_of_client,
    check_delegation.acting_allowed,
    check_delegation.org_hint_wellformed,
    check_delegation.unit_delegation_allowed,
)


@blueprint.post("/oidc/device_authorization")
@access(Access.CLIENT)
@for_clients
def device_authorization() -> Answer:
    """RFC 8628 §3.1, §3.2."""
    if not settings().is_on(Feature.DEVICE):
        abort(HTTPStatus.NOT_FOUND)
    asked = client_requests.read(request)
    client = server.authenticate_client(asked, ALL_METHODS, "device_authorization")
    if DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClientError("The client may not use this grant_type")
    checked = _checked(client, asked.form)
    _count()
    begun = device_codes.begin(checked, request.remote_addr or "")
    where = f"{settings().issuer}/device"
    return client_requests.answer(
        HTTPStatus.OK,
        {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "verification_uri": where,
            "verification_uri_complete": f"{where}?user_code={begun.user_code}",
            "expires_in": settings().device_code_lifetime,
            "interval": device_codes.INTERVAL,
        },
    )


def _checked(client: RegisteredClient, form: dict[str, str]) -> AuthorizationRequest:
    """Return the checked request. Raises OAuth2Error.

    prompt=consent: the page that shows which device asks is always shown (RFC 8628 §5.4), however often it has been.
    """
    resources = tuple(value for name, value in form.items() if name == RESOURCE)
    case = Case(client, "", Parameters(form, resources=resources))
    fields: dict[str, Any] = {}
    for check in CHECKS:
        try:
            fields.update(check(case))
        except DocumentRefused as error:
            raise InvalidRequestError("org_hint is not a unified social credit code") from error
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri="",
        response_type="",
        response_mode="",
        prompt=("consent",),
        **fields,
    )


def _count() -> None:
    """Count what will be stored for minutes, by address. Raises TemporarilyUnavailableError."""
    try:
        limits.authorize()
    except limits.TooOften as error:
        raise TemporarilyUnavailableError(
            "Too many requests from this address", status_code=HTTPStatus.TOO_MANY_REQUESTS
        ) from error
