"""Hot statements on PostgreSQL: prepared straight on libpq, they take and give what psycopg would."""

import importlib
import pkgutil
import threading
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask

import idp
from idp.store import hot
from idp.store.hot import Statement


def _hot_statements() -> Iterator[Statement]:
    for module in pkgutil.walk_packages(idp.__path__, "idp."):
        if module.name != "idp.__main__":
            found = vars(importlib.import_module(module.name)).values()
            yield from (each for each in found if isinstance(each, Statement))


def test_the_server_understands_every_hot_statement(postgres_app: Flask) -> None:
    """A parameter whose type it cannot tell from its place would be found by the first user else."""
    connection = psycopg.connect(
        postgres_app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg", ""), autocommit=True
    )
    statements = {each.numbered for each in _hot_statements()}
    assert len(statements) > 40
    wrong = {}
    with connection:
        for number, text in enumerate(sorted(statements)):
            result = connection.pgconn.prepare(f"s{number}".encode(), text.encode())
            if result.error_message:
                wrong[text] = result.error_message
    assert wrong == {}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("text", "张三 '\"\\%s :name $1"),
        ("text", ""),
        ("text", None),
        ("varchar(20)", "x"),
        ("bigint", 2**63 - 1),
        ("bigint", -(2**63)),
        ("integer", -1),
        ("smallint", 0),
        ("boolean", True),
        ("boolean", False),
        ("bytea", bytes(range(256))),
        ("bytea", b""),
        ("bytea", None),
    ],
)
def test_values_come_back_as_they_went(postgres_app: Flask, column: str, value: object) -> None:
    echo = Statement(f"SELECT CAST(:value AS {column})")
    assert hot.reader().one(echo, value=value) == (value,)
    assert hot.reader().one(echo, value=value) == (value,)


def test_rows_are_counted(postgres_app: Flask) -> None:
    on = hot.reader()
    on.run(Statement("CREATE TEMPORARY TABLE counted (n integer)"))
    assert on.run(Statement("INSERT INTO counted SELECT generate_series(1, :last)"), last=3) == 3
    assert on.run(Statement("UPDATE counted SET n = n + 10 WHERE n > :least"), least=1) == 2
    assert list(on.all(Statement("UPDATE counted SET n = n WHERE n > :least RETURNING n"), least=11)) == [(12,), (13,)]
    assert on.one(Statement("SELECT n FROM counted WHERE n = :n"), n=99) is None
    assert on.run(Statement("DELETE FROM counted")) == 3


@pytest.mark.parametrize("value", ["a\x00b", "\x00"])
def test_a_nul_is_refused_and_not_the_end_of_the_text(postgres_app: Flask, value: str) -> None:
    with pytest.raises(psycopg.DataError):
        hot.reader().one(Statement("SELECT CAST(:value AS text)"), value=value)


def test_what_no_statement_takes_or_gives_is_refused(postgres_app: Flask) -> None:
    with pytest.raises(TypeError, match="takes"):
        hot.reader().one(Statement("SELECT CAST(:value AS text)"), value=1.5)
    with pytest.raises(TypeError, match="returns"):
        hot.reader().one(Statement("SELECT now()"))


def test_errors_are_those_of_psycopg(postgres_app: Flask) -> None:
    """The connection is good for the next statement, in and out of a transaction."""
    insert = Statement("INSERT INTO region SELECT * FROM region")
    with pytest.raises(psycopg.errors.UniqueViolation):
        hot.reader().run(insert)
    with pytest.raises(psycopg.errors.UndefinedTable):
        hot.reader().run(Statement("SELECT 1 FROM no_such_table"))
    seven = Statement("SELECT CAST(:n AS integer)")

    def failing() -> None:
        with hot.transaction() as on:
            assert on.one(seven, n=7) == (7,)
            on.run(insert)

    with pytest.raises(psycopg.errors.UniqueViolation):
        failing()
    with hot.transaction() as on:
        assert on.one(seven, n=7) == (7,)
    assert hot.reader().one(seven, n=7) == (7,)


def test_a_connection_that_is_lost_is_opened_anew(postgres_app: Flask) -> None:
    on = hot.reader()
    pid = on.one(Statement("SELECT pg_backend_pid()"))
    assert pid is not None
    with psycopg.connect(
        postgres_app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg", ""), autocommit=True
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", pid)
    with pytest.raises(psycopg.OperationalError):
        on.one(Statement("SELECT 1"))
    assert hot.reader().one(Statement("SELECT 1")) == (1,)


def test_a_statement_that_waits_lets_others_run(postgres_app: Flask) -> None:
    """libpq waits without the interpreter: a thread counts while another one's statement sleeps."""
    counted = 0
    sleeping = threading.Event()

    def sleep() -> None:
        with postgres_app.app_context():
            hot.reader().one(Statement("SELECT 1"))
            sleeping.set()
            hot.reader().one(Statement("SELECT CAST(1 AS integer) FROM pg_sleep(0.3)"))
            hot.close()

    other = threading.Thread(target=sleep)
    other.start()
    assert sleeping.wait(10)
    while other.is_alive():
        counted += 1
        other.join(0.01)
    assert counted > 5
