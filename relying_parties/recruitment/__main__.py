"""Serves the portal until SIGTERM: `python -m relying_parties.recruitment --port 8001`."""

import argparse
from collections.abc import Sequence

from granian.constants import Interfaces
from granian.server import Server

from relying_parties.recruitment.settings import Settings, SettingsError

THREADS = 4


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve. Exits with status 2 if a setting is missing."""
    parser = argparse.ArgumentParser(prog="python -m relying_parties.recruitment", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    try:
        Settings.from_environment()
    except SettingsError as error:
        parser.error(str(error))
    # One worker: SQLite has one writer, and the provider's keys are read once.
    Server(
        "relying_parties.recruitment.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backpressure=256,
        factory=True,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
