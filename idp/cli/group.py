"""The command `jingban` itself, and what its subcommands share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DatabaseError

from idp import __version__
from idp.app import create_app
from idp.settings import Settings, SettingWrong
from idp.store import hot
from idp.store.vault import KeyFileError


class Problem(click.ClickException):
    """Something an operator can mend; printed as one sentence, exit code 1."""


def load_settings() -> Settings:
    """Return the settings, or say in one line each what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"  {_name(item['loc'])}: {item['msg']}" for item in error.errors()]
        raise Problem("settings are wrong:\n" + "\n".join(lines)) from error
    except (SettingsError, OSError, ValueError) as error:
        msg = f"settings cannot be read: {error}"
        raise Problem(msg) from error


def _name(location: tuple[Any, ...]) -> str:
    return "JINGBAN_" + "_".join(str(part) for part in location).upper() if location else "settings"


@contextmanager
def application() -> Iterator[Flask]:
    """Open the application for a command that works on the database."""
    try:
        app = create_app(load_settings())
    except (KeyFileError, SettingWrong) as error:
        raise Problem(str(error)) from error
    with app.app_context():
        try:
            yield app
        except DatabaseError as error:
            reason = str(error.orig).strip().splitlines()[0]
            msg = f"the database refuses ({reason}); `jingban doctor` looks closer"
            raise Problem(msg) from error
        finally:
            hot.close_all()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="jingban")
@click.option("--config", type=click.Path(dir_okay=False, exists=True), help="TOML file with settings.")
def main(config: str | None) -> None:
    """Jingban (经办): an OpenID provider for people who act for organisations.

    Settings come from JINGBAN_… variables and from a TOML file (--config or JINGBAN_CONFIG);
    the variables win. `jingban doctor` says what is missing.
    """
    if config is not None:
        os.environ["JINGBAN_CONFIG"] = config
