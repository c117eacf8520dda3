"""May a unit's own account do a business, by its legal representative's face (法人实人认证, U18)? By which check?

The counterpart of `acting` for a unit that signs in itself: it does no business (U7), but for one that the catalogue
marks (`open_to_unit_account`), while nobody is bound to it, and after its legal representative passed a face check in
this very authorization request. Issue, introspection and exchange ask `obstacle` afresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp import clock
from idp.clients.registry import RegisteredClient
from idp.delegation import catalogue, granting
from idp.delegation.acting import Minimum
from idp.delegation.granting import Granted
from idp.delegation.model import Business, RepresentativeCheck
from idp.rules.documents import UnitDocument
from idp.sessions.authorization_request import AuthorizationRequest
from idp.store import hot

FACTS = hot.Statement(
    "SELECT u.status, u.document_type, u.trust_level, k.min_unit_level, "
    "EXISTS (SELECT 1 FROM binding b WHERE b.unit_id = u.id AND b.status = 'active') "
    "FROM unit u JOIN business k ON k.code = :business AND k.retired_at IS NULL AND k.open_to_unit_account "
    "WHERE u.id = :unit_id"
)
FIND_PASSED = hot.Statement(
    "SELECT id, business_code FROM representative_check "
    "WHERE interaction_id = :interaction_id AND unit_id = :unit_id AND state = 'passed' "
    "AND used_at IS NULL AND expires_at > :now ORDER BY created_at DESC LIMIT 1"
)
# The result serves once, in the request and for the unit and the business that it was made for.
CLAIM = hot.Statement(
    "UPDATE representative_check SET used_at = :now, expires_at = :shown_until "
    "WHERE id = :id AND interaction_id = :interaction_id AND unit_id = :unit_id AND business_code = :business "
    "AND state = 'passed' AND used_at IS NULL AND expires_at > :now RETURNING id"
)
SHOWN_FOR = timedelta(days=180)
"""So long a unit sees that its legal representative's face was used."""


class Obstacle(StrEnum):
    """Why a unit's own account may not do the business. What can be mended nearest comes last."""

    CLOSED = "closed"  # the business is not open to unit accounts (any more)
    UNIT_INACTIVE = "unit_inactive"
    NEEDS_USCC = "needs_uscc"  # the register knows no organisation codes
    HAS_AGENTS = "has_agents"  # agents are bound: they do it
    UNIT_LEVEL = "unit_level"


@dataclass(frozen=True, slots=True)
class Passed:
    """A face check that was passed in this request and not used yet, and the business that it opens."""

    check_id: str
    interaction_id: str
    business: str


@dataclass(frozen=True, slots=True)
class Use:
    """A check that opened a business, as the unit is shown it."""

    business: str
    at: datetime


def business_asked(session: Session, client: RegisteredClient, request: AuthorizationRequest) -> Business | None:
    """Return the first business asked for that is open to unit accounts: one check opens one business."""
    asked = granting.businesses_asked(client, request)
    known = catalogue.by_code(session, asked)
    found = (known[code] for code in asked if code in known)
    return next((each for each in found if each.open_to_unit_account and each.retired_at is None), None)


def level_needed(session: Session, client: RegisteredClient, request: AuthorizationRequest) -> int:
    """Return the lowest trust level (0 … 3) at which a unit's own account gets what is asked for (F3)."""
    business = business_asked(session, client, request)
    return max(client.min_unit_level, business.min_unit_level if business else 0)


def obstacle(on: hot.Executor, unit_id: str, business: str, minimum: Minimum) -> Obstacle | None:
    """Return what stands against it now, a missing check apart; None: nothing."""
    row = on.one(FACTS, unit_id=unit_id, business=business)
    if row is None:
        return Obstacle.CLOSED
    status, document_type, trust_level, min_unit_level, has_agents = row
    against = {
        Obstacle.UNIT_INACTIVE: status != "active",
        Obstacle.NEEDS_USCC: document_type != UnitDocument.USCC,
        Obstacle.HAS_AGENTS: bool(has_agents),
        Obstacle.UNIT_LEVEL: trust_level < max(minimum.unit, min_unit_level),
    }
    return next((each for each, holds in against.items() if holds), None)


def passed(on: hot.Executor, interaction_id: str, unit_id: str) -> Passed | None:
    """Return the check that the unit's legal representative passed in this request and that still serves."""
    row = on.one(FIND_PASSED, interaction_id=interaction_id, unit_id=unit_id, now=clock.millis())
    return None if row is None else Passed(row[0], interaction_id, row[1])


def granted(
    on: hot.Executor, client: RegisteredClient, request: AuthorizationRequest, unit_id: str, check: Passed | None
) -> Granted:
    """Return what a unit's own account gets: the standard scopes, and with a check that one business (C3).

    Nothing that lasts: `offline_access` is left out.
    """
    own = granting.for_oneself(client, request)
    if check is None or check.business not in granting.businesses_asked(client, request):
        return own
    if obstacle(on, unit_id, check.business, granting.minimum_of(client)) is not None:
        return own
    kept = {*own.scope, check.business} - {granting.OFFLINE_ACCESS}
    return Granted(_in_order(request.asked, kept), (check.business,), claims_scope=own.claims_scope)


def _in_order(asked: Sequence[str], kept: set[str]) -> tuple[str, ...]:
    return tuple(each for each in asked if each in kept)


def claim(on: hot.Executor, check: Passed, unit_id: str) -> bool:
    """Use the check: True for exactly one caller."""
    now = clock.millis()
    row = on.one(
        CLAIM,
        id=check.check_id,
        interaction_id=check.interaction_id,
        unit_id=unit_id,
        business=check.business,
        now=now,
        shown_until=now + SHOWN_FOR // timedelta(milliseconds=1),
    )
    return row is not None


def uses(session: Session, unit_id: str, *, limit: int) -> list[Use]:
    """Return the newest checks that opened a business for the unit, which is told so on its page."""
    rows = session.execute(
        select(Business.name, RepresentativeCheck.used_at)
        .join(Business, Business.code == RepresentativeCheck.business_code)
        .where(RepresentativeCheck.unit_id == unit_id, RepresentativeCheck.used_at.is_not(None))
        .order_by(RepresentativeCheck.used_at.desc())
        .limit(limit)
    )
    return [Use(name, used_at) for name, used_at in rows if used_at is not None]
