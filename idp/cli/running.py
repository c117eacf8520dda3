"""Running it: serve, worker, demo, doctor."""

import sys
from pathlib import Path

import click

from idp import doctor, jobs
from idp.cli.group import application, load_settings, main
from idp.store import keyring


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, help="Worker processes; as many as cores is right.")
@click.option("--threads", type=int, help="Threads a worker.  [default: 1 on SQLite, 4 on PostgreSQL]")
def serve(host: str, port: int, workers: int, threads: int | None) -> None:
    """Serve the provider (granian). Put a proxy with TLS in front of it."""
    from granian.constants import Interfaces  # noqa: PLC0415 - only this command needs the server
    from granian.server import Server  # noqa: PLC0415

    settings = load_settings()
    on_sqlite = settings.database_url.startswith("sqlite")
    with application():
        keyring.ensure_keys()
    Server(
        "idp.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads or (1 if on_sqlite else 4),
        backpressure=256,
        factory=True,
        respawn_failed_workers=True,  # else the death of one takes the provider down
        log_access=False,
    ).serve()


@main.command()
def worker() -> None:
    """Do what needs no browser to wait: run at least one.

    Delivers SMS and logouts, closes expired grants, seals the audit, rotates signing keys, forgets what expired.
    """
    with application() as app:
        pass
    jobs.run(app)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("var"), show_default=True)
@click.option("--port", default=8000, show_default=True, help="Port of the provider; the others follow it.")
@click.option("--fresh", is_flag=True, help="Start with a new database.")
def demo(folder: Path, port: int, *, fresh: bool) -> None:
    """Run everything on this machine, with data to try."""
    from idp.demo import supervisor  # noqa: PLC0415 - the demo is no part of the provider

    supervisor.run(folder, port, fresh=fresh)


@main.command("doctor")
def doctor_command() -> None:
    """Say in plain words what is wrong with this installation.

    Looks at settings, key file, database, tables, clock, signing keys, audit, and at what is called outside.
    """
    findings = list(doctor.examine(load_settings()))
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.what}: {finding.says}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)
