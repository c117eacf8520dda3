"""Serves a portal until SIGTERM, with the settings in the environment."""

import argparse
import logging
from collections.abc import Callable, Sequence

from flask import Flask
from granian.constants import Interfaces
from granian.server import Server

from relying_parties.shared.settings import Settings, SettingsError

THREADS = 4


def serve(portal: str, arguments: Sequence[str] | None = None) -> None:
    """Serve the package `portal`. Exits with status 2 if a setting is missing."""
    name = portal.rpartition(".")[2]
    parser = argparse.ArgumentParser(prog=f"python -m {portal}", description=f"Serve {name} until SIGTERM.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    try:
        Settings.from_environment(prefix_of(name))
    except SettingsError as error:
        parser.error(str(error))
    # One worker: SQLite has one writer, and the provider's keys are read once.
    Server(
        f"{portal}.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backpressure=256,
        factory=True,
        log_access=False,
    ).serve()


def build(name: str, create_app: Callable[[Settings], Flask]) -> Flask:
    """Build the portal called `name` from the settings in the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    return create_app(Settings.from_environment(prefix_of(name)))


def prefix_of(name: str) -> str:
    """Return how the variables of a portal begin: RECRUITMENT_."""
    return f"{name.upper()}_"
