"""Fixtures for tests of the protocol."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.oidc.portal import Portal
from tests.support.application import MakeApp
from tests.support.clocks import moved_clock
from tests.support.signing import plant_keys

__all__ = ["moved_clock"]


@pytest.fixture
def portal(app: Flask) -> Portal:
    """A portal with a secret, people and units to sign in; once on SQLite and once on PostgreSQL."""
    plant_keys()
    return Portal.registered(app)


@pytest.fixture
def sqlite_app(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Flask]:
    """The application in its context, on SQLite, for what cannot depend on the database."""
    application = make_app(migrated_sqlite_url)
    with application.app_context():
        yield application


@pytest.fixture
def sqlite_portal(sqlite_app: Flask) -> Portal:
    """The portal on SQLite, for what cannot depend on the database."""
    plant_keys()
    return Portal.registered(sqlite_app)
