"""The command `jingban`. Each module beside adds its subcommands to `main`."""

from idp.cli import clients, records, running, units, upkeep
from idp.cli.group import main

__all__ = ["clients", "main", "records", "running", "units", "upkeep"]
