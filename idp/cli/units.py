"""Looking after units: what a window officer does."""

import json

import click

from idp.cli.group import Problem, application, main
from idp.delegation import unit_verification
from idp.delegation.errors import NobodyToTell
from idp.units.authorisation_codes import Issued
from idp.units.errors import UnitUnknown, UnitVerified


@main.group()
def unit() -> None:
    """Look after units."""


@unit.command("authorise")
@click.argument("number")
@click.option("--sms", "by_sms", is_flag=True, help="Also send it to the unit's common contact, else to its agents.")
def unit_authorise(number: str, *, by_sms: bool) -> None:
    """Issue an authorisation code (单位授权码) to the unit of this USCC or organisation code. Printed once, as JSON.

    Whoever brings it makes the unit real-named: see the unit's documents first, and compare the name. A code issued
    before is worth nothing any more.
    """
    with application():
        issued = _issue(number, by_sms=by_sms)
    said = {"unit": issued.unit, "authorisation_code": issued.code, "expires_at": int(issued.expires_at.timestamp())}
    click.echo(json.dumps(said, ensure_ascii=False))


def _issue(number: str, *, by_sms: bool) -> Issued:
    try:
        return unit_verification.issue(number, by_sms=by_sms)
    except UnitUnknown as error:
        msg = "no active unit has this number: a USCC of 18 characters, or an organisation code of 9"
        raise Problem(msg) from error
    except UnitVerified as error:
        msg = "the unit is real-named already and needs no code"
        raise Problem(msg) from error
    except NobodyToTell as error:
        msg = "nobody is bound to the unit who could get an SMS; no code was issued"
        raise Problem(msg) from error
