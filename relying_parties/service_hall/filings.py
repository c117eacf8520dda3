"""What units handed in: one filing of a business in a year."""

import secrets
from dataclasses import dataclass

from relying_parties.service_hall.businesses import Business, Capacity
from relying_parties.shared import clock
from relying_parties.shared.database import connection

TABLES = """
CREATE TABLE IF NOT EXISTS filing (    -- what a unit handed in
    number TEXT PRIMARY KEY,
    unit TEXT NOT NULL,
    business TEXT NOT NULL,
    year INTEGER NOT NULL,
    headcount INTEGER NOT NULL,
    capacity TEXT NOT NULL,            -- as what somebody did it
    person TEXT,                       -- the agent; none for the unit's own account
    filed_at INTEGER NOT NULL,
    UNIQUE (unit, business, year)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Filing:
    """A filing. `filed_at` is in seconds since 1970."""

    number: str
    headcount: int
    capacity: Capacity
    filed_at: int


def find(unit: str, business: Business) -> Filing | None:
    """Return what the unit handed in this year."""
    row = (
        connection()
        .execute(
            "SELECT number, headcount, capacity, filed_at FROM filing WHERE unit = ? AND business = ? AND year = ?",
            [unit, business.scope, clock.today().year],
        )
        .fetchone()
    )
    if row is None:
        return None
    return Filing(row["number"], row["headcount"], Capacity(row["capacity"]), row["filed_at"])


def hand_in(unit: str, business: Business, headcount: int, *, capacity: Capacity, person: str | None) -> bool:
    """Hand in once a year: False if the unit has done so, also at the same moment."""
    made = connection().execute(
        "INSERT INTO filing VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            secrets.token_hex(6).upper(),
            unit,
            business.scope,
            clock.today().year,
            headcount,
            capacity,
            person,
            clock.now(),
        ],
    )
    return made.rowcount == 1
