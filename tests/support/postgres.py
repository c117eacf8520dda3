"""A private PostgreSQL cluster: its own directory, a Unix socket, no TCP, gone after the session."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.services import die_with_us

USER = "jingban"
START_SECONDS = 30
FAST_NOT_SAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
SMALL = ("max_connections=100", "shared_buffers=64MB", "jit=off", "autovacuum_naptime=1h")

EMPTY = """
DO $$
DECLARE each record;
BEGIN
    SET LOCAL session_replication_role = replica;  -- neither foreign keys nor append-only triggers object
    FOR each IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                AND relname <> ALL (string_to_array('{kept}', ' ')) LOOP
        EXECUTE format('DELETE FROM %I', each.relname);
    END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""
SHAPE = """
SELECT (SELECT count(*) || '/' || max(oid) FROM pg_class), (SELECT count(*) || '/' || max(oid) FROM pg_trigger),
       (SELECT count(*) FROM pg_attribute), (SELECT count(*) || '/' || max(oid) FROM pg_constraint)
"""
ROWS = sql.SQL("SELECT count(*), max(xmin::text::bigint) FROM {}")
ANY_ROW = sql.SQL("SELECT 1 FROM {} LIMIT 1")


@dataclass(frozen=True)
class Lent:
    """A database in use: which template it is a copy of, and how its structure and the kept rows looked before."""

    name: str
    template: str
    before: tuple[object, ...]


class PostgresServer:
    """One cluster; every worker of a test session has its own (initdb costs 1 s, sharing costs locks)."""

    def __init__(self, binaries: Path, settings: Sequence[str] = FAST_NOT_SAFE) -> None:
        self._binaries = binaries
        self._settings = settings
        # Directly under /tmp: the account `postgres` must be able to enter, and a socket's path is short.
        self._directory = Path(tempfile.mkdtemp(prefix="jingban-pg-", dir="/tmp"))
        self._account = _account()
        self._names = (f"test_{number}" for number in count(1))
        self._templates: dict[str, str] = {}
        self._kept: dict[str, list[str]] = {}
        self._free: dict[str, list[Lent]] = {}
        if self._account:
            shutil.chown(self._directory, *self._account)
        self._initdb()
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The process id of the server, parent of all its processes."""
        return self._process.pid

    @property
    def host(self) -> str:
        """The directory of the socket, which clients take as the host."""
        return str(self._directory)

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

    def lend(self, template: str) -> Lent:
        """Return a database that is as `template`. To be given back: making one takes longer than most tests."""
        free = self._free.setdefault(template, [])
        if free:
            return free.pop()
        name = self.create(template)
        with self._connect(name) as connection:
            return Lent(name, template, self._fingerprint(connection, template))

    def take_back(self, lent: Lent) -> None:
        """Empty a database for the next test; one whose structure or given rows were changed is dropped."""
        if not self._exists(lent.name):
            return  # a test that is about a database that goes away
        with self._connect(lent.name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            intact = self._fingerprint(connection, lent.template) == lent.before
            if intact:
                kept = " ".join(self._kept_in(connection, lent.template))
                connection.execute(EMPTY.format(kept=kept).encode())
        if intact:
            self._free[lent.template].append(lent)
        else:
            self.drop(lent.name)

    def _exists(self, database: str) -> bool:
        with self._connect("postgres") as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        return found is not None

    def _fingerprint(self, connection: psycopg.Connection, template: str) -> tuple[object, ...]:
        """Return what a test may not leave changed: tables, columns, triggers, and the rows that came with them."""
        shape = connection.execute(SHAPE).fetchone() or ()
        counted = [
            connection.execute(ROWS.format(sql.Identifier(table))).fetchone()
            for table in self._kept_in(connection, template)
        ]
        return (*shape, *counted)

    def _kept_in(self, connection: psycopg.Connection, template: str) -> list[str]:
        """Return the tables that hold rows in the template: the migrations put them there."""
        if template not in self._kept:
            tables = connection.execute("SELECT relname FROM pg_stat_user_tables ORDER BY 1").fetchall()
            self._kept[template] = [
                table for (table,) in tables if connection.execute(ANY_ROW.format(sql.Identifier(table))).fetchone()
            ]
        return self._kept[template]

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
        options = ["listen_addresses=", f"unix_socket_directories={self._directory}", *self._settings, *SMALL]
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
        with self._connect("postgres") as connection:
            connection.execute(statement.encode())

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self._directory), user=USER, dbname=database, autocommit=True)

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
