"""Typing authorisation codes in a process of its own (U14)."""

from collections.abc import Sequence
from pathlib import Path

from idp.app import create_app
from idp.delegation import unit_verification
from idp.errors import DomainError
from idp.settings import Settings
from idp.store import hot
from idp.store.db import db


def outcomes_in_a_process(database_url: str, key_file: str, tries: Sequence[tuple[str, str, str]]) -> list[str]:
    """Type each of `tries` (who, unit, code) and return what came of it: "ok", or the name of the refusal."""
    app = create_app(Settings(database_url=database_url, key_file=Path(key_file)))
    with app.app_context():
        outcomes = []
        for actor_id, unit_id, typed in tries:
            try:
                unit_verification.verify(actor_id, unit_id, typed)
                outcomes.append("ok")
            except DomainError as error:
                outcomes.append(type(error).__name__)
        db.session.remove()
        hot.close()
        return outcomes
