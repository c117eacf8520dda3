"""基本信息 of a unit (R2): what the unit says of itself, beside the name and code that the provider vouches for."""

import sqlite3
from dataclasses import asdict, dataclass
from enum import StrEnum

from relying_parties.shared import clock
from relying_parties.shared.database import connection
from relying_parties.shared.identities import Unit


class CompanyStatus(StrEnum):
    """How far a unit's data has come. A review would put 待审核 before it."""

    COMPLETE = "complete"


STATUS_NAMES = {CompanyStatus.COMPLETE: "已完善"}


@dataclass(frozen=True, slots=True)
class CompanyData:
    """What the form asks for. Lists hold codes of choices.py; `email` may be empty."""

    nature: str
    industry: str
    size: str
    region: str
    address: str
    contact_name: str
    contact_phone: str
    email: str
    introduction: str

    @property
    def contact(self) -> tuple[str, str, str]:
        """Return whom job seekers turn to: what a swindler would change, so a change needs a strong sign-in."""
        return self.contact_name, self.contact_phone, self.email


@dataclass(frozen=True, slots=True)
class Company:
    """A unit's record. `updated_at` in seconds since 1970."""

    unit: str
    uscc: str
    name: str
    verified: bool
    status: CompanyStatus
    data: CompanyData
    updated_at: int


def find(unit_id: str) -> Company | None:
    """Return the record of a unit, None before it was first saved."""
    row = connection().execute("SELECT * FROM company WHERE unit = ?", [unit_id]).fetchone()
    return None if row is None else _company(row)


def is_complete(unit_id: str) -> bool:
    """Tell whether the unit may go on to other business (R2)."""
    row = connection().execute("SELECT status FROM company WHERE unit = ?", [unit_id]).fetchone()
    return row is not None and row["status"] == CompanyStatus.COMPLETE


def save(unit: Unit, data: CompanyData, person: str) -> None:
    """Keep the unit's data, and note which person gave it."""
    values: dict[str, object] = {
        "unit": unit.id,
        "uscc": unit.uscc,
        "name": unit.name,
        "verified": unit.verified,
        "status": CompanyStatus.COMPLETE,
        "updated_at": clock.now(),
        "updated_by": person,
    }
    values |= asdict(data)
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    changes = ", ".join(f"{name} = excluded.{name}" for name in values if name != "unit")
    connection().execute(
        f"INSERT INTO company ({names}) VALUES ({places}) ON CONFLICT (unit) DO UPDATE SET {changes}",  # noqa: S608
        values,
    )


def change(unit_id: str, data: CompanyData, person: str) -> None:
    """Change the data of a unit that has completed it, and note which person did."""
    assignments = ", ".join(f"{name} = :{name}" for name in asdict(data))
    connection().execute(
        f"UPDATE company SET {assignments}, updated_at = :now, updated_by = :person WHERE unit = :unit",  # noqa: S608
        {"unit": unit_id, "person": person, "now": clock.now(), **asdict(data)},
    )


def note_name(unit: Unit) -> None:
    """Take over the name and state that the provider vouches for now (the unit may have been renamed)."""
    connection().execute(
        "UPDATE company SET name = ?, verified = ?, uscc = ? WHERE unit = ? AND (name, verified, uscc) <> (?, ?, ?)",
        [unit.name, unit.verified, unit.uscc, unit.id, unit.name, unit.verified, unit.uscc],
    )


def _company(row: sqlite3.Row) -> Company:
    return Company(
        unit=row["unit"],
        uscc=row["uscc"],
        name=row["name"],
        verified=bool(row["verified"]),
        status=CompanyStatus(row["status"]),
        data=CompanyData(**{name: row[name] for name in CompanyData.__dataclass_fields__}),
        updated_at=row["updated_at"],
    )
