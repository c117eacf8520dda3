"""Requests byte by byte, as no HTTP library would send them."""

import contextlib
import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """What came back: None where the connection was closed without a word."""

    status: int | None
    headers: http.client.HTTPMessage | None = None
    body: bytes = b""


def send(address: str, request: bytes, *, hang_up: bool = False) -> Answer:
    """Send the bytes to the server at `address` and return its first answer; with `hang_up` say that no more comes.

    Raises TimeoutError where neither an answer nor the end comes in time.
    """
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=SECONDS) as connection:
        with contextlib.suppress(OSError):  # it may answer before it has read all
            connection.sendall(request)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
        except (http.client.BadStatusLine, ConnectionResetError):
            return Answer(None)
        return Answer(response.status, response.headers, response.read())


def message(method: str, path: str, *headers: bytes, body: bytes = b"", length: bool = True) -> bytes:
    """Return a request of these header lines; with its true length unless `length` is false."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}".encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
