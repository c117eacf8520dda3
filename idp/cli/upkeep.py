"""Looking after the database, the key file and the signing keys."""

import click

from idp.cli.group import Problem, application, load_settings, main
from idp.store import keyring, vault
from idp.store.migrations import upgrade


@main.group("db")
def database() -> None:
    """Look after the database."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Create the tables and first signing keys, or bring the tables to this version."""
    with application():
        upgrade()
        keyring.ensure_keys()
    click.echo("database is up to date")


@main.group()
def keys() -> None:
    """Look after the key file and the signing keys."""


@keys.command("init")
def keys_init() -> None:
    """Make the key file that encrypts columns. Keep a copy: without it the data cannot be read."""
    path = load_settings().key_file
    try:
        vault.create(path)
    except FileExistsError as error:
        msg = f"{path} exists already and is left alone"
        raise Problem(msg) from error
    click.echo(f"wrote {path}")


@keys.command("list")
def keys_list() -> None:
    """List the signing keys with their states."""
    with application():
        for key in keyring.all_keys():
            click.echo(f"{key.alg:6} {key.state:8} {key.kid}  since {key.created_at:%Y-%m-%d %H:%M}")


@keys.command("rotate")
@click.option("--alg", help="Only this algorithm, e.g. ES256.")
@click.option("--now", "at_once", is_flag=True, help="Use a key that clients may not have fetched yet (key leaked).")
def keys_rotate(alg: str | None, *, at_once: bool) -> None:
    """Make the published next key the active one, and publish a new next key."""
    with application():
        for made in keyring.rotate(alg, at_once=at_once):
            click.echo(made)
