"""Fixtures for the languages of the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from flask import Flask

from tests.flows.inside import forgetful
from tests.i18n.scenes import UPSTREAM, World
from tests.support.application import MakeApp, app_factory, copy_sqlite
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


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, key_file: Path) -> tuple[Path, World]:
    """A database with the people, units and portal of every scene, to copy from, and who they are."""
    folder = tmp_path_factory.mktemp("stage")
    with app_factory(key_file) as make_app:
        app = make_app(copy_sqlite(migrated_sqlite, folder))
        with app.app_context():
            world = World(app)
    return folder / migrated_sqlite.name, world


@pytest.fixture
def world(stage: tuple[Path, World], make_app: MakeApp, tmp_path: Path) -> Iterator[World]:
    """People, units and a portal, on SQLite: words do not depend on the database."""
    database, world = stage
    app = forgetful(make_app(copy_sqlite(database, tmp_path), upstreams=(UPSTREAM,)))
    with app.app_context():
        yield world.on(app)


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Flask]:
    """The application on SQLite, without anybody in it."""
    application = forgetful(make_app(migrated_sqlite_url))
    with application.app_context():
        yield application
