"""Claims about persons and units: what UserInfo answers, and `acting_for` (DESIGN 4)."""

from collections.abc import Collection
from typing import Any

from idp.delegation.acting import Acting
from idp.oidc.grants import Grant, UnitRow
from idp.persons.model import AccountKind
from idp.rules.documents.kinds import UnitDocument
from idp.store.base import vault

USER, ORGANIZATION, SERVICE = "user", "organization", "service"
"""`sub_profile`: what kind of subject `sub` is."""

SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "profile": ("name", "preferred_username", "real_name_level", "uscc", "org_code", "verified"),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Which claims a scope stands for (OpenID Connect Core §5.4): a person has some of them, a unit account others."""

CLAIMS_SUPPORTED = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "acting_for"),
    *(claim for claims in SCOPE_CLAIMS.values() for claim in claims),
)


def claims_of_scope(scope: Collection[str]) -> set[str]:
    """Return the names of the claims that the values of `scope` stand for."""
    return {claim for value, claims in SCOPE_CLAIMS.items() if value in scope for claim in claims}


def subject_claims(grant: Grant, names: Collection[str]) -> dict[str, Any]:
    """Return those of `names` that are known of whoever signed in. `real_name_level` is 1 … 3 (实名等级)."""
    known = _of_person(grant) if grant.kind is AccountKind.PERSON else _of_unit_account(grant)
    return {name: value for name, value in known.items() if name in names}


def _of_person(grant: Grant) -> dict[str, Any]:
    person = grant.person
    if person is None:
        return {}
    return {
        "name": _open(person.full_name, "person.full_name"),
        "preferred_username": person.login_name,
        "real_name_level": person.real_name_level,
        "phone_number": _open(person.phone, "person.phone"),
        "phone_number_verified": True,  # no account without a code by SMS to it (P1)
    }


def _of_unit_account(grant: Grant) -> dict[str, Any]:
    unit = grant.unit
    return {} if unit is None else {"preferred_username": unit.login_name, **_of_unit(unit)}


def _of_unit(unit: UnitRow) -> dict[str, Any]:
    kind = "uscc" if unit.document_type == UnitDocument.USCC else "org_code"
    return {
        kind: _open(unit.document_number, "unit.document_number"),
        "name": _open(unit.full_name, "unit.full_name"),
        "verified": unit.verified,
    }


def acting_for(grant: Grant, acting: Acting | None) -> dict[str, Any] | None:
    """Return the `acting_for` claim, None when the person acts for themselves.

    `expires_at` (seconds) is the first end among the granted businesses; it is left out where no end was set.
    """
    if acting is None or grant.unit is None or grant.unit_id is None:
        return None
    claim = {
        "sub": grant.unit_id,
        "sub_profile": ORGANIZATION,
        **_of_unit(grant.unit),
        "capacity": acting.kind.value,
        "binding": acting.binding_id,
    }
    if acting.valid_to is not None:
        claim["expires_at"] = acting.valid_to // 1000
    return claim


def _open(stored: bytes, context: str) -> str:
    return vault().decrypt(bytes(stored), context).decode()
