"""Prepared statements straight on libpq, as psycopg wraps it: half the processor time of psycopg's cursors.

More than the time itself it saves handing the interpreter over: one call, in which other threads run, sends the
statement, waits and receives. For the connection that a thread holds for its hot statements, and nothing else is done
on it but BEGIN, COMMIT and ROLLBACK: psycopg forgets all prepared statements of a connection when it rolls back, and
knows of none here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors, pq

Row = tuple[Any, ...]

_TEXT, _BINARY = 0, 1


def _integer(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _text(value: bytes) -> str:
    return value.decode()


def _as_it_is(value: bytes) -> bytes:
    return value


def _boolean(value: bytes) -> bool:
    return value != b"\x00"


# By the type's oid in pg_type, in binary format: bool, bytea, int8, int2, int4, text, unknown, char(n), varchar.
_READERS: dict[int, Callable[[bytes], Any]] = {
    16: _boolean,
    17: _as_it_is,
    20: _integer,
    21: _integer,
    23: _integer,
    25: _text,
    705: _text,
    1042: _text,
    1043: _text,
}


class _Known:
    """A statement that the server has prepared: its name, its parameters in order, and how to read its columns."""

    __slots__ = ("name", "parameters", "readers")

    def __init__(self, name: bytes, parameters: Sequence[str]) -> None:
        self.name = name
        self.parameters = parameters
        self.readers: list[Callable[[bytes], Any]] | None = None


class PreparedStatements:
    """Runs statements on one connection, which this thread alone uses; each is prepared at its first use."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn = connection.pgconn
        self._known: dict[str, _Known] = {}

    def run(self, text: str, parameters: Sequence[str], values: Mapping[str, Any]) -> tuple[list[Row], int]:
        """Run a statement with `$1` … in place of `parameters`; return its rows, and how many it touched.

        Raises psycopg.Error, of the class that the SQLSTATE names.
        """
        known = self._known.get(text) or self._prepare(text, parameters)
        sent, formats = _written([values[name] for name in known.parameters])
        result = self._pgconn.exec_prepared(known.name, sent, formats, _BINARY)
        if result.status == pq.ExecStatus.TUPLES_OK:
            return _rows(result, known), result.command_tuples or 0
        if result.status == pq.ExecStatus.COMMAND_OK:
            return [], result.command_tuples or 0
        raise self._error(result)

    def _prepare(self, text: str, parameters: Sequence[str]) -> _Known:
        known = _Known(f"hot{len(self._known)}".encode(), parameters)
        result = self._pgconn.prepare(known.name, text.encode())
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise self._error(result)
        self._known[text] = known
        return known

    def _error(self, result: pq.abc.PGresult) -> psycopg.Error:
        if self._pgconn.status != pq.ConnStatus.OK:
            return psycopg.OperationalError("the connection to the database is lost")
        return errors.error_from_result(result)


def _written(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Return values as the server reads them. Raises TypeError for what no hot statement takes."""
    sent: list[Any] = []  # bytes or None, which psycopg's type leaves out
    formats = []
    for value in values:
        formats.append(_BINARY if isinstance(value, bytes) else _TEXT)
        sent.append(_one(value))
    return sent, formats


def _one(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        if "\x00" in value:  # libpq would end the text there
            raise psycopg.DataError("PostgreSQL stores no NUL in a text")
        return value.encode()
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    msg = f"no hot statement takes {type(value)}"
    raise TypeError(msg)


def _rows(result: pq.abc.PGresult, known: _Known) -> list[Row]:
    if known.readers is None:
        known.readers = [_reader(result.ftype(column)) for column in range(result.nfields)]
    get, readers = result.get_value, known.readers
    return [
        tuple(None if (value := get(row, column)) is None else reader(value) for column, reader in enumerate(readers))
        for row in range(result.ntuples)
    ]


def _reader(oid: int) -> Callable[[bytes], Any]:
    reader = _READERS.get(oid)
    if reader is None:
        msg = f"no hot statement returns a column of type {oid}"
        raise TypeError(msg)
    return reader
