"""`jingban unit authorise` as a window officer's desk uses it (U14)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from idp.audit.model import AuditEntry
from idp.cli import main
from idp.delegation import unit_verification
from idp.notify.model import OutboxMessage
from idp.store.db import db, release
from idp.units.model import Unit
from tests.support import fictional, rows
from tests.support.application import MakeApp


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Flask]:
    """SQLite alone: tests/delegation asks both databases what this rests on."""
    application = make_app(migrated_sqlite_url)
    with application.app_context():
        yield application


def authorise(app: Flask, key_file: Path, *arguments: str) -> Result:
    """Run the command on the application's database."""
    release()
    environment = {
        "JINGBAN_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "JINGBAN_KEY_FILE": str(key_file),
    }
    return CliRunner().invoke(main, ["unit", "authorise", *arguments], env=environment)


def test_the_code_is_printed_once_and_verifies_the_unit(app: Flask, key_file: Path) -> None:
    unit_id = rows.unit(1)
    done = authorise(app, key_file, fictional.uscc(1))
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["unit"] == fictional.unit_name(1)
    assert 0 < told["expires_at"] - time.time() <= 7 * 86400
    assert db.session.query(AuditEntry.action).filter_by(unit_id=unit_id).all() == [
        ("unit.authorisation_code_issued",)
    ]
    unit_verification.verify(unit_id, unit_id, told["authorisation_code"])
    release()
    assert db.session.get_one(Unit, unit_id).verified_at is not None
    again = authorise(app, key_file, fictional.uscc(1))
    assert again.exit_code == 1
    assert "real-named already" in again.stderr


def test_by_the_organisation_code_and_by_sms(app: Flask, key_file: Path) -> None:
    unit_id = rows.unit(2, document_type="org_code", document_number=fictional.org_code(2))
    nobody = authorise(app, key_file, "--sms", fictional.org_code(2))
    assert nobody.exit_code == 1
    assert "nobody is bound" in nobody.stderr
    rows.binding(unit_id, rows.person())
    done = authorise(app, key_file, "--sms", fictional.org_code(2))
    assert done.exit_code == 0, done.output
    payload = json.loads(db.session.query(OutboxMessage.payload).scalar())
    assert payload["phone"] == fictional.mobile()
    assert payload["params"]["code"] == json.loads(done.stdout)["authorisation_code"]


@pytest.mark.parametrize("number", [fictional.uscc(9), "91440101MA00000157", "nonsense"])
def test_a_number_that_no_unit_has(app: Flask, key_file: Path, number: str) -> None:
    rows.unit(1)
    done = authorise(app, key_file, number)
    assert done.exit_code == 1
    assert "no active unit has this number" in done.stderr
    assert not done.stdout
