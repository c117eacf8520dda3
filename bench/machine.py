"""What a server costs the machine: processor time from /proc, statements from PostgreSQL's own count."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.scenarios import Provider

_TICKS = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _CSTIME = 1, 11, 14
"""Fields of /proc/<pid>/stat, counted behind the name (proc(5))."""


@dataclass(frozen=True)
class Server:
    """A provider under load and the process that started all its processes."""

    provider: Provider
    pid: int


def on_cores(cores: set[int]) -> list[str]:
    """Return the command prefix that keeps a process and its children on `cores`."""
    taskset = shutil.which("taskset")
    if taskset is None:
        raise FileNotFoundError("taskset is missing; Debian has it in util-linux")
    return [taskset, "--cpu-list", ",".join(map(str, sorted(cores)))]


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process, its living descendants and its children gone by have used."""
    fields = _processes()
    family, found = {pid}, -1
    while found != len(family):
        found = len(family)
        family |= {each for each, stat in fields.items() if int(stat[_PPID]) in family}
    ticks = sum(int(value) for each in family & fields.keys() for value in fields[each][_UTIME:_CSTIME])
    return ticks / _TICKS


def _processes() -> dict[int, list[str]]:
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue  # ended meanwhile
        found[int(entry.name)] = stat.rpartition(")")[2].split()
    return found


class Statements:
    """Counts what a PostgreSQL server is asked in one database, BEGIN and COMMIT included."""

    def __init__(self, host: str, user: str, database: str) -> None:
        self._connection = psycopg.connect(host=host, user=user, dbname=database, autocommit=True)
        self._connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def count(self) -> int:
        """Return the count so far."""
        row = self._connection.execute(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
            "WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_stat_statements%'"
        ).fetchone()
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
