"""The database session and the one way to write: a use case is one `transaction()`.

SQLite takes one writer at a time, and a transaction that begins with a read and then writes can fail at once
however long the time-out is. So a writing transaction begins as a writer (BEGIN IMMEDIATE) and waits its turn.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from idp.store.base import Base

SQLITE_WAIT_MS = 15_000

# Objects stay readable after commit; `transaction()` makes sure that none is stale when it matters.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})

_writing: ContextVar[bool] = ContextVar("writing", default=False)


@contextmanager
def transaction() -> Iterator[Session]:
    """Run one use case: commit at the end, roll back on any exception. Use cases do not nest.

    What was read before is read anew inside, so that a decision never rests on an old row.
    """
    session = db.session()
    if _writing.get():
        msg = "a transaction is already open: use cases do not nest"
        raise RuntimeError(msg)
    if session.dirty or session.new or session.deleted:
        msg = "changes were made outside a transaction"
        raise RuntimeError(msg)
    if session.in_transaction():
        session.commit()
    session.expire_all()
    token = _writing.set(True)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)


def init_app(app: Flask) -> None:
    """Attach the database to `app`."""
    db.init_app(app)
    app.teardown_appcontext(_end_reading)  # registered last, so it is called before the session is removed


def _end_reading(error: BaseException | None) -> None:
    """End a transaction that only read by COMMIT: at a ROLLBACK psycopg forgets all statements that it prepared.

    Whatever wrote has been committed or rolled back by `transaction()`. After an error the session is left as it is:
    removing it rolls back.
    """
    if error is not None or not db.session.registry.has():
        return
    session = db.session()
    if session.in_transaction() and not (session.dirty or session.new or session.deleted):
        with suppress(SQLAlchemyError):  # a database that went away meanwhile: nothing is lost
            session.commit()


def release() -> None:
    """Give the connection back before something slow (a password hash, a call to the outside) begins."""
    if db.session.registry.has() and db.session().in_transaction():
        db.session().commit()


@event.listens_for(Engine, "connect")
def _set_up_connection(connection: Any, record: Any) -> None:
    """Prepare an SQLite connection: WAL, durable commits, foreign keys; transactions are begun by `_begin`."""
    del record
    if not isinstance(connection, sqlite3.Connection):
        return
    prepare_sqlite(connection)


def prepare_sqlite(connection: sqlite3.Connection) -> None:
    """Set the pragmas that every SQLite connection of ours has."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {SQLITE_WAIT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # a lost commit would let a used code or token live again after a crash
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
