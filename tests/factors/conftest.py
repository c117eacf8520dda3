"""Where tests of factors run: on both databases, or where a database decides nothing, on SQLite alone."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import rows
from tests.support.application import MakeApp


@pytest.fixture
def sqlite_app(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Flask]:
    """The application in its context, on SQLite."""
    application = make_app(migrated_sqlite_url)
    with application.app_context():
        yield application


@pytest.fixture
def person_on_sqlite(sqlite_app: Flask) -> str:
    """Person 0 at 三级实名, on SQLite."""
    return rows.person(real_name_level=3)
