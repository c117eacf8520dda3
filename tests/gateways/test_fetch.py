"""The guarded client (DESIGN 3): https only, the address pinned and not private, no redirects, 3 s, 64 KB."""

import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from time import monotonic

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from idp.gateways import fetch
from idp.gateways.fetch import FetchFailed
from tests.oidc.servers import portal, raw_server, tls_for

MakeApp = Callable[..., Flask]


@pytest.fixture
def strict(make_app: MakeApp, sqlite_url: str):
    """An application with production's rules."""
    with make_app(sqlite_url).app_context():
        yield


@pytest.fixture
def lenient(make_app: MakeApp, sqlite_url: str):
    """An application that may call this machine."""
    with make_app(sqlite_url, fetch_allow_loopback=True).app_context():
        yield


def why(url: str) -> str:
    with pytest.raises(FetchFailed) as failed:
        fetch.get(url)
    return failed.value.reason


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/",
        "https://192.168.1.1/jwks",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://0.0.0.0/",
        "https://2130706433/",  # 127.0.0.1 as one number, as the resolver reads it
        "https://0x7f.1/",
        "https://100.64.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::a00:1]/",  # NAT64 to 10.0.0.1
        "https://[2002:a00:1::]/",  # 6to4 by way of 10.0.0.1
        "https://[ff02::1]/",
    ],
)
def test_private_addresses_are_not_called(strict: None, url: str) -> None:
    assert why(url) == "address_forbidden"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://portal.example/", "not_https"),
        ("http://127.0.0.1/", "not_https"),
        ("ftp://portal.example/", "not_https"),
        ("file:///etc/passwd", "url_malformed"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "not_https"),
        ("https://good.example@10.0.0.1/", "url_malformed"),
        ("https://portal.example/#x", "url_malformed"),
        ("https://portal.example/\r\nX-Smuggled: 1", "url_malformed"),
        ("https://portal.example\\@10.0.0.1/", "url_malformed"),
        ("https://portal.example:99999/", "url_malformed"),
        ("https://[::1/", "url_malformed"),
        ("https:///path", "url_malformed"),
        ("https://门户.example/", "url_malformed"),
        ("https://portal.example/" + "a" * 3000, "url_malformed"),
        ("", "url_malformed"),
    ],
)
def test_addresses_that_are_none_of_ours(strict: None, url: str, reason: str) -> None:
    assert why(url) == reason


def test_the_loopback_setting_opens_nothing_else(lenient: None) -> None:
    assert why("http://10.0.0.1/") == "address_forbidden"
    assert why("https://10.0.0.1/") == "address_forbidden"
    assert why("http://93.184.215.14/") == "address_forbidden"  # public, but not https


def test_a_named_network_is_open_by_https_and_nothing_beside_it(make_app: MakeApp, sqlite_url: str) -> None:
    """Portals of an intranet: their addresses are private, and only theirs open."""
    networks = ["10.20.0.0/16", "fd12:3456::/32"]
    with make_app(sqlite_url, fetch_networks=networks).app_context():
        for address in ("10.20.0.1", "10.20.255.255", "fd12:3456::1"):
            assert fetch.may_call(ip_address(address), secure=True)
            assert not fetch.may_call(ip_address(address), secure=False)
        for address in ("10.21.0.1", "192.168.0.1", "127.0.0.1", "169.254.169.254", "fd13::1", "::ffff:10.20.0.1"):
            assert not fetch.may_call(ip_address(address), secure=True)


@pytest.mark.parametrize(
    "network", ["0.0.0.0/0", "::/0", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "93.184.0.0/16", "10.0.0.1/8"]
)
def test_a_network_that_is_no_intranet_stops_the_start(make_app: MakeApp, sqlite_url: str, network: str) -> None:
    with pytest.raises(ValueError, match="fetch_networks"):
        make_app(sqlite_url, fetch_networks=[network])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.ip_addresses())
@example(ip_address("::ffff:192.168.0.1"))
@example(ip_address("64:ff9b::7f00:1"))
def test_only_public_unicast_may_be_called(strict: None, address) -> None:
    closed = [
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/127", "::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8"),
    ]
    inside = any(address in ip_network(each) for each in closed if ip_network(each).version == address.version)
    if inside:
        assert not fetch.may_call(address, secure=True)
    assert not fetch.may_call(address, secure=False)


def test_get_and_post(lenient: None) -> None:
    with portal() as server:
        server.answer = lambda _path: (200, {"Content-Type": "application/json"}, b'{"keys":[]}')
        fetched = fetch.get(f"http://127.0.0.1:{server.port}/jwks?a=b")
        assert fetched == fetch.Fetched(200, "application/json", b'{"keys":[]}')
        fetch.post_form(f"http://localhost:{server.port}/out", {"logout_token": "a.b+c", "名": "值"})
    (method, path, headers, _), (posted, _, sent, body) = server.received
    assert (method, path, headers["Host"]) == ("GET", "/jwks?a=b", f"127.0.0.1:{server.port}")
    assert headers["Accept-Encoding"] == "identity"
    assert (posted, sent["Content-Type"]) == ("POST", "application/x-www-form-urlencoded")
    assert body == b"logout_token=a.b%2Bc&%E5%90%8D=%E5%80%BC"


def test_a_redirect_is_an_answer_and_is_not_followed(lenient: None) -> None:
    with portal() as server:
        server.answer = lambda _path: (302, {"Location": "/elsewhere"}, b"")
        assert fetch.get(f"http://127.0.0.1:{server.port}/").status == 302
    assert [path for _, path, _, _ in server.received] == ["/"]


def test_the_name_is_looked_up_once_and_the_connection_goes_there(
    lenient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a second look-up could tell another address than the one that was judged."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolver(host, port, *args, **kwargs):
        if host != "portal.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with portal() as server:
        assert fetch.get(f"http://portal.example:{server.port}/").status == 200
    assert asked == ["portal.example"]
    assert server.received[0][2]["Host"] == f"portal.example:{server.port}"


def test_one_private_address_spoils_a_name(strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: rows)
    assert why("https://portal.example/") == "address_forbidden"


def test_an_unknown_name(strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolver(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert why("https://portal.invalid/") == "name_unknown"


def test_a_slow_resolver_is_not_waited_for(strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: over.wait(20) and [])
    started = monotonic()
    assert why("https://portal.example/") == "timeout"
    assert monotonic() - started < fetch.SECONDS + 1
    over.set()


def test_nobody_listens(lenient: None) -> None:
    with portal() as server:
        pass
    assert why(f"http://127.0.0.1:{server.port}/") == "connection"


@pytest.mark.parametrize(("size", "fits"), [(fetch.MAX_BODY, True), (fetch.MAX_BODY + 1, False)])
def test_the_limit_of_size(lenient: None, size: int, fits: bool) -> None:
    with portal() as server:
        server.answer = lambda _path: (200, {}, b"x" * size)
        if fits:
            assert len(fetch.get(f"http://127.0.0.1:{server.port}/").body) == size
        else:
            assert why(f"http://127.0.0.1:{server.port}/") == "too_large"


def _head_without_end(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.is_set():
        connection.sendall(b"X-More: " + b"a" * 4000 + b"\r\n")


def _body_without_end(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"1\r\nx\r\n" * 500)


@pytest.mark.parametrize("talk", [_head_without_end, _body_without_end])
def test_endless_answers(lenient: None, talk) -> None:
    with raw_server(talk) as port:
        assert why(f"http://127.0.0.1:{port}/") in {"too_large", "answer_malformed"}


def _silence(connection: socket.socket, over: threading.Event) -> None:
    over.wait(20)


def _drip(connection: socket.socket, over: threading.Event) -> None:
    """One byte every tenth of a second: no single read ever waits long."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900:
        connection.sendall(bytes([byte]))
        if over.wait(0.1):
            return


@pytest.mark.parametrize("talk", [_silence, _drip])
def test_the_limit_of_time(lenient: None, talk) -> None:
    with raw_server(talk) as port:
        started = monotonic()
        assert why(f"http://127.0.0.1:{port}/") == "timeout"
        assert monotonic() - started < fetch.SECONDS + 1


def _noise(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def _cut_off(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")


@pytest.mark.parametrize("talk", [_noise, _cut_off])
def test_broken_answers(lenient: None, talk) -> None:
    with raw_server(talk) as port:
        assert why(f"http://127.0.0.1:{port}/") == "answer_malformed"


def test_tls_with_the_authority_of_the_setting(make_app: MakeApp, sqlite_url: str, tmp_path: Path) -> None:
    context, ca_file = tls_for("localhost", tmp_path)
    app = make_app(sqlite_url, fetch_allow_loopback=True, fetch_ca_file=ca_file)
    with app.app_context(), portal(context) as server:
        assert fetch.get(f"https://localhost:{server.port}/").body == b"ok"
        assert why(f"https://127.0.0.1:{server.port}/") == "tls"  # a certificate for another name
    assert len(server.received) == 1


def test_tls_with_an_unknown_authority(lenient: None, tmp_path: Path) -> None:
    context, _ = tls_for("localhost", tmp_path)
    with portal(context) as server:
        assert why(f"https://localhost:{server.port}/") == "tls"
    assert server.received == []
