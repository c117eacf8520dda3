"""The chooser's options: the units that a person is bound to, what each lets them do here, or why nothing (C1, C5).

The answer is that of `acting`; nothing here decides. Only the reason is made clearer: once a grant is closed,
`acting` can but say that there is none, and the person wants to know whether it was withdrawn or has run out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.delegation import grant_requests, listing
from idp.delegation.acting import Acting, Minimum, Reason, Refused, acting
from idp.delegation.grant_requests import Standing
from idp.delegation.model import Binding, BindingKind, BindingStatus, BusinessGrant
from idp.store import hot
from idp.units.model import Unit


class Obstacle(StrEnum):
    """Why a unit cannot be chosen: a `Reason`, a closed grant, or a request that waits for the person's own answer."""

    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    NOT_BOUND = Reason.NOT_BOUND
    PERSON_INACTIVE = Reason.PERSON_INACTIVE
    UNIT_INACTIVE = Reason.UNIT_INACTIVE
    NOT_GRANTED = Reason.NOT_GRANTED
    NOT_YET_VALID = Reason.NOT_YET_VALID
    EXPIRED = Reason.EXPIRED
    UNIT_UNVERIFIED = Reason.UNIT_UNVERIFIED
    NEEDS_USCC = Reason.NEEDS_USCC
    PERSON_LEVEL = Reason.PERSON_LEVEL
    UNIT_LEVEL = Reason.UNIT_LEVEL


MENDED_BY_A_GRANT = frozenset({Obstacle.NOT_GRANTED, Obstacle.WITHDRAWN, Obstacle.EXPIRED})

# Of several businesses that are refused, the one that the person can mend soonest tells what to do.
_NEAREST_FIRST = (
    Reason.PERSON_LEVEL,
    Reason.UNIT_UNVERIFIED,
    Reason.NEEDS_USCC,
    Reason.UNIT_LEVEL,
    Reason.NOT_YET_VALID,
    Reason.EXPIRED,
    Reason.NOT_GRANTED,
)


@dataclass(frozen=True, slots=True)
class UnitOption:
    """One unit of the chooser. `number` is masked; `usable` are the businesses that may be done now.

    `obstacle` is None where the unit can be chosen. `asking` says whether the unit may be asked for the grant, None
    where that would mend nothing.
    """

    unit_id: str
    binding_id: str
    name: str
    number: str
    kind: BindingKind
    verified: bool
    usable: tuple[str, ...]
    obstacle: Obstacle | None
    asking: Standing | None


def options(
    session: Session, person_id: str, businesses: Sequence[str], *, minimum: Minimum, level: int
) -> list[UnitOption]:
    """Return all units that have bound the person, or ask to: those that can be chosen first, then by name.

    `businesses` are those the client asks for and may ask for; `level` is that of the session (0 … 3).
    """
    rows = session.execute(
        select(Binding, Unit)
        .join(Unit, Unit.id == Binding.unit_id)
        .where(Binding.person_id == person_id, Binding.status.in_([BindingStatus.ACTIVE, BindingStatus.PENDING]))
    ).all()
    found = [_option(session, binding, unit, businesses, minimum, level) for binding, unit in rows]
    return sorted(found, key=lambda option: (option.obstacle is not None, option.name, option.unit_id))


def _option(
    session: Session, binding: Binding, unit: Unit, businesses: Sequence[str], minimum: Minimum, level: int
) -> UnitOption:
    usable: tuple[str, ...] = ()
    obstacle: Obstacle | None = Obstacle.PENDING
    if binding.status == BindingStatus.ACTIVE:
        answer = acting(
            hot.within(session), binding.person_id, binding.unit_id, businesses, level=level, minimum=minimum
        )
        usable = tuple(answer.allowed) if isinstance(answer, Acting) else ()
        obstacle = _obstacle(session, binding.id, businesses, answer)
    return UnitOption(
        unit_id=unit.id,
        binding_id=binding.id,
        name=unit.full_name,
        number=listing.masked_number(unit),
        kind=BindingKind(binding.kind),
        verified=unit.verified_at is not None,
        usable=usable,
        obstacle=obstacle,
        asking=grant_requests.standing(session, binding.id, businesses) if obstacle in MENDED_BY_A_GRANT else None,
    )


def _obstacle(
    session: Session, binding_id: str, businesses: Sequence[str], answer: Acting | Refused
) -> Obstacle | None:
    if isinstance(answer, Refused):
        return Obstacle(answer.reason)
    if answer.allowed or not businesses:
        return None
    reasons = set(answer.refused.values())
    nearest = next(reason for reason in _NEAREST_FIRST if reason in reasons)
    return _how_closed(session, binding_id, businesses) if nearest is Reason.NOT_GRANTED else Obstacle(nearest)


def _how_closed(session: Session, binding_id: str, businesses: Sequence[str]) -> Obstacle:
    """Return how the last grant of any of `businesses` ended; NOT_GRANTED when there never was one."""
    why = session.scalars(
        select(BusinessGrant.ended_why)
        .where(
            BusinessGrant.binding_id == binding_id,
            BusinessGrant.business_code.in_(businesses),
            BusinessGrant.ended_at.is_not(None),
        )
        .order_by(BusinessGrant.ended_at.desc())
        .limit(1)
    ).one_or_none()
    return {"withdrawn": Obstacle.WITHDRAWN, "expired": Obstacle.EXPIRED}.get(why or "", Obstacle.NOT_GRANTED)
