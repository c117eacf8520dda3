"""The regions a unit may sit in: the lists of the picker, and the whole name of a place.

The table is the truth. What has no regions below it is a leaf: a district, 东莞 and 中山, a county-level city that its
province governs itself. Districts of municipalities come at the level of cities.
"""

from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.units.errors import RegionIncomplete
from idp.units.model import Region


class Level(IntEnum):
    """The level of a region, and the list of the picker in which it stands."""

    PROVINCE = 1
    CITY = 2
    DISTRICT = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A region as one entry of a list."""

    code: str
    name: str


def below(session: Session, parent_code: str | None) -> tuple[Level | None, list[Place]]:
    """Return the regions right below `parent_code` (None: the provinces) and their level; None when it is a leaf."""
    rows = session.execute(
        select(Region.code, Region.name, Region.level)
        .where(Region.parent_code == parent_code if parent_code else Region.parent_code.is_(None))
        .order_by(Region.code)
    ).all()
    return Level(rows[0].level) if rows else None, [Place(row.code, row.name) for row in rows]


def path(session: Session, code: str) -> list[Place]:
    """Return the regions from the province down to `code`; an empty list when there is no such region."""
    places: list[Place] = []
    following: str | None = code
    while following is not None:
        region = session.get(Region, following)
        if region is None:
            return []
        places.insert(0, Place(region.code, region.name))
        following = region.parent_code
    return places


def whole_name(session: Session, code: str) -> str:
    """Return the name from the province down, as in 广东省江门市蓬江区."""
    return "".join(place.name for place in path(session, code))


def check_leaf(session: Session, code: str) -> None:
    """Raise RegionIncomplete unless `code` is a region without regions below it."""
    if session.get(Region, code) is None or below(session, code)[0] is not None:
        raise RegionIncomplete("region")
