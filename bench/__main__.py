"""`python -m bench`: our provider and its peer on this machine, in turns, and the table of what was found.

The server that is measured has core 0 (two workers: both cores); this load and PostgreSQL have core 1. Commits are
durable. Each figure is the median of several rounds in which the two providers take turns.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from bench import load, peer, provider
from bench.load import Client
from bench.machine import Server, Statements, cpu_seconds
from bench.scenarios import ROWS, Row
from bench.table import Figures, lines, middle
from tests.support.postgres import USER, PostgresServer
from tests.support.services import postgres_bin

DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_preload_libraries=pg_stat_statements")
PLACES = ("postgresql:1", "postgresql:2", "sqlite:1", "sqlite:2")
SERVER_CORES = {1: {0}, 2: {0, 1}}
OUR_CORES = {1}
WARM_UP_SECONDS = 0.5


@dataclass(frozen=True)
class Subject:
    """A server, the database server beside it, and how to count what it asks of that one."""

    server: Server
    postgres: PostgresServer
    statements: Statements | None


@dataclass(frozen=True)
class Plan:
    """How long and with how many clients each row is driven."""

    seconds: float
    rounds: int
    clients: int


@click.command()
@click.option("--seconds", default=3.0, show_default=True, help="How long one run takes.")
@click.option("--rounds", default=3, show_default=True, help="How many runs of each; the median counts.")
@click.option("--clients", default=8, show_default=True, help="How many clients ask at once.")
@click.option("--row", "names", multiple=True, type=click.Choice([row.name for row in ROWS]), help="Only these.")
@click.option("--place", "places", multiple=True, type=click.Choice(PLACES), help="Only these.")
@click.option("--alone", is_flag=True, help="Without the peer.")
def main(seconds: float, rounds: int, clients: int, names: list[str], places: list[str], *, alone: bool) -> None:
    """Measure, and print one table for each database and number of workers."""
    load.pin(OUR_CORES)
    rows = [row for row in ROWS if not names or row.name in names]
    plan = Plan(seconds, rounds, clients)
    for place in places or PLACES:
        kind, _, workers = place.partition(":")
        with _subjects(kind, int(workers), alone=alone) as (ours, theirs):
            results = [_measure(row, ours, theirs, plan) for row in rows]
        peer_is = "" if alone else f"; peer: oidc-provider {peer.version()} on PostgreSQL, {workers} worker(s)"
        click.echo("\n".join(["", f"### {kind}, {workers} worker(s){peer_is}", "", *lines(results)]))


@contextlib.contextmanager
def _subjects(kind: str, workers: int, *, alone: bool) -> Iterator[tuple[Subject, Subject | None]]:
    """Start what is measured; all of it is gone afterwards."""
    cores = SERVER_CORES[workers]
    with ExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        postgres = parts.enter_context(_postgres())
        if kind == "sqlite":
            url, statements = f"sqlite:///{directory / 'jingban.sqlite3'}", None
        else:
            database = postgres.create()
            url, statements = postgres.url(database), parts.enter_context(_statements(postgres, database))
        running = provider.running(url, directory, workers=workers, cores=cores)
        ours = Subject(parts.enter_context(running), postgres, statements)
        theirs = None if alone else parts.enter_context(_peer(postgres, workers, cores))
        yield ours, theirs


@contextlib.contextmanager
def _peer(postgres: PostgresServer, workers: int, cores: set[int]) -> Iterator[Subject]:
    database = postgres.create()
    with (
        _statements(postgres, database) as statements,
        peer.running(postgres.host, database, workers=workers, cores=cores) as server,
    ):
        yield Subject(server, postgres, statements)


@contextlib.contextmanager
def _postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own that loses nothing in a crash, on the core of the load."""
    binaries = postgres_bin()
    if binaries is None:
        raise click.ClickException("PostgreSQL is not installed: `make bench` as root installs it")
    server = PostgresServer(binaries, DURABLE)  # inherits our cores
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def _statements(postgres: PostgresServer, database: str) -> Iterator[Statements]:
    counter = Statements(postgres.host, USER, database)
    try:
        yield counter
    finally:
        counter.close()


def _measure(row: Row, ours: Subject, theirs: Subject | None, plan: Plan) -> tuple[Row, Figures, Figures | None]:
    """Drive both in turns and return the medians."""
    subjects = [ours] if theirs is None else [ours, theirs]
    clients = [[_prepared(subject, row) for _ in range(plan.clients)] for subject in subjects]
    runs: list[list[Figures]] = [[] for _ in subjects]
    for subject, ready in zip(subjects, clients, strict=True):
        load.run(subject.server.provider.address, ready, WARM_UP_SECONDS)
    for _ in range(plan.rounds):
        for subject, ready, found in zip(subjects, clients, runs, strict=True):
            found.append(_run(subject, ready, plan.seconds))
            click.echo(".", nl=False, err=True)
    return row, middle(runs[0]), None if theirs is None else middle(runs[1])


def _prepared(subject: Subject, row: Row) -> Client:
    """Return one client of the load, with the tokens or cookies that it needs."""
    provider_under_load = subject.server.provider
    found: list[Client] = []

    def once() -> load.Steps:
        found.append((yield from row.prepare(provider_under_load)))

    load.run(provider_under_load.address, [once], 0)
    return found[0]


def _run(subject: Subject, clients: list[Client], seconds: float) -> Figures:
    counter = subject.statements
    statements = 0 if counter is None else counter.count()
    cpu, database_cpu = cpu_seconds(subject.server.pid), cpu_seconds(subject.postgres.pid)
    measured = load.run(subject.server.provider.address, clients, seconds)
    done = len(measured.latencies)
    return Figures(
        rate=measured.rate,
        p50=measured.percentile(0.5),
        p99=measured.percentile(0.99),
        cpu=(cpu_seconds(subject.server.pid) - cpu) / done,
        database_cpu=None if counter is None else (cpu_seconds(subject.postgres.pid) - database_cpu) / done,
        statements=None if counter is None else (counter.count() - statements) / done,
    )


if __name__ == "__main__":
    main()
