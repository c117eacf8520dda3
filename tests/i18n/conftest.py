"""Fixtures for the languages of the pages."""

from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog
from flask import Flask, g

from tests.i18n.scenes import UPSTREAM, World
from tests.support.application import MakeApp
from tests.support.processes import ROOT
from tools import catalogues


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """What these tests read is what stands in the .po files now."""
    catalogues.compile_all(ROOT)


@pytest.fixture(scope="session")
def sources() -> Catalog:
    """Every string that the sources mark, as `make messages` finds them."""
    return catalogues.extract(ROOT)


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Flask]:
    """The application on SQLite (words do not depend on the database); its requests know nothing of each other."""
    application = make_app(migrated_sqlite_url, upstreams=(UPSTREAM,))

    def forget() -> None:
        for name in list(g):
            g.pop(name)

    application.before_request_funcs.setdefault(None, []).insert(0, forget)
    with application.app_context():
        yield application


@pytest.fixture
def world(app: Flask) -> World:
    """People, units and a portal."""
    return World(app)
