"""One running provider for all that attacks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oidc.hostile import server
from tests.oidc.hostile.server import Running
from tests.support.application import app_factory, migrate
from tests.support.postgres import PostgresServer


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
