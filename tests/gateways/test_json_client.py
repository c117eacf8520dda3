"""The guards of the HTTP client: time, size, redirects, TLS, and what it takes from its surroundings."""

import gzip
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug import Request, Response
from werkzeug.datastructures import Headers

from idp import clock
from idp.gateways import Company, GatewayRefused, GatewayUnavailable, build_gateways
from idp.gateways.errors import GatewayError
from idp.gateways.json_client import MAX_ANSWER_BYTES
from sandbox import company_register
from sandbox.serving import Server
from tests.gateways.conftest import RawServer
from tests.gateways.world import NOWHERE, TIMEOUT, gateways_to
from tests.support import fictional

USCC = fictional.uscc()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def look_up(url: str, key: str = "", ca_file: str = "") -> Company | None:
    gateways = gateways_to(company_register_url=url, company_register_key=key, ca_file=ca_file)
    return gateways.company_register.look_up(USCC)


def failure(url: str, key: str = "", ca_file: str = "") -> str:
    """Return why asking the register at `url` is unavailable."""
    with pytest.raises(GatewayUnavailable) as caught:
        look_up(url, key, ca_file)
    return caught.value.reason


def sending(data: bytes) -> Callable[[socket.socket], None]:
    """Return what sends `data` and closes the connection."""
    return lambda connection: connection.sendall(data)


def test_the_default_timeout_is_three_seconds(raw_server: RawServer) -> None:
    url = raw_server(lambda _: time.sleep(20))
    gateways = build_gateways(**(NOWHERE | {"company_register_url": url}))
    started = time.monotonic()
    with pytest.raises(GatewayUnavailable, match="gateway_unavailable") as caught:
        gateways.company_register.look_up(USCC)
    assert caught.value.reason == "read_timeout"
    assert 2.9 < time.monotonic() - started < 5


def test_a_server_that_does_not_take_the_connection_is_given_up() -> None:
    """A full backlog: the kernel drops further attempts, as a firewall would."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            started = time.monotonic()
            assert failure(f"http://127.0.0.1:{listener.getsockname()[1]}") == "connect_timeout"
            assert time.monotonic() - started < TIMEOUT + 1
        finally:
            for one in waiting:
                one.close()


@pytest.mark.parametrize("head", [b"Content-Length: 60000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_an_answer_that_trickles_in_is_given_up(raw_server: RawServer, head: bytes) -> None:
    """Each byte comes in time, the whole does not: the bound is on the answer, not on a single read."""

    def trickle(connection: socket.socket) -> None:
        connection.sendall(OK + head)
        for _ in range(100):
            connection.sendall(b"1\r\n[\r\n" if b"chunked" in head else b"[")
            time.sleep(0.1)

    started = time.monotonic()
    assert failure(raw_server(trickle)) == "read_timeout"
    assert time.monotonic() - started < 2 * TIMEOUT + 1


def test_a_server_that_is_not_there(raw_server: RawServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}") == "connection"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection"),
        (b"SSH-2.0-OpenSSH_9\r\n", "connection"),
        (OK + b"Content-Length: 10\r\n\r\n{}", "connection"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "connection"),
        (OK + b"\r\n" + b"[" * 60_000, "bad_answer"),
        (OK + b"\r\n[]", "bad_answer"),
        (OK + b'\r\n{"a": "\xff"}', "bad_answer"),
        (OK + b"\r\n" + b'{"a":' * 12_000, "bad_answer"),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}", mtime=0), "bad_answer"),
        (OK + b"\r\n" + b" " * (MAX_ANSWER_BYTES + 1), "too_large"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b" " * 4096 + b"\r\n" * 100, "connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{}", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "bad_answer"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Type: application/json\r\n\r\n{}", "bad_answer"),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "credentials"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "credentials"),
        (b"HTTP/1.1 429 Too Many Requests\r\n\r\n", "throttled"),
        (b"HTTP/1.1 408 Request Timeout\r\n\r\n", "throttled"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<h1>Bad</h1>", "bad_answer"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "server_error"),
        (b"HTTP/1.1 503 Unavailable\r\nContent-Type: application/json\r\n\r\n{}", "server_error"),
    ],
)
def test_what_is_no_answer_is_unavailable(raw_server: RawServer, answer: bytes, reason: str) -> None:
    assert failure(raw_server(sending(answer))) == reason


def test_an_endless_answer_is_cut_off(raw_server: RawServer) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while sent < 100_000_000:
            connection.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
            sent += 0x8000

    assert failure(raw_server(flood)) == "too_large"
    assert sent < 20_000_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error": "refused", "reason": "number_blocked"}', "number_blocked"),
        (b'{"error": "quota_used_up"}', "quota_used_up"),
        (b'{"error": "refused", "reason": "+8613800138000 is blocked"}', "refused"),
        (b'{"error": "13800138000", "reason": 7}', "unspecified"),
        (b'{"error": {"code": 1}}', "unspecified"),
    ],
)
def test_a_refusal_hands_on_a_code_and_no_words(raw_server: RawServer, body: bytes, reason: str) -> None:
    head = b"HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
    with pytest.raises(GatewayRefused) as caught:
        look_up(raw_server(sending(head + body)))
    assert caught.value.reason == reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(raw_server: RawServer, status: int) -> None:
    followed: list[bytes] = []
    elsewhere = raw_server(lambda _: followed.append(b"asked"))
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere}/companies/{USCC}\r\nContent-Length: 0\r\n\r\n"
    assert failure(raw_server(sending(head.encode()))) == "redirect"
    assert followed == []


def test_the_environment_adds_no_proxy_and_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    seen: list[Headers] = []

    @Request.application
    def register(request: Request) -> Response:
        seen.append(request.headers)
        answer = Response('{"error": "not_found"}', 404, content_type="application/json")
        answer.set_cookie("tracked", "1")
        return answer

    with Server(register) as server:
        register_gateway = gateways_to(company_register_url=server.url, company_register_key="k").company_register
        assert register_gateway.look_up(USCC) is None
        assert register_gateway.look_up(USCC) is None
    assert [headers["X-API-Key"] for headers in seen] == ["k", "k"]
    assert not [headers for headers in seen if "Authorization" in headers or "Cookie" in headers]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that no public authority knows, and its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "sandbox.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def test_a_certificate_of_an_unknown_authority_is_refused_unless_the_operator_names_it(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server(company_register.create_app("key"), tls=context) as server:
        assert server.url.startswith("https://")
        assert failure(server.url, "key") == "tls"
        assert look_up(server.url, "key", str(certificate)) is None
        other_name = server.url.replace("127.0.0.1", "localhost")
        assert failure(other_name, "key", str(certificate)) == "tls"


def test_both_errors_are_of_one_kind() -> None:
    assert issubclass(GatewayRefused, GatewayError)
    assert issubclass(GatewayUnavailable, GatewayError)
    assert not issubclass(GatewayRefused, GatewayUnavailable)
