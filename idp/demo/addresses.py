"""Where the parts of the demo listen."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

HOST = "localhost"
SANDBOX = ("sms", "unionpay", "company_register", "province", "social_card", "face_check", "certificates")
"""The sandbox's systems, as its options and ports name them."""
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Addresses:
    """One address each, without a trailing slash."""

    provider: str
    sms: str
    unionpay: str
    company_register: str
    recruitment: str
    province: str
    social_card: str
    face_check: str
    certificates: str
    service_hall: str

    @classmethod
    def from_demo(cls, described: dict[str, Any]) -> Self:
        """Return the addresses that an earlier run wrote into `demo.json`, and new ones for parts that came since."""
        known = {"provider": described["issuer"], **described["sandbox"], **described["portals"]}
        missing = [part for part in PARTS if part not in known]
        free = _free_ports(int(described["issuer"].rpartition(":")[2]), len(missing), list(known.values()))
        return cls(**known, **dict(zip(missing, free, strict=True)))

    def sandbox(self) -> dict[str, str]:
        """Return the addresses of the sandbox's systems by their names."""
        return {system: getattr(self, system) for system in SANDBOX}


PARTS = tuple(part.name for part in fields(Addresses))


def choose(port: int) -> Addresses:
    """Return addresses on free ports, from `port` on."""
    return Addresses(*_free_ports(port, len(PARTS)))


def _free_ports(first: int, count: int, taken: Sequence[str] = ()) -> list[str]:
    """Return addresses on ports that nobody listens at; `taken` are addresses that somebody soon will."""
    found: list[str] = []
    for port in range(first, LAST_PORT):
        if len(found) == count:
            return found
        address = f"http://{HOST}:{port}"
        with socket.socket() as probe:
            if address not in taken and probe.connect_ex((HOST, port)) != 0:
                found.append(address)
    msg = f"no {count} free ports from {first} on"
    raise OSError(msg)
