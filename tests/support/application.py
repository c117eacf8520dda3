"""The application on a migrated database: for tests of use cases and of pages without a browser.

`app` runs a test once on SQLite and once on PostgreSQL; `postgres_app` only there. Gateways are not configured;
a test that needs one starts the sandbox and sets its address with `make_app(url, sms_url=…)`.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Dialect, Engine
from sqlalchemy.exc import OperationalError
from werkzeug.routing import Rule

from idp.app import create_app
from idp.settings import Settings
from idp.store import hot, vault
from idp.store.db import db
from idp.store.migrations import upgrade
from tests.support.postgres import PostgresServer

QUICK_HASHES = {"argon2_memory_kib": 8192, "argon2_time_cost": 1}

MakeApp = Callable[..., Flask]


class RuleCompiledOnce(Rule):
    """A rule whose address builder is compiled once in this process: most of what making an application costs."""

    _kept: ClassVar[dict[tuple[object, ...], Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, self.subdomain, self.host, repr(self.defaults), self.map.host_matching, append_unknown)
        if key not in self._kept:
            self._kept[key] = super()._compile_builder(append_unknown)
        return self._kept[key]


Flask.url_rule_class = RuleCompiledOnce


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all applications of this process. A source that changed has another checksum."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Return the bucket of a template in one language."""
        language = getattr(environment, "language", "")
        return super().get_bucket(environment, f"{language}/{name}", filename, source)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket if the template was compiled before."""
        kept = self._kept.get(bucket.key)
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled just now."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_compiled_templates = CompiledTemplates()

_dialects: dict[str, Dialect] = {}
_compiled_statements: dict[object, object] = {}


def compile_statements_once(engine: Engine) -> None:
    """Let all engines of this process that speak one dialect share the statements that SQLAlchemy compiled.

    It keeps them by dialect and engine, and a test has both of its own: a third of its time went into compiling.
    """
    kept = _dialects.get(engine.dialect.name)
    if kept is None:
        try:
            engine.connect().close()  # a dialect asks its first connection what the server can do
        except OperationalError:
            return
        kept = _dialects.setdefault(engine.dialect.name, engine.dialect)
    engine.dialect = kept
    engine.update_execution_options(compiled_cache=_compiled_statements)


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key file for the whole session."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    vault.create(path)
    return path


def migrate(url: str, key_file: Path) -> None:
    """Bring the database at `url` to the newest migration."""
    app = create_app(Settings(database_url=url, key_file=key_file))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory, key_file: Path) -> Path:
    """A migrated SQLite file to copy from."""
    path = tmp_path_factory.mktemp("migrated") / "jingban.db"
    migrate(f"sqlite:///{path}", key_file)
    return path


def copy_sqlite(original: Path, folder: Path) -> str:
    """Copy an SQLite file that nobody writes to into `folder`, and return the URL of the copy."""
    copy = folder / original.name
    for suffix in ("", "-wal", "-shm"):
        part = original.with_name(original.name + suffix)
        if part.exists():
            shutil.copy(part, copy.with_name(copy.name + suffix))
    return f"sqlite:///{copy}"


@pytest.fixture
def migrated_sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """URL of a fresh migrated SQLite file."""
    return copy_sqlite(migrated_sqlite, tmp_path)


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServer, key_file: Path) -> Iterator[str]:
    """URL of a migrated PostgreSQL database that is as new."""
    lent = postgres_server.lend(postgres_server.template("migrated", lambda url: migrate(url, key_file)))
    yield postgres_server.url(lent.name)
    postgres_server.take_back(lent)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh migrated database; the test runs once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue(f"migrated_{request.param.removesuffix('ql')}_url"))


@contextlib.contextmanager
def app_factory(key_file: Path) -> Iterator[MakeApp]:
    """Give a function that builds the application on a URL, with any setting changed by keyword; close them after."""
    made: list[Flask] = []

    def make(database_url: str, **changes: Any) -> Flask:
        usual: dict[str, Any] = {"database_url": database_url, "key_file": key_file}
        app = create_app(Settings(**(usual | QUICK_HASHES | changes)))
        app.testing = True
        app.jinja_env.bytecode_cache = _compiled_templates
        with app.app_context():
            compile_statements_once(db.engine)
        made.append(app)
        return app

    yield make
    hot.close()
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def make_app(key_file: Path) -> Iterator[MakeApp]:
    """Return a function that builds the application on a URL, with any setting changed by keyword."""
    with app_factory(key_file) as make:
        yield make


@pytest.fixture
def app(make_app: MakeApp, migrated_url: str) -> Iterator[Flask]:
    """The application in its context, once on SQLite and once on PostgreSQL."""
    application = make_app(migrated_url)
    with application.app_context():
        yield application


@pytest.fixture
def postgres_app(make_app: MakeApp, migrated_postgres_url: str) -> Iterator[Flask]:
    """The application in its context, on PostgreSQL."""
    application = make_app(migrated_postgres_url)
    with application.app_context():
        yield application
