"""Which statements a request costs (DESIGN 9): hot ones and those of the ORM, without BEGIN and COMMIT."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from idp.store.db import db
from idp.store.hot import PostgresExecutor, SharedPostgresExecutor, SqliteExecutor, Statement

_KINDS = (
    (SqliteExecutor, "sqlite"),
    (PostgresExecutor, "postgresql"),
    (SharedPostgresExecutor, "postgresql"),
)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Yield a list to which the text of every statement is added that the current application runs meanwhile."""
    texts: list[str] = []

    def by_the_orm(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        texts.append(text)

    patches = [_noting(kind, method, notation, texts) for kind, notation in _KINDS for method in ("one", "all", "run")]
    event.listen(db.engine, "before_cursor_execute", by_the_orm)
    for each in patches:
        each.start()
    try:
        yield texts
    finally:
        for each in patches:
            each.stop()
        event.remove(db.engine, "before_cursor_execute", by_the_orm)


def _noting(kind: type, method: str, notation: str, texts: list[str]) -> Any:
    """Return a patch under which `method` does what it did, and notes the statement."""
    real = getattr(kind, method)

    def noting(self: Any, statement: Statement, /, **values: Any) -> Any:
        texts.append(getattr(statement, notation))
        return real(self, statement, **values)

    return patch.object(kind, method, noting)
