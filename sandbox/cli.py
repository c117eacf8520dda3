"""Starts the stand-ins that were asked for, in one process, until SIGTERM or SIGINT.

    python -m sandbox --sms 0 --unionpay 0 --company-register 0

Port 0 picks a free one. Once all ports are bound one line of JSON goes to stdout, and to `--ports-file`:
{"sms": 41001, "unionpay": 41002, "company_register": 41003}. Requests are logged to stderr, without personal data.
"""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from sandbox import certificates, company_register, face_check, province, sms_gateway, unionpay
from sandbox.serving import Server
from sandbox.web import Invalid

MAX_PORT = 65535
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


@dataclass(frozen=True)
class System:
    """One outside system: its name in options and ports, and how its stand-in is made from a key and a seed."""

    name: str
    create_app: Callable[[str, object], Flask]
    seeded: bool

    @property
    def option(self) -> str:
        """Return the name as it stands in options."""
        return self.name.replace("_", "-")

    @property
    def default_key(self) -> str:
        """Return the API key that is asked for unless another one is given."""
        return f"sandbox-{self.option}"


SYSTEMS = (
    System("sms", sms_gateway.create_app, seeded=False),
    System("unionpay", unionpay.create_app, seeded=True),
    System("company_register", company_register.create_app, seeded=True),
    System("province", province.create_app, seeded=True),
    System("social_card", province.create_social_card, seeded=True),
    System("face_check", face_check.create_app, seeded=False),
    System("certificates", certificates.create_app, seeded=True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; return the exit status. Wrong arguments or data end with status 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    wanted = [system for system in SYSTEMS if getattr(options, system.name) is not None]
    if not wanted:
        parser.error("name at least one system")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    # Blocked before any thread starts, so that every thread leaves the signals to sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        servers = {system.name: _server(system, options) for system in wanted}
    except (OSError, ValueError, Invalid) as error:
        parser.error(f"cannot start: {error}")
    for server in servers.values():
        server.start()
    _announce({name: server.port for name, server in servers.items()}, options.ports_file)
    signal.sigwait(STOP_SIGNALS)
    for server in servers.values():
        server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Stand-ins for the outside world")
    parser.add_argument("--ports-file", type=Path, metavar="FILE", help="write the ports there as JSON")
    for system in SYSTEMS:
        parser.add_argument(f"--{system.option}", type=_port, metavar="PORT", help="0 picks a free port")
        parser.add_argument(
            f"--{system.option}-key",
            default=system.default_key,
            metavar="KEY",
            help="API key that senders must present (default: %(default)s)",
        )
        if system.seeded:
            parser.add_argument(f"--{system.option}-data", type=Path, metavar="FILE", help="JSON to start with")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= MAX_PORT:
        msg = f"a port is between 0 and {MAX_PORT}"
        raise argparse.ArgumentTypeError(msg)
    return port


def _server(system: System, options: argparse.Namespace) -> Server:
    """Make the system's server from its options. Raises OSError, ValueError or Invalid for unusable data."""
    data: Path | None = getattr(options, f"{system.name}_data", None)
    seed = None if data is None else json.loads(data.read_text("utf-8"))
    key: str = getattr(options, f"{system.name}_key")
    return Server(system.create_app(key, seed), getattr(options, system.name))


def _announce(ports: dict[str, int], ports_file: Path | None) -> None:
    line = json.dumps(ports)
    if ports_file is not None:
        # Renamed into place, so that whoever waits for the file never reads half of it.
        partial = ports_file.with_name(ports_file.name + ".partial")
        partial.write_text(line + "\n", "utf-8")
        partial.replace(ports_file)
    print(line, flush=True)
