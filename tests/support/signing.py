"""Signing keys for tests: generated once a session, because RSA keys take their time, then copied."""

from typing import Any

from sqlalchemy import insert, select

from idp.store import keyring
from idp.store.db import db, transaction
from idp.store.signing_keys import SigningKey

_made: list[dict[str, Any]] = []


def plant_keys() -> None:
    """Give the database of the current application an active and a next key for every algorithm."""
    if not _made:
        keyring.ensure_keys()
        _made.extend(dict(row) for row in db.session.execute(select(SigningKey.__table__)).mappings())
        return
    with transaction() as session:
        session.execute(insert(SigningKey), _made)
