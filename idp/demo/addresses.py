"""Where the parts of the demo listen."""

import socket
from dataclasses import dataclass
from typing import Any, Self

HOST = "localhost"
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Addresses:
    """One address each, without a trailing slash."""

    provider: str
    sms: str
    unionpay: str
    company_register: str
    recruitment: str

    @classmethod
    def from_demo(cls, described: dict[str, Any]) -> Self:
        """Return the addresses that an earlier run wrote into `demo.json`."""
        return cls(provider=described["issuer"], **described["sandbox"], **described["portals"])


def choose(port: int) -> Addresses:
    """Return addresses on free ports, from `port` on."""
    free = _free_ports(port, 5)
    return Addresses(*(f"http://{HOST}:{each}" for each in free))


def _free_ports(first: int, count: int) -> list[int]:
    found: list[int] = []
    for port in range(first, LAST_PORT):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) != 0:
                found.append(port)
        if len(found) == count:
            return found
    msg = f"no {count} free ports from {first} on"
    raise OSError(msg)
