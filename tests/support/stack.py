"""All of it running: provider (several worker processes), worker, sandbox and sample portal, with the demo's data.

`stack` is one for the session, on PostgreSQL unless `--stack-database sqlite`; `start_stack` makes one of your own,
for a test that kills parts of it. Every part is a real process that speaks HTTP; what a part wrote stands in the
report of a failing test. In `stack.app.app_context()` use cases run on the same database, to prepare a case quickly.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from idp.app import create_app
from idp.demo import portals, seed
from idp.demo.addresses import PARTS, Addresses
from idp.demo.portals import PORTALS, RECRUITMENT
from idp.settings import Settings
from idp.store import hot, vault
from idp.store.db import db
from idp.store.migrations import upgrade
from tests.support.application import QUICK_HASHES
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.processes import ROOT, Spawned, spawn

PROVIDER_WORKERS = 2
SMS_SECONDS = 10.0
JINGBAN = [sys.executable, "-m", "idp"]


@dataclass(frozen=True)
class Stack:
    """The running parts. `described` is what `var/demo.json` says in a demo: accounts, clients, addresses."""

    addresses: Addresses
    described: dict[str, Any]
    environment: dict[str, str]
    app: Flask
    provider: Spawned
    worker: Spawned
    portal: Spawned

    @property
    def issuer(self) -> str:
        """The provider's address, without a trailing slash."""
        return self.addresses.provider

    def account(self, login: str) -> dict[str, Any]:
        """Return the demo's account of that login name."""
        return next(account for account in self.described["accounts"] if account["login"] == login)

    def client(self, client_id: str) -> dict[str, Any]:
        """Return the demo's client of that id, with its secret."""
        return next(client for client in self.described["clients"] if client["client_id"] == client_id)

    def jingban(self, *arguments: str) -> str:
        """Run the command on this stack's database and return what it printed."""
        done = subprocess.run(
            [*JINGBAN, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def messages(self, phone: str) -> list[dict[str, Any]]:
        """Return the SMS that reached `phone` (E.164), newest first."""
        answer = requests.get(f"{self.addresses.sms}/sms/messages", params={"phone": phone}, timeout=5)
        found: list[dict[str, Any]] = answer.json()
        return found

    def next_message(self, phone: str, known: int = 0) -> dict[str, Any]:
        """Wait for the SMS to `phone` that follows the first `known` ones, and return it (`text`, `code`)."""
        give_up = time.monotonic() + SMS_SECONDS
        while time.monotonic() < give_up:
            found = self.messages(phone)
            if len(found) > known:
                return found[-known - 1]
            time.sleep(0.05)
        raise AssertionError(f"no SMS number {known + 1} to {phone} within {SMS_SECONDS} s:\n{self.worker.tail()}")


@contextlib.contextmanager
def start_stack(
    database_url: str, directory: Path, *, workers: int = PROVIDER_WORKERS, people: bool = True, **changes: Any
) -> Iterator[Stack]:
    """Run a whole stack on the empty database at `database_url`, files in `directory`; `changes` are settings.

    Without `people` there is the portal and its businesses, but no account.
    """
    addresses = Addresses(*(f"http://localhost:{free_port()}" for _ in PARTS))
    settings = _settings(addresses, database_url, directory, changes)
    environment = _environment(settings)
    with ExitStack() as parts:
        parts.enter_context(spawn(_sandbox(addresses, directory), health=f"{addresses.sms}/health"))
        app = parts.enter_context(_application(settings))
        described = _seed(app, seed.fill if people else seed.open_portals, addresses)
        serve = [*JINGBAN, "serve", "--port", _port(addresses.provider), "--workers", str(workers)]
        provider = parts.enter_context(spawn(serve, env=environment, health=f"{addresses.provider}/health"))
        worker = parts.enter_context(spawn([*JINGBAN, "worker"], env=environment))
        portal = parts.enter_context(_portal(addresses, described, directory))
        yield Stack(addresses, described, environment, app, provider, worker, portal)


def _settings(addresses: Addresses, database_url: str, directory: Path, changes: dict[str, Any]) -> Settings:
    usual: dict[str, Any] = {
        "issuer": addresses.provider,
        "database_url": database_url,
        "key_file": directory / "keys.json",
        "sms_url": addresses.sms,
        "sms_key": "sandbox-sms",
        "unionpay_url": addresses.unionpay,
        "unionpay_key": "sandbox-unionpay",
        "company_register_url": addresses.company_register,
        "company_register_key": "sandbox-company-register",
        "face_check_url": addresses.face_check,
        "face_check_key": "sandbox-face-check",
        "fetch_allow_loopback": True,
        "log_format": "console",
        "trusted_proxies": 1,  # so that every browser of the tests comes from an address of its own
    }
    return Settings(**(usual | QUICK_HASHES | changes))


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings as variables for a process."""
    plain = settings.model_dump(mode="json", exclude_defaults=True)
    for name in ("sms_key", "unionpay_key", "company_register_key", "face_check_key"):
        plain[name] = getattr(settings, name).get_secret_value()
    return {
        f"JINGBAN_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in plain.items()
    }


@contextlib.contextmanager
def _application(settings: Settings) -> Iterator[Flask]:
    """The application in this process, on the database that the provider of the stack will use."""
    vault.create(settings.key_file)
    app = create_app(settings)
    try:
        yield app
    finally:
        hot.close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _seed(app: Flask, fill: Callable[[Addresses], dict[str, Any]], addresses: Addresses) -> dict[str, Any]:
    """Migrate and fill the database; return what a demo would write into `var/demo.json`."""
    with app.app_context():
        upgrade()
        described = fill(addresses)
        db.session.remove()
    return described


def _sandbox(addresses: Addresses, directory: Path) -> list[str]:
    command = [sys.executable, "-m", "sandbox"]
    for option, address in addresses.sandbox().items():
        command += [f"--{option.replace('_', '-')}", _port(address)]
    for option, path in seed.sandbox_data(directory).items():
        command += [f"--{option.replace('_', '-')}-data", str(path)]
    return command


def _portal(
    addresses: Addresses, described: dict[str, Any], directory: Path
) -> contextlib.AbstractContextManager[Spawned]:
    portal = next(each for each in PORTALS if each.client_id == RECRUITMENT)
    client = next(each for each in described["clients"] if each["client_id"] == RECRUITMENT)
    environment = portals.environment(portal, addresses, client, str(directory))
    command = [sys.executable, "-m", "relying_parties.recruitment", "--port", _port(addresses.recruitment)]
    return spawn(command, env=environment, health=f"{addresses.recruitment}/health")


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the session's stack run on SQLite."""
    parser.addoption("--stack-database", choices=["postgresql", "sqlite"], default="postgresql")


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running stack of this worker. Tests share it: bring people and units of your own if you change them."""
    directory = tmp_path_factory.mktemp("stack")
    with start_stack(_empty_database(request, directory), directory) as running:
        yield running


@pytest.fixture(scope="session")
def empty_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that nobody has registered with yet, shared by the tests of this worker."""
    directory = tmp_path_factory.mktemp("empty-stack")
    with start_stack(_empty_database(request, directory), directory, people=False) as running:
        yield running


def _empty_database(request: pytest.FixtureRequest, directory: Path) -> str:
    """Return the URL of a new database of the kind that the command line asks for."""
    if request.config.getoption("--stack-database") == "sqlite":
        return f"sqlite:///{directory / 'jingban.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url(server.create())
