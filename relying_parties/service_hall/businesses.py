"""What is done here, and what a token must say for it: one rule for the pages and for the API."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from relying_parties.shared.provider import Provider
from relying_parties.shared.settings import Settings
from relying_parties.shared.tokens import NotForUnit, access_token, scope_of


class Capacity(StrEnum):
    """As what somebody appears for a unit. UNIT: its own account and nobody's face, which does no business (U7)."""

    AGENT = "agent"
    LEGAL_REPRESENTATIVE = "legal_representative"
    UNIT = "unit"


CAPACITY_NAMES = {
    Capacity.AGENT: "经办人员",
    Capacity.LEGAL_REPRESENTATIVE: "法定代表人（实人认证）",
    Capacity.UNIT: "单位账号",
}
LEVELS = ("urn:jingban:acr:L0", "urn:jingban:acr:L1", "urn:jingban:acr:L2", "urn:jingban:acr:L3")
"""`acr` values, lowest first."""


@dataclass(frozen=True, slots=True)
class Business:
    """Something done here. `lowest` is the lowest `acr` for each capacity that may do it."""

    scope: str
    slug: str
    name: str
    text: str
    lowest: dict[Capacity, str]

    @property
    def open_to_units(self) -> bool:
        """Whether a unit's own account may do it after its legal representative's face check (U18)."""
        return Capacity.LEGAL_REPRESENTATIVE in self.lowest


STABILIZATION = Business(
    "hall.stabilization",
    "stabilization",
    "失业保险稳岗返还",
    "确认单位信息，申请返还上年度缴纳的失业保险费。",
    {Capacity.AGENT: LEVELS[1], Capacity.LEGAL_REPRESENTATIVE: LEVELS[2]},
)
REPORT = Business(
    "hall.report", "report", "参保单位信息申报", "申报本年度参保人数等单位信息。", {Capacity.AGENT: LEVELS[1]}
)
BUSINESSES = {each.slug: each for each in (STABILIZATION, REPORT)}


@dataclass(frozen=True, slots=True)
class UnitToken:
    """What an access token for a unit says: who does what for it, as what, and at which level they signed in."""

    unit: str
    person: str | None
    capacity: Capacity
    scope: frozenset[str]
    acr: str | None


def unit_token(token: str, provider: Provider, settings: Settings) -> UnitToken:
    """Validate an access token whose subject is a unit. Raises InvalidToken, NotForUnit, ProviderDown.

    With `act` a person acts for the unit; without it the unit signed in itself (DESIGN 4).
    """
    claims = access_token(token, provider, settings)
    if claims.get("sub_profile") != "organization":
        raise NotForUnit(claims["sub"])
    acr = claims.get("acr")
    return UnitToken(
        unit=claims["sub"],
        person=_actor(claims),
        capacity=_capacity(claims),
        scope=scope_of(claims),
        acr=acr if isinstance(acr, str) else None,
    )


def _actor(claims: dict[str, Any]) -> str | None:
    actor = claims.get("act")
    return str(actor.get("sub")) if isinstance(actor, dict) else None


def _capacity(claims: dict[str, Any]) -> Capacity:
    if isinstance(claims.get("act"), dict):
        return Capacity.AGENT
    face = "face" in (claims.get("amr") or [])
    stated = claims.get("capacity") == Capacity.LEGAL_REPRESENTATIVE
    return Capacity.LEGAL_REPRESENTATIVE if stated and face else Capacity.UNIT


class Lack(StrEnum):
    """Why a token does not do for a business."""

    SCOPE = "scope"
    CAPACITY = "capacity"
    LEVEL = "level"


def lack(said: UnitToken, business: Business) -> Lack | None:
    """Return why this may not be done with the token; None: it may."""
    if said.capacity not in business.lowest:
        return Lack.CAPACITY
    if business.scope not in said.scope:
        return Lack.SCOPE
    level = LEVELS.index(said.acr) if said.acr in LEVELS else 0
    return Lack.LEVEL if level < LEVELS.index(business.lowest[said.capacity]) else None
