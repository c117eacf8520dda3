"""A grant: what one authorization request allowed, and whether it still holds.

Every token hangs on one. Issue, refresh, introspection and UserInfo all ask `standing` afresh, which asks
`idp.delegation.acting` for whoever acts for a unit (DESIGN 4, U13).
"""

import json
from dataclasses import dataclass
from typing import Any, Self

from idp.clients.registry import RegisteredClient
from idp.delegation import representing
from idp.delegation.acting import Acting, Refused, acting
from idp.delegation.granting import minimum_of
from idp.oidc import statements
from idp.persons.model import AccountKind, AccountStatus
from idp.rules.levels import Acr, Amr, parse_acr
from idp.store import hot


class GrantLost(Exception):
    """The grant does not hold (any more). `reason` is a stable code for the audit, never for the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PersonRow:
    """The person who signed in. Names and phone are as stored: encrypted."""

    status: str
    full_name: bytes
    login_name: str
    phone: bytes
    real_name_level: int


@dataclass(frozen=True, slots=True)
class UnitRow:
    """The unit that is acted for, or that signed in itself. Number and name are as stored: encrypted."""

    status: str
    document_type: str
    document_number: bytes
    full_name: bytes
    login_name: str
    verified: bool
    region_code: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A row of `authorization` with who and what stands behind it.

    `subject_id` is who signed in, `unit_id` the unit acted for. `resources` are the audiences granted (RFC 8707), at
    least one, the usual one first. `auth_time` is in seconds, as claims want it;
    `ended_at` and `session_ends_at` (the latest moment the sign-in may last) are in milliseconds.
    """

    id: str
    client_id: str
    kind: AccountKind
    subject_id: str
    unit_id: str | None
    scope: tuple[str, ...]
    businesses: tuple[str, ...]
    resources: tuple[str, ...]
    nonce: str | None
    claims: dict[str, Any]
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    sid: str | None
    ended_at: int | None
    session_ends_at: int | None
    person: PersonRow | None
    unit: UnitRow | None

    @property
    def by_representative(self) -> bool:
        """Whether a unit's own account does a business here, by its legal representative's face (U18)."""
        return self.kind is AccountKind.UNIT and bool(self.businesses)

    @classmethod
    def of_row(cls, row: hot.Row) -> Self:
        """Return the grant that the first columns of a look-up in `statements` hold."""
        return cls(
            id=row[0],
            client_id=row[1],
            kind=AccountKind(row[2]),
            subject_id=row[3],
            unit_id=row[4],
            scope=tuple(row[5].split()),
            businesses=tuple(row[6].split()),
            resources=tuple(row[7].split()),
            nonce=row[8],
            claims=json.loads(row[9]),
            auth_time=row[10] // 1000,
            acr=row[11],
            amr=tuple(row[12].split()),
            sid=row[13],
            ended_at=row[14],
            session_ends_at=row[15],
            person=None if row[16] is None else PersonRow(*row[16:21]),
            unit=None
            if row[21] is None
            else UnitRow(row[21], row[22], row[23], row[24], row[25], row[26] is not None, row[27]),
        )


COLUMNS = 28
"""How many columns of a look-up are the grant's; what the look-up adds begins there."""


def find(on: hot.Executor, grant_id: str, *, jti: str = "") -> tuple[Grant, bool] | None:
    """Return the grant of this id, and whether the token `jti` was revoked; None for an unknown id."""
    row = on.one(statements.FIND_GRANT, id=grant_id, jti=jti)
    return None if row is None else (Grant.of_row(row), row[COLUMNS] is not None)


def standing(on: hot.Executor, grant: Grant, client: RegisteredClient) -> Acting | None:
    """Return what acting.py says of the grant now, None when nobody is acted for. Raises GrantLost.

    A grant holds as a whole: if one of its businesses is lost, the portal signs the person in anew and gets those
    that are left. `client` is the one the grant was made for; what it demands by itself counts too (F3, F5).
    """
    if grant.ended_at is not None:
        raise GrantLost("ended")
    account = grant.person if grant.kind is AccountKind.PERSON else grant.unit
    if account is None or account.status != AccountStatus.ACTIVE:
        raise GrantLost("account_inactive")
    if grant.unit_id is None:
        _check_unit_account(on, grant, client)
        return None
    answer = acting(
        on,
        grant.subject_id,
        grant.unit_id,
        grant.businesses,
        level=parse_acr(grant.acr) or Acr.L0,
        minimum=minimum_of(client),
    )
    if isinstance(answer, Refused):
        raise GrantLost(answer.reason)
    if answer.refused:
        raise GrantLost(next(iter(answer.refused.values())))
    return answer


def _check_unit_account(on: hot.Executor, grant: Grant, client: RegisteredClient) -> None:
    """A unit account by itself does no business (U7), but for what its legal representative's face opened (U18).

    What that rests on must hold now: above all, that nobody was bound to the unit since.
    """
    if not grant.by_representative:
        return
    if Amr.FACE not in grant.amr:
        raise GrantLost("unit_account")
    minimum = minimum_of(client)
    for business in grant.businesses:
        against = representing.obstacle(on, grant.subject_id, business, minimum)
        if against is not None:
            raise GrantLost(against)


def end(on: hot.Executor, grant_id: str, why: str, now: int) -> None:
    """End the grant: at once every token that hangs on it is dead. `now` is in milliseconds."""
    on.run(statements.END_GRANT, id=grant_id, why=why, now=now)
