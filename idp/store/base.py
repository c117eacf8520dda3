"""What every table is built from: the declarative base, constraint names, and the column types of our own."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import BigInteger, Dialect, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from idp.store.vault import Vault

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Base(DeclarativeBase):
    """Parent of all models. The names of constraints are fixed, so that migrations can drop them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def to_millis(moment: datetime) -> int:
    """Return an aware `moment` as milliseconds since 1970."""
    return (moment - EPOCH) // MILLISECOND


def from_millis(millis: int) -> datetime:
    """Return the aware UTC moment that is `millis` milliseconds after 1970."""
    return EPOCH + millis * MILLISECOND


class Instant(TypeDecorator[datetime]):
    """A moment, kept in milliseconds since 1970 (BIGINT).

    The same number on SQLite and PostgreSQL lets a hot statement compare times with one text for both.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse naive datetimes: they would be off by the machine's time zone."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime cannot be stored"
            raise ValueError(msg)
        return to_millis(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        del dialect
        return None if value is None else from_millis(value)


class JsonText(TypeDecorator[Any]):
    """A small JSON value kept as text, so that raw statements read the same on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write compact JSON with sorted keys."""
        del dialect
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the parsed value."""
        del dialect
        return None if value is None else json.loads(value)


def vault() -> Vault:
    """Return the vault of the running application."""
    found: Vault = current_app.extensions["jingban.vault"]
    return found


class EncryptedText(TypeDecorator[str]):
    """Text under AES-256-GCM. `context` binds a value to its column: rows cannot be swapped between columns."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt under the active key."""
        del dialect
        return None if value is None else vault().encrypt(value.encode(), self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Decrypt under the key that the value names."""
        del dialect
        return None if value is None else vault().decrypt(bytes(value), self.context).decode()
