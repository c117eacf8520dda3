"""The audit chain (A4): every change to what was written is found, and the database refuses to make one."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from idp.audit import chain
from idp.audit.log import Entry, record
from idp.audit.model import AuditEntry, AuditSeal
from idp.store import hot
from idp.store.db import db, transaction


def write(*actions: str) -> None:
    with transaction() as session:
        for action in actions:
            record(session, Entry(action, actor_id="p_1", unit_id="u_1", client_id="portal", details={"n": 1}))


def test_entries_are_sealed_in_order_and_verify(app: Flask) -> None:
    """A4: the chain covers every entry and verifies."""
    write("one", "two", "three")
    assert chain.seal() == 3
    assert chain.seal() == 0
    assert chain.verify(db.session()) == chain.Verdict(sealed=3, broken_at=None, unsealed=0)


def test_entry_by_a_hot_statement_is_the_same(app: Flask) -> None:
    """A4: an entry written beside the ORM is sealed like any other."""
    with hot.transaction() as on:
        record(on, Entry("hot", actor_id="p_1"))
    assert chain.seal() == 1
    assert chain.verify(db.session()).intact


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit_entry SET action = 'changed'", "DELETE FROM audit_entry", "UPDATE audit_seal SET hash = 'x'"],
)
def test_database_refuses_changes(app: Flask, change: str) -> None:
    """A4: nobody edits the audit through the application's own connection."""
    write("one")
    chain.seal()
    with pytest.raises((DBAPIError, IntegrityError, OperationalError), match="append-only"), transaction() as session:
        session.execute(text(change))


def test_change_behind_the_triggers_is_found(app: Flask) -> None:
    """A4: whoever drops the triggers and edits an entry breaks the chain at that place."""
    write("one", "two", "three")
    chain.seal()
    drop = {
        "sqlite": "DROP TRIGGER audit_entry_no_update",
        "postgresql": "DROP TRIGGER audit_entry_append_only ON audit_entry",
    }
    with transaction() as session:
        session.execute(text(drop[db.engine.dialect.name]))
        session.execute(text("UPDATE audit_entry SET actor_id = 'p_2' WHERE action = 'two'"))
    assert chain.verify(db.session()).broken_at == 2


def test_removed_entry_is_found(app: Flask) -> None:
    """A4: a place that is missing from the middle breaks the chain there."""
    write("one", "two", "three")
    chain.seal()
    drop = {
        "sqlite": ("DROP TRIGGER audit_seal_no_delete",),
        "postgresql": ("DROP TRIGGER audit_seal_append_only ON audit_seal",),
    }
    with transaction() as session:
        for statement in drop[db.engine.dialect.name]:
            session.execute(text(statement))
        session.execute(text("DELETE FROM audit_seal WHERE position = 2"))
    assert chain.verify(db.session()).broken_at == 2


def test_entries_that_wait_too_long_are_told(app: Flask) -> None:
    """A4: an entry that nobody seals is not passed over in silence."""
    write("one")
    with transaction() as session:
        session.execute(text("INSERT INTO audit_entry (at, action, outcome, details) VALUES (0, 'old', 'ok', '{}')"))
    assert chain.verify(db.session()).unsealed == 1
    assert db.session().query(AuditEntry).count() == 2
    assert db.session().query(AuditSeal).count() == 0
