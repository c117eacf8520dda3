"""Typing authorisation codes in a process of its own (U14)."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from idp.app import create_app
from idp.delegation import unit_verification
from idp.settings import Settings
from tests.support.parallel import all_at_once


def outcomes_in_a_process(database_url: str, key_file: str, tries: Sequence[tuple[str, str, str]]) -> list[str]:
    """Type `tries` (who, unit, code) at once and return what came of each: "ok", or the name of the refusal."""
    app = create_app(Settings(database_url=database_url, key_file=Path(key_file)))
    outcomes = all_at_once(app, [partial(unit_verification.verify, *each) for each in tries])
    return ["ok" if outcome is None else type(outcome).__name__ for outcome in outcomes]
