"""Jobs (R4, R5). What changes a state is one conditional UPDATE, and its rows say what was really changed.

A published job past its last day counts as taken down everywhere, at the stroke of midnight in China, whether or not
anything runs then.
"""

import secrets
import sqlite3
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from relying_parties.shared import clock
from relying_parties.shared.database import connection, transaction

LONGEST_DAYS = 365
USUAL_DAYS = 30


class State(StrEnum):
    """Where a job is: 未发布, 已发布, 已下架."""

    DRAFT = "draft"
    PUBLISHED = "published"
    TAKEN_DOWN = "taken_down"


STATE_NAMES = {State.PUBLISHED: "已发布", State.DRAFT: "未发布", State.TAKEN_DOWN: "已下架"}

_IN_STATE = {
    State.DRAFT: "state = 'draft'",
    State.PUBLISHED: "state = 'published' AND valid_until >= :today",
    State.TAKEN_DOWN: "(state = 'taken_down' OR (state = 'published' AND valid_until < :today))",
}
IS_PUBLIC = _IN_STATE[State.PUBLISHED]


class Changed(Exception):
    """The job is no longer as the editor saw it: edited, published or deleted by somebody else."""


@dataclass(frozen=True, slots=True)
class PositionData:
    """What the form asks for. Lists hold codes of choices.py; salaries in yuan a month, both None for 面议."""

    title: str
    category: str
    kind: str
    headcount: int
    salary_min: int | None
    salary_max: int | None
    region: str
    address: str
    education: str
    experience: str
    description: str
    contact_name: str
    contact_phone: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class Position:
    """A job. Moments in seconds since 1970; `state` as it stands today."""

    id: str
    unit: str
    state: State
    version: int
    data: PositionData
    published_at: int | None
    taken_down_at: int | None
    updated_at: int

    @property
    def expired(self) -> bool:
        """Tell whether it came down by itself."""
        return self.state is State.TAKEN_DOWN and self.taken_down_at is None


def latest_day() -> date:
    """Return the last day until which a job may be published today."""
    return clock.today() + timedelta(days=LONGEST_DAYS)


def usual_day() -> date:
    """Return the last day that a new job gets unless another one is chosen."""
    return clock.today() + timedelta(days=USUAL_DAYS)


def create(unit_id: str, data: PositionData, person: str, *, publish: bool) -> str:
    """Store a new job, published at once if asked; return its id. The unit's 基本信息 must be there."""
    now = clock.now()
    row: dict[str, object] = {
        "id": f"j{secrets.token_hex(6)}",
        "unit": unit_id,
        "state": State.PUBLISHED if publish else State.DRAFT,
        "published_at": now if publish else None,
        "created_at": now,
        "updated_at": now,
        "updated_by": person,
    }
    row |= _columns(data)
    places = ", ".join(f":{name}" for name in row)
    connection().execute(
        f"INSERT INTO position ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - our own names
        row,
    )
    return str(row["id"])


def change(unit_id: str, position_id: str, version: int, data: PositionData, person: str, *, publish: bool) -> None:
    """Change a job that is not published, and publish it if asked. Raises Changed."""
    columns = _columns(data)
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    if publish:
        assignments += ", state = 'published', published_at = :now"
    done = connection().execute(
        f"UPDATE position SET {assignments}, version = version + 1, updated_at = :now, updated_by = :person "  # noqa: S608
        "WHERE id = :id AND unit = :unit AND state = 'draft' AND version = :version",
        {"id": position_id, "unit": unit_id, "version": version, "now": clock.now(), "person": person, **columns},
    )
    if done.rowcount == 0:
        raise Changed(position_id)


def publish(unit_id: str, ids: Collection[str], person: str) -> int:
    """Publish those of `ids` that are not published and whose last day is not over; return how many."""
    assignments = "state = 'published', published_at = :now, taken_down_at = NULL"
    return _update(unit_id, ids, person, assignments, "state = 'draft' AND valid_until >= :today")


def take_down(unit_id: str, ids: Collection[str], person: str) -> int:
    """Take down those of `ids` that are published; return how many."""
    return _update(unit_id, ids, person, "state = 'taken_down', taken_down_at = :now", IS_PUBLIC)


def change_validity(unit_id: str, ids: Collection[str], person: str, last_day: date) -> int:
    """Give those of `ids` that are published another last day; return how many."""
    return _update(unit_id, ids, person, "valid_until = :last_day", IS_PUBLIC, last_day=last_day.isoformat())


def delete(unit_id: str, ids: Collection[str]) -> int:
    """Delete those of `ids` that are not published; return how many."""
    with transaction() as database:
        return sum(
            database.execute(
                "DELETE FROM position WHERE id = ? AND unit = ? AND state = 'draft'", [position_id, unit_id]
            ).rowcount
            for position_id in set(ids)
        )


def copy(unit_id: str, position_id: str, person: str) -> str | None:
    """Copy a job of the unit into 未发布 with a last day that is not over; return the copy's id, None if unknown."""
    found = find(unit_id, position_id)
    if found is None:
        return None
    last_day = found.data.valid_until if found.data.valid_until >= clock.today() else usual_day()
    return create(unit_id, replace(found.data, valid_until=last_day), person, publish=False)


def find(unit_id: str, position_id: str) -> Position | None:
    """Return a job of the unit, None if there is no such job or it is another unit's."""
    row = connection().execute("SELECT * FROM position WHERE id = ? AND unit = ?", [position_id, unit_id]).fetchone()
    return None if row is None else from_row(row)


def find_many(unit_id: str, ids: Collection[str], state: State) -> list[Position]:
    """Return those of `ids` that are the unit's and in `state`."""
    found = (find(unit_id, position_id) for position_id in dict.fromkeys(ids))
    return [position for position in found if position is not None and position.state is state]


def of_unit(unit_id: str, state: State, *, limit: int, offset: int = 0) -> list[Position]:
    """Return the unit's jobs in `state`, the last changed first."""
    rows = connection().execute(
        f"SELECT * FROM position WHERE unit = :unit AND {_IN_STATE[state]} "  # noqa: S608
        "ORDER BY updated_at DESC, rowid DESC LIMIT :limit OFFSET :offset",
        {"unit": unit_id, "today": _today(), "limit": limit, "offset": offset},
    )
    return [from_row(row) for row in rows]


def counts(unit_id: str) -> dict[State, int]:
    """Return how many jobs of the unit are in each state."""
    return {state: _count(unit_id, condition) for state, condition in _IN_STATE.items()}


def from_row(row: sqlite3.Row) -> Position:
    """Return the job that a row of `position` holds."""
    state = State(row["state"])
    if state is State.PUBLISHED and row["valid_until"] < _today():
        state = State.TAKEN_DOWN
    values = {name: row[name] for name in PositionData.__dataclass_fields__}
    values["valid_until"] = date.fromisoformat(values["valid_until"])
    return Position(
        id=row["id"],
        unit=row["unit"],
        state=state,
        version=row["version"],
        data=PositionData(**values),
        published_at=row["published_at"],
        taken_down_at=row["taken_down_at"],
        updated_at=row["updated_at"],
    )


def _update(
    unit_id: str, ids: Collection[str], person: str, assignments: str, condition: str, **values: object
) -> int:
    statement = (
        f"UPDATE position SET {assignments}, version = version + 1, updated_at = :now, updated_by = :person "  # noqa: S608
        f"WHERE id = :id AND unit = :unit AND {condition}"
    )
    shared = {"unit": unit_id, "now": clock.now(), "today": _today(), "person": person, **values}
    with transaction() as database:
        return sum(database.execute(statement, {"id": each, **shared}).rowcount for each in set(ids))


def _count(unit_id: str, condition: str) -> int:
    row = connection().execute(
        f"SELECT count(*) FROM position WHERE unit = :unit AND {condition}",  # noqa: S608
        {"unit": unit_id, "today": _today()},
    )
    return int(row.fetchone()[0])


def _columns(data: PositionData) -> dict[str, object]:
    return asdict(data) | {"valid_until": data.valid_until.isoformat()}


def _today() -> str:
    return clock.today().isoformat()
