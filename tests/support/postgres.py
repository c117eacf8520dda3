"""A private PostgreSQL cluster: its own directory, a Unix socket, no TCP, gone after the session."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg

from tests.support.services import die_with_us

USER = "jingban"
START_SECONDS = 30
FAST_NOT_SAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
SMALL = ("max_connections=100", "shared_buffers=64MB", "jit=off", "autovacuum_naptime=1h")


class PostgresServer:
    """One cluster; every worker of a test session has its own (initdb costs 1 s, sharing costs locks)."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # Directly under /tmp: the account `postgres` must be able to enter, and a socket's path is short.
        self._directory = Path(tempfile.mkdtemp(prefix="jingban-pg-", dir="/tmp"))
        self._account = _account()
        self._names = (f"test_{number}" for number in count(1))
        self._templates: dict[str, str] = {}
        if self._account:
            shutil.chown(self._directory, *self._account)
        self._initdb()
        self._process = self._start()

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of `database`."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self._directory}"

    def create(self, template: str = "template0") -> str:
        """Make a database as a copy of `template` and return its name."""
        name = next(self._names)
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, database: str) -> None:
        """Drop `database`, ending the connections that a server under test may still hold."""
        self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """Return the database to copy from that `prepare(url)` filled, once for each `name`."""
        if name not in self._templates:
            database = self.create()
            prepare(self.url(database))
            self._templates[name] = database
        return self._templates[name]

    def stop(self) -> None:
        """Stop the server and delete its files."""
        self._process.send_signal(signal.SIGINT)  # fast shutdown: ends sessions, no waiting for them
        self._process.wait(START_SECONDS)
        shutil.rmtree(self._directory)

    def _initdb(self) -> None:
        command = [str(self._binaries / "initdb"), "-D", str(self._directory / "data"), "-U", USER]
        options = ["--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8"]
        done = subprocess.run(
            [*self._as_account(), *command, *options], capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")

    def _start(self) -> subprocess.Popen[bytes]:
        options = ["listen_addresses=", f"unix_socket_directories={self._directory}", *FAST_NOT_SAFE, *SMALL]
        flags = [part for option in options for part in ("-c", option)]
        log = self._directory / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *self._as_account(),
                    *die_with_us("QUIT"),  # after the change of account, which would clear it
                    self._binaries / "postgres",
                    "-D",
                    self._directory / "data",
                    *flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C at the terminal is for pytest, which stops it in order
                cwd="/",
            )
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up and process.poll() is None:
            if self._answers():
                return process
            time.sleep(0.02)
        process.kill()
        raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self._directory), user=USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _as_account(self) -> list[str]:
        if self._account is None:
            return []
        user, group = self._account
        return ["setpriv", "--reuid", user, "--regid", str(group), "--clear-groups"]


def _account() -> tuple[str, int] | None:
    """Return the user and group that run the server when we are root, whom initdb refuses; else None."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("postgres")
    return entry.pw_name, entry.pw_gid
