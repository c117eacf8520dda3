"""The figures as a table that people read."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from bench.scenarios import Row


@dataclass(frozen=True)
class Figures:
    """One run of a row. Times are in seconds; `database_cpu` and `statements` are None without PostgreSQL."""

    rate: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float | None
    statements: float | None


def middle(runs: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return Figures(
        rate=median(run.rate for run in runs),
        p50=median(run.p50 for run in runs),
        p99=median(run.p99 for run in runs),
        cpu=median(run.cpu for run in runs),
        database_cpu=_median(run.database_cpu for run in runs),
        statements=_median(run.statements for run in runs),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


HEADS = ("", "ours, 1/s", "peer, 1/s", "ratio", "p50, ms", "p99, ms", "CPU, µs", "database CPU, µs", "statements")


def lines(results: list[tuple[Row, Figures, Figures | None]]) -> list[str]:
    """Return the table in Markdown. Where two figures stand, the second is the peer's."""
    table = ["| " + " | ".join(HEADS) + " |", "|---|" + "--:|" * (len(HEADS) - 1)]
    for row, ours, peer in results:
        cells = [row.title, f"{ours.rate:.0f}"]
        cells += ["–", "–"] if peer is None else [f"{peer.rate:.0f}", f"**{ours.rate / peer.rate:.2f}**"]
        cells += [
            _both(ours.p50 * 1e3, None if peer is None else peer.p50 * 1e3, 1),
            _both(ours.p99 * 1e3, None if peer is None else peer.p99 * 1e3, 1),
            _both(ours.cpu * 1e6, None if peer is None else peer.cpu * 1e6, 0),
            _both(_micro(ours.database_cpu), None if peer is None else _micro(peer.database_cpu), 0),
            _both(ours.statements, None if peer is None else peer.statements, 1),
        ]
        table.append("| " + " | ".join(cells) + " |")
    return table


def _micro(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e6


def _both(ours: float | None, peer: float | None, digits: int) -> str:
    shown = ["–" if value is None else f"{value:.{digits}f}" for value in (ours, peer)]
    return shown[0] if peer is None else " / ".join(shown)
