"""A closed loop of clients over raw sockets: each sends, reads its whole answer, and only then sends again.

What is measured must be the server and not this, so a request is bytes made beforehand wherever they can be, and of
an answer no more is parsed than the next request needs.
"""

import os
import selectors
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

CHUNK = 65536
GIVE_UP_SECONDS = 30.0


class UnexpectedAnswerError(Exception):
    """A server answered what the scenario cannot go on with: the figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, head as bytes in its own spelling, and body."""

    status: int
    head: bytes
    body: bytes

    def headers(self, name: str) -> list[str]:
        """Return the values of a header, in order."""
        wanted = name.lower()
        lines = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n")[1:])
        return [value.strip() for key, _, value in lines if key.lower() == wanted]

    def expect(self, *statuses: int) -> "Answer":
        """Return this answer. Raises UnexpectedAnswerError when it has another status."""
        if self.status not in statuses:
            msg = f"{self.status} in place of {statuses}: {self.head[:300]!r} {self.body[:600]!r}"
            raise UnexpectedAnswerError(msg)
        return self


Steps = Generator[bytes, Answer, None]
"""One iteration of a client: yields requests, is sent their answers, ends when it is done."""

Client = Callable[[], Steps]


@dataclass
class Measured:
    """What one run found. Latencies are in seconds, one an iteration."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    requests: int = 0

    @property
    def rate(self) -> float:
        """Iterations per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency (seconds) that `share` (0 … 1) of the iterations did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection:
    """One client on its own connection, kept alive."""

    def __init__(self, address: tuple[str, int], client: Client) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._steps = client()
        self._buffer = b""
        self.began_at = 0.0

    def begin(self) -> None:
        """Send the first request of an iteration."""
        self._steps = self._client()
        self.began_at = time.perf_counter()
        self.socket.sendall(next(self._steps))

    def read(self) -> bool | None:
        """Read what came. None: the answer is not whole yet; False: the next request is out; True: iteration done."""
        part = self.socket.recv(CHUNK)
        if not part:
            raise UnexpectedAnswerError("the server hung up")
        self._buffer += part
        answer = self._whole()
        if answer is None:
            return None
        try:
            self.socket.sendall(self._steps.send(answer))
        except StopIteration:
            return True
        return False

    def _whole(self) -> Answer | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._buffer[:end]
        start = end + 4
        length = _content_length(head)
        if len(self._buffer) < start + length:
            return None
        body = self._buffer[start : start + length]
        self._buffer = self._buffer[start + length :]
        return Answer(int(head[9:12]), head, body)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        if b"\r\ntransfer-encoding:" in lower:
            raise UnexpectedAnswerError("chunked answers are not read")
        return 0
    value = lower[at + 17 :].split(b"\r\n", 1)[0]
    return int(value)


def run(address: tuple[str, int], clients: list[Client], seconds: float) -> Measured:
    """Let each of `clients` work on a connection of its own for `seconds`, and return what they found.

    An iteration that began in time is counted when it ends. Raises UnexpectedAnswerError.
    """
    connections = [_Connection(address, client) for client in clients]
    measured = Measured()
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.begin()
        _loop(selector, measured, started + seconds)
        measured.seconds = time.perf_counter() - started
    for connection in connections:
        connection.socket.close()
    return measured


def _loop(selector: selectors.BaseSelector, measured: Measured, until: float) -> None:
    while selector.get_map():
        events = selector.select(GIVE_UP_SECONDS)
        if not events:
            raise UnexpectedAnswerError("no answer came")
        for key, _ in events:
            connection: _Connection = key.data
            done = connection.read()
            if done is None:
                continue
            measured.requests += 1
            if not done:
                continue
            now = time.perf_counter()
            measured.latencies.append(now - connection.began_at)
            if now < until:
                connection.begin()
            else:
                selector.unregister(connection.socket)


def pin(cores: set[int]) -> None:
    """Keep this process on `cores`, away from the server."""
    os.sched_setaffinity(0, cores)
