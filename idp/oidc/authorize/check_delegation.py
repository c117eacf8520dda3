"""The checks of what is ours: acting for a unit (DESIGN 4)."""

from collections.abc import Mapping
from typing import Any

from idp.clients.model import ActsFor
from idp.oidc import authorization_details, errors
from idp.oidc.authorize.trust import Case
from idp.rules.documents import UnitDocument, check_unit_document


def acting_allowed(case: Case) -> Mapping[str, Any]:
    """A client whose users never act for a unit cannot ask for a certain one (DESIGN 4 `acts_for`)."""
    if case.client.acts_for is ActsFor.NEVER and case.parameters.get("org_hint") is not None:
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
    text = case.parameters.get(authorization_details.PARAMETER)
    return {} if text is None else {"unit_delegation": authorization_details.read(text, case.client)}
