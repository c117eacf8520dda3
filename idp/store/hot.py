"""The hot statements: SQL text on the driver's own connection, one statement each (DESIGN 9).

Everything else is plain ORM. A statement here is a whole claim, with RETURNING where its row is needed, so that of
many parallel requests exactly one wins. Texts are the same for SQLite and PostgreSQL; parameters are written
`:name`. Times are milliseconds since 1970 (`idp.clock.millis`).

    with hot.transaction() as on:                  # token endpoint: claim, issue and audit are one transaction
        row = on.one(CLAIM_CODE, code_hash=…, now=…)

    hot.reader().one(FIND_SESSION, …)              # a single statement, autocommit
    hot.within(session).one(…)                     # inside the transaction of a use case
"""

import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, Self

import psycopg
from flask import Flask, current_app
from sqlalchemy import URL
from sqlalchemy.orm import Session

from idp.store.db import db, prepare_sqlite
from idp.store.prepared import PreparedStatements

Row = tuple[Any, ...]
_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")
_VALUES = re.compile(r"VALUES \((.*)\)$")


class Statement:
    """One statement in both drivers' notations.

    `lock` is a locking clause for PostgreSQL; SQLite has one writer at a time, so a transaction holds all it reads.
    """

    __slots__ = ("numbered", "parameters", "postgresql", "sqlite")

    def __init__(self, text: str, *, lock: str = "") -> None:
        self.sqlite = text
        whole = f"{text} {lock}".rstrip()
        self.postgresql = _NAMED.sub(r"%(\1)s", whole.replace("%", "%%"))
        self.parameters = tuple(dict.fromkeys(_NAMED.findall(whole)))
        place = {name: f"${number}" for number, name in enumerate(self.parameters, 1)}
        self.numbered = _NAMED.sub(lambda found: place[found[1]], whole)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a claim: a statement that ends with its condition, and what follows it on PostgreSQL."""

    text: str
    ending: str

    @classmethod
    def change(cls, text: str) -> Self:
        """Return the step that a conditional UPDATE is: it must touch a row."""
        return cls(text, "RETURNING 1")

    @classmethod
    def hold(cls, text: str) -> Self:
        """Return the step that a SELECT is: it must find a row, which then stays as it is until the commit."""
        return cls(text, "FOR SHARE")

    @classmethod
    def look(cls, text: str) -> Self:
        """Return the step that a SELECT is whose row may change right after."""
        return cls(text, "")


class Claim:
    """Steps that must all succeed, in this order, for the claim to be won."""

    __slots__ = ("on_sqlite", "steps")

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        # Whoever writes to SQLite holds all of it.
        self.on_sqlite = tuple(Statement(step.text + step.ending.removeprefix("FOR SHARE")) for step in steps)


class Executor(Protocol):
    """Something that runs statements: a held connection, or the connection of a use case's transaction."""

    def one(self, statement: Statement, /, **values: Any) -> Row | None:
        """Return the first row, or None."""
        ...

    def all(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Return all rows."""
        ...

    def run(self, statement: Statement, /, **values: Any) -> int:
        """Return how many rows were touched."""
        ...


class SqliteExecutor:
    """Runs statements on a `sqlite3.Connection`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def one(self, statement: Statement, /, **values: Any) -> Row | None:
        """See `Executor`."""
        # fetchall, not fetchone: SQLite finishes a RETURNING statement only when it is read to its end.
        rows = self.connection.execute(statement.sqlite, values).fetchall()
        return rows[0] if rows else None

    def all(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """See `Executor`."""
        return self.connection.execute(statement.sqlite, values).fetchall()

    def run(self, statement: Statement, /, **values: Any) -> int:
        """See `Executor`."""
        return self.connection.execute(statement.sqlite, values).rowcount


class SharedPostgresExecutor:
    """Runs statements on a psycopg connection that others use too, prepared by the server from the first call on."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def one(self, statement: Statement, /, **values: Any) -> Row | None:
        """See `Executor`."""
        return self._connection.execute(statement.postgresql, values, prepare=True).fetchone()

    def all(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """See `Executor`."""
        return self._connection.execute(statement.postgresql, values, prepare=True).fetchall()

    def run(self, statement: Statement, /, **values: Any) -> int:
        """See `Executor`."""
        return self._connection.execute(statement.postgresql, values, prepare=True).rowcount


class PostgresExecutor:
    """Runs statements on a connection of its own."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._prepared = PreparedStatements(connection)

    def one(self, statement: Statement, /, **values: Any) -> Row | None:
        """See `Executor`."""
        rows, _ = self._prepared.run(statement.numbered, statement.parameters, values)
        return rows[0] if rows else None

    def all(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """See `Executor`."""
        rows, _ = self._prepared.run(statement.numbered, statement.parameters, values)
        return rows

    def run(self, statement: Statement, /, **values: Any) -> int:
        """See `Executor`."""
        _, touched = self._prepared.run(statement.numbered, statement.parameters, values)
        return touched


def within(session: Session) -> Executor:
    """Return an executor on the connection of `session`, in its transaction. Pending changes are flushed first."""
    session.flush()
    driver = session.connection().connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return SqliteExecutor(driver)
    if isinstance(driver, psycopg.Connection):
        return SharedPostgresExecutor(driver)
    msg = f"no hot statements for {type(driver)}"
    raise TypeError(msg)


def executor(on: Session | Executor) -> Executor:
    """Return `on`, or an executor within it: for functions that serve use cases and hot paths alike."""
    return within(on) if isinstance(on, Session) else on


class _Held(threading.local):
    """One connection a thread, opened at first use. `app` and `url` tell a stale one from another application's."""

    app: Flask | None = None
    url: URL | None = None
    executor: SqliteExecutor | PostgresExecutor | None = None


_held = _Held()


def _connect(url: URL) -> SqliteExecutor | PostgresExecutor:
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(url.database or ":memory:")
        prepare_sqlite(connection)
        return SqliteExecutor(connection)
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresExecutor(psycopg.connect(address, autocommit=True))


def _executor() -> SqliteExecutor | PostgresExecutor:
    proxy: Any = current_app  # Flask's types hide that it is one
    app: Flask = proxy._get_current_object()  # noqa: SLF001 - Flask's documented way to the application itself
    held = _held.executor
    if held is not None and _held.app is app and not _is_closed(held):
        return held
    url = db.engine.url
    if held is None or _held.url != url or _is_closed(held):
        close()
        held = _connect(url)
    _held.app, _held.url, _held.executor = app, url, held
    return held


def _is_closed(held: SqliteExecutor | PostgresExecutor) -> bool:
    return isinstance(held, PostgresExecutor) and (held.connection.closed or held.connection.broken)


def close_all() -> None:
    """Close every connection of the application that this thread can reach: before it forks, or ends."""
    close()
    db.session.remove()
    db.engine.dispose()


def close() -> None:
    """Close this thread's held connection, if it has one."""
    if _held.executor is not None:
        _held.executor.connection.close()
        _held.executor = None


def reader() -> Executor:
    """Return an executor on this thread's held connection; each statement commits by itself."""
    return _executor()


def claim_and_write(claim: Claim, writes: tuple[Statement, ...], **values: Any) -> bool:
    """Win `claim` and run `writes`, all of it or nothing; return whether it was won.

    A write is a plain INSERT … VALUES, as the last must be, or ends with its WHERE. One statement on PostgreSQL, where
    each costs a round trip; one transaction on SQLite.
    """
    on = _executor()
    if isinstance(on, PostgresExecutor):
        return on.run(_combined(claim, writes), **values) == 1
    connection = on.connection
    connection.execute("BEGIN IMMEDIATE")
    try:
        won = all(on.one(step, **values) is not None for step in claim.on_sqlite)
        for write in writes if won else ():
            on.run(write, **values)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT" if won else "ROLLBACK")
    return won


@cache
def _combined(claim: Claim, writes: tuple[Statement, ...]) -> Statement:
    """Return one statement whose writes, the last of them outermost, are done only where the last step found a row."""
    parts: list[str] = []
    for number, step in enumerate(claim.steps):
        after = f" AND EXISTS (TABLE step{number - 1})" if number else ""
        parts.append(f"step{number} AS ({step.text}{after} {step.ending})")
    won = f"EXISTS (TABLE step{len(claim.steps) - 1})"
    *first, last = (_only_where(won, write.sqlite) for write in writes)
    parts += [f"write{number} AS ({write})" for number, write in enumerate(first)]
    return Statement(f"WITH {', '.join(parts)} {last}")


def _only_where(condition: str, write: str) -> str:
    inserts, is_insert = _VALUES.subn(r"SELECT \1 WHERE ", write)
    return inserts + condition if is_insert else f"{write} AND {condition}"


@contextmanager
def transaction() -> Iterator[Executor]:
    """Run several hot statements as one transaction on this thread's held connection."""
    on = _executor()
    if isinstance(on, PostgresExecutor):
        with on.connection.transaction():
            yield on
        return
    connection = on.connection
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield on
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
