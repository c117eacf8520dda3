"""Looking after the catalogue of businesses and the audit."""

from typing import Any

import click

from idp.audit import chain
from idp.cli.group import Problem, application, main
from idp.delegation import catalogue
from idp.store.db import db


@main.group()
def business() -> None:
    """Look after the businesses that units grant."""


@business.command("put")
@click.argument("code")
@click.option("--name", required=True, help="What users see.")
@click.option("--description", default="", help="One sentence for the grant and consent pages.")
@click.option("--client", "client_id", help="The portal at which it is done.")
@click.option("--min-person-level", type=click.IntRange(0, 3), default=0, show_default=True)
@click.option("--min-unit-level", type=click.IntRange(0, 3), default=0, show_default=True)
@click.option("--needs-verified-unit", is_flag=True, help="Refuse units without real-name verification.")
@click.option(
    "--open-to-unit-account",
    is_flag=True,
    help="A unit without agents may do it itself after its legal representative's face check (U18).",
)
def business_put(code: str, **given: Any) -> None:
    """Enter a business, or change the one of this code. The code is also the scope that portals ask for."""
    with application():
        catalogue.put(catalogue.NewBusiness(code=code, **given))
    click.echo(f"{code} is in the catalogue")


@business.command("list")
def business_list() -> None:
    """List the businesses that may be granted."""
    with application():
        for each in catalogue.open_businesses(db.session()):
            click.echo(f"{each.code:24} L{each.min_person_level}/L{each.min_unit_level} {each.name}")


@main.group()
def audit() -> None:
    """Look after the audit."""


@audit.command("verify")
def audit_verify() -> None:
    """Recompute the hash chain over all entries."""
    with application():
        verdict = chain.verify(db.session())
    if verdict.broken_at is not None:
        msg = f"the chain breaks at place {verdict.broken_at}"
        raise Problem(msg)
    if verdict.unsealed:
        msg = f"{verdict.unsealed} entries older than a minute are not sealed: is a worker running?"
        raise Problem(msg)
    click.echo(f"{verdict.sealed} entries, chain intact")
