"""`authorization_details` (RFC 9396): reading them, at the authorization endpoint and at the token endpoint alike.

One type is known, `unit_delegation` (DESIGN 4): what is to be done for which unit.
"""

import re
from datetime import UTC, datetime
from typing import Any

from idp.clients.combinations import UNIT_DELEGATION
from idp.clients.model import ActsFor
from idp.clients.registration import STANDARD_SCOPES
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting
from idp.oidc import strict_json
from idp.oidc.errors import InvalidAuthorizationDetailsError
from idp.oidc.grants import Grant
from idp.oidc.strict_json import JsonRefused
from idp.sessions.authorization_request import UnitDelegation

PARAMETER = "authorization_details"
TYPE = UNIT_DELEGATION
MEMBERS = frozenset({"type", "actions", "identifier", "representation_required"})

_UNIT_ID = re.compile(r"u_[A-Za-z0-9_-]{1,30}")


def may_use(client: RegisteredClient) -> bool:
    """Whether this client may ask for `unit_delegation` (RFC 9396 §10, `authorization_details_types`).

    A client whose users never act for a unit may not (DESIGN 4 `acts_for`); any other may, unless its registration
    lists types and this is not among them.
    """
    if client.acts_for is ActsFor.NEVER:
        return False
    registered = client.protocol.authorization_details_types
    return not registered or TYPE in registered


def read(text: str, client: RegisteredClient) -> UnitDelegation:
    """Return what the parameter asks for.

    Raises InvalidAuthorizationDetailsError (RFC 9396 §5) for unknown types, unknown fields, fields of the wrong type,
    and what the client may not have.
    """
    if not may_use(client):
        raise InvalidAuthorizationDetailsError("This client may not use authorization details")
    try:
        details = strict_json.read(text)
    except JsonRefused as error:
        raise InvalidAuthorizationDetailsError("authorization_details is not JSON") from error
    if not isinstance(details, list) or len(details) != 1:
        raise InvalidAuthorizationDetailsError("authorization_details is not an array of one object")
    return _unit_delegation(details[0], client)


def _unit_delegation(detail: Any, client: RegisteredClient) -> UnitDelegation:
    if not isinstance(detail, dict) or detail.get("type") != TYPE:
        raise InvalidAuthorizationDetailsError("The only known type is unit_delegation")
    if not MEMBERS.issuperset(detail):
        raise InvalidAuthorizationDetailsError("unit_delegation has an unknown field")
    actions, identifier = detail.get("actions", []), detail.get("identifier")
    required = detail.get("representation_required", False)
    if not isinstance(actions, list) or not isinstance(required, bool):
        raise InvalidAuthorizationDetailsError("unit_delegation has a field of the wrong type")
    if identifier is not None and not (isinstance(identifier, str) and _UNIT_ID.fullmatch(identifier)):
        raise InvalidAuthorizationDetailsError("identifier is not the id of a unit")
    businesses = [each for each in client.scopes if each not in STANDARD_SCOPES]
    if any(each not in businesses for each in actions):
        raise InvalidAuthorizationDetailsError("actions holds a business that this client may not ask for")
    return UnitDelegation(tuple(dict.fromkeys(actions)), identifier, required)


def granted(grant: Grant, acting: Acting, scope: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what `scope` lets be done for the grant's unit, and until when (RFC 3339, UTC): RFC 9396 §7, §9."""
    details: dict[str, Any] = {
        "type": TYPE,
        "identifier": grant.unit_id,
        "actions": [business for business in grant.businesses if business in scope],
    }
    if acting.valid_to is not None:
        details["valid_to"] = f"{datetime.fromtimestamp(acting.valid_to // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return [details]


def narrowed(grant: Grant, client: RegisteredClient, text: str, scope: tuple[str, ...]) -> tuple[str, ...]:
    """Return what of `scope` is left when a token request names `authorization_details` (RFC 9396 §6).

    It may name fewer actions than were granted, never another unit or another business. Without actions it says
    nothing about them. Raises InvalidAuthorizationDetailsError.
    """
    asked = read(text, client)
    if grant.unit_id is None or asked.identifier not in {None, grant.unit_id}:
        raise InvalidAuthorizationDetailsError("Acting for this unit was not granted")
    if not set(asked.actions) <= set(grant.businesses):
        raise InvalidAuthorizationDetailsError("actions exceeds what was granted")
    if not asked.actions:
        return scope
    return tuple(each for each in scope if each not in grant.businesses or each in asked.actions)
