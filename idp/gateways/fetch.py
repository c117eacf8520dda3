"""The one guarded way out to addresses that others chose: key sets, back-channel logout, revocation lists (DESIGN 3).

Whoever registers a client chooses where we call, so a call is a gift to attackers (server-side request forgery):
https only, the address is looked up once, judged, and the connection goes to exactly that address; no redirects, no
proxies from the environment, three seconds for everything, 64 KB at most.

A setting lets demos and conformance tests call this machine, plain http included. Another names the private networks
in which an intranet's portals live; these are called by https like all others. Nothing else private opens.
"""

import http.client
import io
import re
import socket
import ssl
import threading
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask

from idp.settings import Settings, SettingWrong, settings

SECONDS = 3.0
MAX_BODY = 64 * 1024
WIRE_MORE = 16 * 1024  # header lines and chunk sizes
MAX_URL = 2048

_VISIBLE = re.compile(r"[!-~]+")
# A translator behind this prefix would turn the last 32 bits into an IPv4 address that nobody judged (RFC 6052 §2.1).
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class FetchFailed(Exception):
    """The call was refused by us or came to nothing. `reason` is a stable code without the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def init_app(app: Flask, settings: Settings) -> None:
    """Read the file of `fetch_ca_file` if it is set. Raises SettingWrong: at start, not at the first call."""
    del app
    if settings.fetch_ca_file is None:
        return
    try:
        _tls_context(settings.fetch_ca_file)
    except ssl.SSLError as error:
        raise SettingWrong("fetch_ca_file", f"{settings.fetch_ca_file} holds no certificates (PEM)") from error
    except OSError as error:
        raise SettingWrong("fetch_ca_file", f"{settings.fetch_ca_file} cannot be read ({error.strerror})") from error


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status; `body` is at most as long as the caller takes."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to call: the name for the Host header and the certificate, and the path with its query."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str
    plain_will_do: bool = False


def get(url: str, *, accept: str = "application/json") -> Fetched:
    """Fetch `url`. Raises FetchFailed."""
    return _exchange(_target(url), "GET", None, {"Accept": accept})


def get_signed(url: str, *, accept: str, most: int) -> Fetched:
    """Fetch what proves itself by its signature, of `most` bytes: plain http will do (RFC 5280 §4.2.1.13).

    Raises FetchFailed.
    """
    return _exchange(_target(url, plain_will_do=True), "GET", None, {"Accept": accept}, most)


def post_form(url: str, fields: dict[str, str]) -> Fetched:
    """Send `fields` as application/x-www-form-urlencoded. Raises FetchFailed."""
    body = urlencode(fields).encode()
    return _exchange(_target(url), "POST", body, {"Content-Type": "application/x-www-form-urlencoded"})


def _target(url: str, *, plain_will_do: bool = False) -> _Target:
    """Take an address apart, refusing what could be read in two ways: other schemes, user names, blanks, fragments."""
    if len(url) > MAX_URL or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise FetchFailed("url_malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchFailed("url_malformed") from error
    if not parts.hostname or "@" in parts.netloc or "#" in url:
        raise FetchFailed("url_malformed")
    secure = parts.scheme == "https"
    if not secure and not (parts.scheme == "http" and (plain_will_do or settings().fetch_allow_loopback)):
        raise FetchFailed("not_https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(secure, parts.hostname, port or (443 if secure else 80), parts.netloc, path, plain_will_do)


def _exchange(
    target: _Target, method: str, body: bytes | None, headers: dict[str, str], most: int = MAX_BODY
) -> Fetched:
    end = monotonic() + SECONDS
    address = _address_of(target, end)
    fixed = {"Host": target.authority, "Accept-Encoding": "identity", "Connection": "close", "User-Agent": "jingban"}
    try:
        with _connect(address, target, end) as plain:
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = _Bounded(plain, end, most + WIRE_MORE)
            connection.request(method, target.path, body, {**fixed, **headers})
            answer = connection.getresponse()
            content = answer.read(most + 1)
    except TimeoutError as error:
        raise FetchFailed("timeout") from error
    except ssl.SSLError as error:
        raise FetchFailed("tls") from error
    except OSError as error:
        raise FetchFailed("connection") from error
    except (http.client.HTTPException, ValueError) as error:
        raise FetchFailed("answer_malformed") from error
    if len(content) > most:
        raise FetchFailed("too_large")
    if answer.length:
        raise FetchFailed("answer_malformed")  # cut off: less came than Content-Length said
    return Fetched(answer.status, answer.getheader("Content-Type", ""), content)


def _address_of(target: _Target, end: float) -> Address:
    """Look the name up once and return its first address. One address that we must not call spoils the name."""
    found = _look_up(target.host, target.port, end)
    for address in found:
        if not may_call(address, secure=target.secure or target.plain_will_do):
            raise FetchFailed("address_forbidden")
    return found[0]


def may_call(address: Address, *, secure: bool) -> bool:
    """Whether we may connect: a public unicast address or one in a network that a setting names, by https.

    This machine only where another setting says so.
    """
    if address.is_loopback:
        return settings().fetch_allow_loopback
    if secure and any(address in network for network in settings().fetch_networks):
        return True
    if not secure or not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped is None and address.sixtofour is None and address not in _NAT64
    return True


def _look_up(host: str, port: int, end: float) -> list[Address]:
    """Resolve `host` in a thread of its own: the system's resolver knows no deadline."""
    answers: list[Address] = []

    def resolve() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        answers.extend(ip_address(str(row[4][0]).partition("%")[0]) for row in rows)

    resolver = threading.Thread(target=resolve, daemon=True)
    resolver.start()
    resolver.join(max(0.0, end - monotonic()))
    if resolver.is_alive():
        raise FetchFailed("timeout")
    if not answers:
        raise FetchFailed("name_unknown")
    return answers


def _connect(address: Address, target: _Target, end: float) -> socket.socket:
    plain = socket.create_connection((str(address), target.port), timeout=_left(end))
    if not target.secure:
        return plain
    try:
        plain.settimeout(_left(end))
        return _tls_context(settings().fetch_ca_file).wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


@cache
def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _left(end: float) -> float:
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Bounded:
    """A socket that stops at a moment and after a number of bytes, however slowly or endlessly the peer sends."""

    def __init__(self, plain: socket.socket, end: float, room: int) -> None:
        self._socket = plain
        self._end = end
        self._room = room

    def sendall(self, data: Any) -> None:
        """Send all of `data` in the time that is left."""
        self._socket.settimeout(_left(self._end))
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what `http.client` reads the answer from."""
        del mode
        return io.BufferedReader(_BoundedReader(self._socket, self._end, self._room))

    def close(self) -> None:
        """Do nothing: `http.client` calls this before the answer is read; `_exchange` closes the socket."""


class _BoundedReader(io.RawIOBase):
    """Reads from a socket until the deadline or the limit."""

    def __init__(self, plain: socket.socket, end: float, room: int) -> None:
        self._socket = plain
        self._end = end
        self._room = room

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left(self._end))
        count = self._socket.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise FetchFailed("too_large")
        return count
