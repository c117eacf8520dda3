"""The checks of what is ours: acting for a unit (DESIGN 4)."""

import re
from collections.abc import Mapping
from typing import Any

from idp.clients.model import ActsFor
from idp.clients.registration import STANDARD_SCOPES
from idp.oidc import errors
from idp.oidc.authorize import json_parameter
from idp.oidc.authorize.json_parameter import JsonRefused
from idp.oidc.authorize.trust import Case
from idp.rules.documents import UnitDocument, check_unit_document
from idp.sessions.authorization_request import UnitDelegation

TYPE = "unit_delegation"
MEMBERS = frozenset({"type", "actions", "identifier", "representation_required"})

_UNIT_ID = re.compile(r"u_[A-Za-z0-9_-]{1,30}")


def acting_allowed(case: Case) -> Mapping[str, Any]:
    """A client whose users never act for a unit cannot ask for it (DESIGN 4 `acts_for`)."""
    if case.client.acts_for is not ActsFor.NEVER:
        return {}
    if case.parameters.get("authorization_details") is not None:
        raise errors.InvalidAuthorizationDetailsError("This client may not use authorization details")
    if case.parameters.get("org_hint") is not None:
        raise errors.InvalidRequestError("The users of this client do not act for units")
    return {}


def org_hint_wellformed(case: Case) -> Mapping[str, Any]:
    """`org_hint` is a USCC with right check characters (U3); a malformed one is shown to the person (DESIGN 4).

    Raises DocumentRefused.
    """
    org_hint = case.parameters.get("org_hint")
    if org_hint is None:
        return {}
    return {"org_hint": check_unit_document(UnitDocument.USCC, org_hint)}


def unit_delegation_allowed(case: Case) -> Mapping[str, Any]:
    """RFC 9396 §5: refuse unknown types, unknown fields, wrong types of fields, and what the client may not have."""
    text = case.parameters.get("authorization_details")
    if text is None:
        return {}
    try:
        details = json_parameter.read(text)
    except JsonRefused as error:
        raise errors.InvalidAuthorizationDetailsError("authorization_details is not JSON") from error
    if not isinstance(details, list) or len(details) != 1:
        raise errors.InvalidAuthorizationDetailsError("authorization_details is not an array of one object")
    return {"unit_delegation": _unit_delegation(details[0], case)}


def _unit_delegation(detail: Any, case: Case) -> UnitDelegation:
    if not isinstance(detail, dict) or detail.get("type") != TYPE:
        raise errors.InvalidAuthorizationDetailsError("The only known type is unit_delegation")
    if not MEMBERS.issuperset(detail):
        raise errors.InvalidAuthorizationDetailsError("unit_delegation has an unknown field")
    actions, identifier = detail.get("actions", []), detail.get("identifier")
    required = detail.get("representation_required", False)
    if not isinstance(actions, list) or not isinstance(required, bool):
        raise errors.InvalidAuthorizationDetailsError("unit_delegation has a field of the wrong type")
    if identifier is not None and not (isinstance(identifier, str) and _UNIT_ID.fullmatch(identifier)):
        raise errors.InvalidAuthorizationDetailsError("identifier is not the id of a unit")
    businesses = [each for each in case.client.scopes if each not in STANDARD_SCOPES]
    if any(each not in businesses for each in actions):
        raise errors.InvalidAuthorizationDetailsError("actions holds a business that this client may not ask for")
    return UnitDelegation(tuple(dict.fromkeys(actions)), identifier, required)
