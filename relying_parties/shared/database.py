"""SQLite, in WAL mode: one connection a request, and one short transaction for whatever must happen together."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app, g

BUSY_MILLISECONDS = 5000

SESSIONS = """
CREATE TABLE IF NOT EXISTS browser (
    id TEXT PRIMARY KEY,               -- SHA-256 of its cookie
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS identity (  -- someone signed in: a person for themselves, or for one unit
    id TEXT PRIMARY KEY,
    browser_id TEXT NOT NULL REFERENCES browser (id) ON DELETE CASCADE,
    sid TEXT NOT NULL,                 -- the provider's session, which a logout token names
    person TEXT NOT NULL,              -- `sub` of the ID token
    person_name TEXT NOT NULL,
    unit TEXT,                         -- `acting_for.sub`; without it everybody acts for themselves
    unit_uscc TEXT,
    unit_name TEXT,
    unit_verified INTEGER,
    capacity TEXT,
    delegation_ends_at INTEGER,
    scope TEXT NOT NULL,
    id_token BLOB NOT NULL,
    access_token BLOB,                 -- sealed, like the two others
    access_ends_at INTEGER NOT NULL,
    refresh_token BLOB,
    refreshing_until INTEGER NOT NULL DEFAULT 0,
    signed_in_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    acr TEXT,                          -- at which level the person signed in,
    auth_time INTEGER,                 -- and when
    ended_at INTEGER,
    ended_why TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS identity_browser ON identity (browser_id);
CREATE INDEX IF NOT EXISTS identity_sid ON identity (sid);
CREATE INDEX IF NOT EXISTS identity_person ON identity (person);

CREATE TABLE IF NOT EXISTS logout (    -- logout tokens that were obeyed
    jti TEXT PRIMARY KEY,
    sid TEXT,
    person TEXT,
    issued_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS logout_sid ON logout (sid);

CREATE TABLE IF NOT EXISTS sign_in (   -- between the departure to the provider and the return
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
"""


def create(path: Path, tables: str) -> None:
    """Make the tables that are missing in the database at `path`. Raises sqlite3.Error."""
    connection = _open(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SESSIONS + tables)
    finally:
        connection.close()


def connection() -> sqlite3.Connection:
    """Return this request's connection. Statements outside of `transaction` commit by themselves."""
    if "database" not in g:
        g.database = _open(current_app.config["DATABASE"])
    found: sqlite3.Connection = g.database
    return found


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """Yield the connection with the write lock held; commit at the end, roll back on an exception."""
    database = connection()
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def init_app(app: Flask, path: Path, tables: str) -> None:
    """Create the tables of sessions and the portal's own `tables`, and close each request's connection at its end."""
    create(path, tables)
    app.config["DATABASE"] = path
    app.teardown_appcontext(_close)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys = ON")
    return database


def _close(_error: BaseException | None) -> None:
    database: sqlite3.Connection | None = g.pop("database", None)
    if database is not None:
        database.close()
