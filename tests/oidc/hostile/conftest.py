"""One running provider for all that attacks it over the wire, and one in this process."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from idp.store.db import db
from tests.oidc.hostile import server
from tests.oidc.hostile.consumers import APPROVER, House
from tests.oidc.hostile.server import Running
from tests.support.application import app_factory, migrate
from tests.support.postgres import PostgresServer
from tests.support.signing import plant_keys


@pytest.fixture(scope="session")
def running(
    postgres_server: PostgresServer, key_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The provider of this worker. Tests share it: what they change is their own."""
    name = postgres_server.create(postgres_server.template("migrated", lambda url: migrate(url, key_file)))
    with (
        app_factory(key_file) as make_app,
        server.running(make_app, postgres_server.url(name), key_file, tmp_path_factory.mktemp("hostile")) as provider,
    ):
        yield provider


@pytest.fixture(scope="module")
def provider(migrated_sqlite: Path, key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The provider, which trusts APPROVER."""
    folder = tmp_path_factory.mktemp("jose")
    shutil.copy(migrated_sqlite, folder / "jingban.db")
    approvers = folder / "approvers.json"
    approvers.write_text(json.dumps({"keys": [APPROVER.as_dict(private=False)]}))
    with app_factory(key_file) as make_app:
        yield make_app(
            f"sqlite:///{folder / 'jingban.db'}", software_statement_jwks=approvers, access_token_lifetime=3600
        )


@pytest.fixture(scope="module")
def furnished(provider: Flask) -> House:
    with provider.app_context():
        plant_keys()
        return House.on(provider)


@pytest.fixture
def house(furnished: House) -> Iterator[House]:
    """The house, in its context."""
    with furnished.app.app_context():
        yield furnished
        db.session.remove()
