"""THE answer to "may this person do this for this unit now?" It is given here and asked everywhere.

Every issue of a token, every refresh, exchange and introspection asks afresh (U13). `facts_of` reads the rows,
`decide` is pure: the same facts give the same answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from idp import clock
from idp.delegation.model import BindingKind
from idp.rules.documents import UnitDocument
from idp.store import hot

FACTS = hot.Statement(
    "SELECT b.id, b.kind, u.status, u.verified_at, u.trust_level, u.document_type, p.status, "
    "g.business_code, g.valid_from, g.valid_to, k.min_person_level, k.min_unit_level, k.needs_verified_unit "
    "FROM binding b JOIN unit u ON u.id = b.unit_id JOIN person p ON p.id = b.person_id "
    "LEFT JOIN (business_grant g JOIN business k ON k.code = g.business_code AND k.retired_at IS NULL) "
    "ON g.binding_id = b.id AND g.ended_at IS NULL "
    "WHERE b.person_id = :person_id AND b.unit_id = :unit_id AND b.status = 'active'"
)


class Reason(StrEnum):
    """Why not. Each has a sentence and, where there is one, a way to mend it (C5)."""

    NOT_BOUND = "not_bound"
    PERSON_INACTIVE = "person_inactive"
    UNIT_INACTIVE = "unit_inactive"
    NOT_GRANTED = "not_granted"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    UNIT_UNVERIFIED = "unit_unverified"
    NEEDS_USCC = "needs_uscc"
    PERSON_LEVEL = "person_level"
    UNIT_LEVEL = "unit_level"


@dataclass(frozen=True, slots=True)
class Granted:
    """One open grant with what its business demands. Times are in milliseconds; levels are 0 … 3."""

    business: str
    valid_from: int
    valid_to: int | None
    min_person_level: int
    min_unit_level: int
    needs_verified_unit: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an active binding. `has_uscc`: the account is one with a unified social credit code (F5)."""

    binding_id: str
    kind: BindingKind
    unit_active: bool
    unit_verified: bool
    unit_level: int
    has_uscc: bool
    person_active: bool
    grants: tuple[Granted, ...]


@dataclass(frozen=True, slots=True)
class Minimum:
    """What the client demands, whatever the business: lowest levels (F3), and accounts with a USCC only (F5)."""

    person: int = 0
    unit: int = 0
    uscc_only: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes, until `valid_to` (milliseconds; None: no end was set)."""

    binding_id: str
    kind: BindingKind
    verified: bool
    valid_to: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Acting:
    """The answer for several businesses at once: which are allowed, and why the others are not."""

    binding_id: str
    kind: BindingKind
    verified: bool
    allowed: dict[str, Allowed]
    refused: dict[str, Reason]

    @property
    def valid_to(self) -> int | None:
        """The first end among the allowed grants, in milliseconds: no token may outlive it."""
        ends = [answer.valid_to for answer in self.allowed.values() if answer.valid_to is not None]
        return min(ends, default=None)


def facts_of(on: hot.Executor, person_id: str, unit_id: str) -> Facts | None:
    """Read the active binding of the pair with its open grants; None when there is no such binding."""
    rows = on.all(FACTS, person_id=person_id, unit_id=unit_id)
    if not rows:
        return None
    binding_id, kind, unit_status, verified_at, unit_level, document_type, person_status = rows[0][:7]
    return Facts(
        binding_id=binding_id,
        kind=BindingKind(kind),
        unit_active=unit_status == "active",
        unit_verified=verified_at is not None,
        unit_level=unit_level,
        has_uscc=document_type == UnitDocument.USCC,
        person_active=person_status == "active",
        grants=tuple(_granted(row[7:]) for row in rows if row[7] is not None),
    )


def _granted(columns: Sequence[object]) -> Granted:
    business, valid_from, valid_to, min_person_level, min_unit_level, needs_verified_unit = columns
    return Granted(
        business=str(business),
        valid_from=int(str(valid_from)),
        valid_to=None if valid_to is None else int(str(valid_to)),
        min_person_level=int(str(min_person_level)),
        min_unit_level=int(str(min_unit_level)),
        needs_verified_unit=bool(needs_verified_unit),
    )


def decide(
    facts: Facts | None,
    business: str,
    *,
    at: int,
    level: int,
    minimum: Minimum = Minimum(),
) -> Allowed | Refused:
    """Return whether `business` may be done at the moment `at` by a session of `level` (0 … 3, its `acr`).

    Of several reasons against it the first counts, in the order of `Reason`: what others must mend comes before what
    the person can.
    """
    reason = _why_not_at_all(facts)
    if facts is None or reason is not None:
        return Refused(reason or Reason.NOT_BOUND)
    grant = next((each for each in facts.grants if each.business == business), None)
    if grant is None:
        return Refused(Reason.NOT_GRANTED)
    reason = _why_not_now(grant, at) or _why_not_as_demanded(facts, level, _strictest(minimum, grant))
    if reason is not None:
        return Refused(reason)
    return Allowed(facts.binding_id, facts.kind, facts.unit_verified, grant.valid_to)


def _why_not_at_all(facts: Facts | None) -> Reason | None:
    if facts is None:
        return Reason.NOT_BOUND
    if not facts.person_active:
        return Reason.PERSON_INACTIVE
    if not facts.unit_active:
        return Reason.UNIT_INACTIVE
    return None


def _why_not_now(grant: Granted, at: int) -> Reason | None:
    if at < grant.valid_from:
        return Reason.NOT_YET_VALID
    if grant.valid_to is not None and at >= grant.valid_to:
        return Reason.EXPIRED
    return None


@dataclass(frozen=True, slots=True)
class _Demands:
    """What client and business together demand."""

    person: int
    unit: int
    uscc: bool = False
    verified: bool = False


def _strictest(minimum: Minimum, grant: Granted) -> _Demands:
    return _Demands(
        person=max(minimum.person, grant.min_person_level),
        unit=max(minimum.unit, grant.min_unit_level),
        uscc=minimum.uscc_only,
        verified=grant.needs_verified_unit,
    )


def _why_not_as_demanded(facts: Facts, level: int, demands: _Demands) -> Reason | None:
    if demands.verified and not facts.unit_verified:
        return Reason.UNIT_UNVERIFIED
    if demands.uscc and not facts.has_uscc:
        return Reason.NEEDS_USCC
    if level < demands.person:
        return Reason.PERSON_LEVEL
    if facts.unit_level < demands.unit:
        return Reason.UNIT_LEVEL
    return None


def may_act(
    on: hot.Executor,
    person_id: str,
    unit_id: str,
    business: str,
    *,
    level: int,
    minimum: Minimum = Minimum(),
) -> Allowed | Refused:
    """Answer for one business, now."""
    return decide(facts_of(on, person_id, unit_id), business, at=clock.millis(), level=level, minimum=minimum)


def acting(
    on: hot.Executor,
    person_id: str,
    unit_id: str,
    businesses: Iterable[str],
    *,
    level: int,
    minimum: Minimum = Minimum(),
) -> Acting | Refused:
    """Answer for several businesses, now (C3). Refused as a whole when the pair may do nothing at all.

    A client that asks for no business asks only whether the person may appear for the unit: then its minimum decides.
    """
    facts = facts_of(on, person_id, unit_id)
    reason = _why_not_at_all(facts)
    if facts is None or reason is not None:
        return Refused(reason or Reason.NOT_BOUND)
    asked = tuple(businesses)
    if not asked:
        reason = _why_not_as_demanded(facts, level, _Demands(minimum.person, minimum.unit, uscc=minimum.uscc_only))
        if reason is not None:
            return Refused(reason)
    now = clock.millis()
    answers = {business: decide(facts, business, at=now, level=level, minimum=minimum) for business in asked}
    return Acting(
        facts.binding_id,
        facts.kind,
        facts.unit_verified,
        allowed={business: answer for business, answer in answers.items() if isinstance(answer, Allowed)},
        refused={business: answer.reason for business, answer in answers.items() if isinstance(answer, Refused)},
    )
