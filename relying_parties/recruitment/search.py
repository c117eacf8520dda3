"""What everybody may find without signing in: published jobs of all units (R5)."""

from dataclasses import dataclass

from relying_parties.recruitment import companies
from relying_parties.recruitment.companies import Company
from relying_parties.recruitment.positions import IS_PUBLIC, Position, from_row
from relying_parties.shared import clock
from relying_parties.shared.database import connection

PAGE_SIZE = 10
MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. `salary`: at least so many yuan a month; empty texts and None leave it open."""

    keyword: str = ""
    region: str = ""
    category: str = ""
    salary: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A published job, and the unit that offers it."""

    position: Position
    company: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found; `page` counts from 1 and lies within `pages`."""

    jobs: list[Found]
    total: int
    page: int
    pages: int


def search(query: Query, page: int) -> Results:
    """Return page `page` (or the nearest there is) of the published jobs that `query` describes, newest first."""
    conditions, values = _conditions(query)
    source = f"FROM position JOIN company USING (unit) WHERE {' AND '.join(conditions)}"
    total = int(connection().execute(f"SELECT count(*) {source}", values).fetchone()[0])
    pages = max(1, -(-total // PAGE_SIZE))
    shown = min(max(page, 1), pages)
    rows = connection().execute(
        f"SELECT position.*, company.name AS company_name, company.verified AS company_verified {source} "
        "ORDER BY published_at DESC, position.rowid DESC LIMIT :limit OFFSET :offset",
        values | {"limit": PAGE_SIZE, "offset": (shown - 1) * PAGE_SIZE},
    )
    jobs = [Found(from_row(row), row["company_name"], bool(row["company_verified"])) for row in rows]
    return Results(jobs, total, shown, pages)


def find(position_id: str) -> tuple[Position, Company] | None:
    """Return a published job and its unit, None for one that is not published (any more)."""
    row = (
        connection()
        .execute(
            f"SELECT * FROM position WHERE id = :id AND {IS_PUBLIC}",  # noqa: S608
            {"id": position_id, "today": clock.today().isoformat()},
        )
        .fetchone()
    )
    if row is None:
        return None
    company = companies.find(row["unit"])
    return None if company is None else (from_row(row), company)


def _conditions(query: Query) -> tuple[list[str], dict[str, object]]:
    conditions = [IS_PUBLIC]
    values: dict[str, object] = {"today": clock.today().isoformat()}
    for number, word in enumerate(query.keyword.split()[:MOST_WORDS]):
        name = f"word{number}"
        values[name] = _containing(word)
        like = " OR ".join(f"{column} LIKE :{name} ESCAPE '\\'" for column in ("title", "description", "company.name"))
        conditions.append(f"({like})")
    if query.region:
        values["region"] = _containing(query.region)
        conditions.append("position.region LIKE :region ESCAPE '\\'")
    if query.category:
        values["category"] = query.category
        conditions.append("category = :category")
    if query.salary is not None:
        values["salary"] = query.salary
        conditions.append("salary_max >= :salary")
    return conditions, values


def _containing(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
