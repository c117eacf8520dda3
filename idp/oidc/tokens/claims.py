"""Claims about persons and units: what UserInfo answers, and `acting_for` (DESIGN 4)."""

from collections.abc import Collection
from typing import Any

from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting
from idp.oidc import subjects
from idp.oidc.grants import Grant, UnitRow
from idp.persons.model import AccountKind
from idp.rules.claims import SCOPE_CLAIMS
from idp.rules.documents.kinds import UnitDocument
from idp.rules.levels import amr_claim
from idp.store import hot
from idp.store.base import vault

USER, ORGANIZATION, SERVICE = "user", "organization", "service"
"""`sub_profile`: what kind of subject `sub` is."""

LEGAL_REPRESENTATIVE = "legal_representative"
COUNTRY = "CN"
"""ISO 3166-1; regions are those of GB/T 2260."""

CLAIMS_SUPPORTED = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "acting_for"),
    "capacity",
    *(claim for claims in SCOPE_CLAIMS.values() for claim in claims),
)


FIND_REGION = hot.Statement("SELECT name, parent_code FROM region WHERE code = :code")


def subject_claims(grant: Grant, names: Collection[str]) -> dict[str, Any]:
    """Return those of `names` that are known of whoever signed in; one that is not known is left out, never null.

    `real_name_level` is 1 … 3 (实名等级).
    """
    if not names:
        return {}
    known = _of_person(grant) if grant.kind is AccountKind.PERSON else _of_unit_account(grant)
    found = {name: value for name, value in known.items() if name in names}
    if "address" in names and grant.kind is AccountKind.UNIT and grant.unit is not None:
        found["address"] = _address(grant.unit.region_code)
    return found


def of_sign_in(grant: Grant) -> dict[str, Any]:
    """Return what a grant says of how and when its subject signed in. `auth_time` is in seconds (Core §2)."""
    return {"auth_time": grant.auth_time, "acr": grant.acr, "amr": amr_claim(grant.amr)}


def _address(region_code: str) -> dict[str, str]:
    """Return the seat of a unit (Core §5.1.1), as far as it is on record: province, and below it city and district."""
    places: list[str] = []
    region = hot.reader().one(FIND_REGION, code=region_code)
    while region is not None:
        places.insert(0, region[0])
        region = hot.reader().one(FIND_REGION, code=region[1])
    address = {"formatted": "".join(places), "region": places[0], "country": COUNTRY}
    return address | ({"locality": "".join(places[1:])} if places[1:] else {})


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


def acting_for(grant: Grant, acting: Acting | None, client: RegisteredClient) -> dict[str, Any] | None:
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
        "binding": subjects.binding(client, acting.binding_id),
    }
    if acting.valid_to is not None:
        claim["expires_at"] = acting.valid_to // 1000
    return claim


def capacity(grant: Grant) -> dict[str, str]:
    """Return the `capacity` claim of a unit that signed in itself and whose legal representative was checked (U18).

    Empty for everybody else: an agent's capacity stands in `acting_for`.
    """
    return {"capacity": LEGAL_REPRESENTATIVE} if grant.by_representative else {}


def _open(stored: bytes, context: str) -> str:
    return vault().decrypt(bytes(stored), context).decode()
