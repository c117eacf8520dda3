"""Changes of 基本信息 that wait while their author proves who they are: nothing that was typed is lost meanwhile.

A draft is for the same person and unit alone, whatever browser record they come back with, and takes effect only
when it is confirmed.
"""

import json
import secrets
from dataclasses import asdict

from flask import current_app

from relying_parties.recruitment.companies import CompanyData
from relying_parties.shared import clock
from relying_parties.shared.database import connection, transaction
from relying_parties.shared.keys import Keys, SealBroken

LIFE = 60 * 60  # seconds
MOST = 5
"""How many drafts one author may have for a unit; older ones go."""


def keep(unit_id: str, person: str, data: CompanyData) -> str:
    """Keep what was typed and return the draft's id."""
    draft_id, now = secrets.token_urlsafe(16), clock.now()
    sealed = _keys().seal(json.dumps(asdict(data)), f"{draft_id}.data")
    with transaction() as database:
        database.execute("DELETE FROM draft WHERE kept_at < ?", [now - LIFE])
        database.execute("INSERT INTO draft VALUES (?, ?, ?, ?, ?)", [draft_id, unit_id, person, sealed, now])
        database.execute(
            "DELETE FROM draft WHERE unit = :unit AND person = :person AND rowid NOT IN ("
            "SELECT rowid FROM draft WHERE unit = :unit AND person = :person ORDER BY rowid DESC LIMIT :most)",
            {"unit": unit_id, "person": person, "most": MOST},
        )
    return draft_id


def find(unit_id: str, person: str, draft_id: str) -> CompanyData | None:
    """Return the draft of this author; None if it was confirmed, is too old, or is not theirs."""
    row = (
        connection()
        .execute(
            "SELECT data FROM draft WHERE id = ? AND unit = ? AND person = ? AND kept_at >= ?",
            [draft_id, unit_id, person, clock.now() - LIFE],
        )
        .fetchone()
    )
    if row is None:
        return None
    try:
        return CompanyData(**json.loads(_keys().unseal(row["data"], f"{draft_id}.data")))
    except SealBroken:
        return None


def drop(unit_id: str, person: str, draft_id: str) -> None:
    """Forget a draft of this author that was saved."""
    connection().execute("DELETE FROM draft WHERE id = ? AND unit = ? AND person = ?", [draft_id, unit_id, person])


def _keys() -> Keys:
    keys: Keys = current_app.extensions["portal_keys"]
    return keys
