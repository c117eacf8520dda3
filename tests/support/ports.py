"""Ports for the servers that tests start."""

import random
import socket

LOWEST, HIGHEST = 20_000, 32_000
"""Below Linux's ephemeral range (32768–60999): no outgoing connection takes the port before we use it."""

_given: set[int] = set()


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nothing listens on and that this process was not given before."""
    dice = random.SystemRandom()  # workers that share a seed would all try the same ports
    while True:
        port = dice.randrange(LOWEST, HIGHEST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
