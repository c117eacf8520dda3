"""Hostile values × parameters × endpoints, over a server that really runs.

Every parameter that the description names is attacked, each in a request that is right but for it; so a new parameter
is covered as soon as it is described. Whatever comes, the answer is one of those that the description gives: an OAuth
error, never a 5xx, and soon.
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest

from tests.oidc.hostile import description, raw
from tests.oidc.hostile.description import FORM, JSON, Operation
from tests.oidc.hostile.good_requests import TOKEN, Attack, Form, attacks, good, headers, path
from tests.oidc.hostile.server import Running

SOON = 20.0
"""Seconds for one answer. The slowest takes some 20 ms here; a machine under load must not fail this."""

DEEP = "[" * 15_000
LONG, GIANT = "x" * 60_000, 1_000_000

UNREADABLE = {
    "no UTF-8": "%ff",
    "half a surrogate pair": "%ed%a0%80",
    "NUL": "a%00b",
    "NUL, spelt too long": "%c0%80",
    "line break": "a%0d%0aX-Evil%3a%20b",
    "delete": "%7f",
    "bytes that are not encoded": b"\xff\xfe",
}
"""Written as they travel: refused for what they are, whatever the parameter."""

ODD = {
    "empty": "",
    "blank": " ",
    "long": LONG,
    "percent": "%",
    "quote": "\"'\\<>&;",
    "other scripts": "\u202e中文😀\u200b",
    "path": "../../../../etc/passwd",
    "address": "https://[::1",
    "statement": "' OR 1=1 --",
    "digits": "9" * 6000,
    "less than nothing": "-1",
    "JSON null": "null",
    "JSON number": "1e999",
    "JSON object": "{}",
    "JSON array": "[]",
    "JSON, deep": DEEP,
    "JSON, deep and whole": "[" * 900 + "]" * 900,
    "JSON, half a surrogate pair": '{"id_token":{"\\ud800":null}}',
    "JSON, member twice": '{"userinfo":null,"userinfo":{}}',
    "JSON, mistyped": '[{"type":["unit_delegation"],"actions":"x","identifier":{}}]',
    "JSON, claims mistyped": '{"id_token":[],"userinfo":{"acr":{"values":{"a":1}},"sub":7}}',
    "JSON, not a number": '{"id_token":{"acr":{"value":NaN}}}',
    "JWT of nothing": "e30.e30.e30",
    "JWT without signature": "eyJhbGciOiJub25lIn0.e30.",
    "JWT, deep": "W1tbW1tb" * 200 + ".e30.e30",
    "names": " ".join(f"scope{number}" for number in range(5000)),
}

ODD_JSON: dict[str, Any] = {
    "null": None,
    "yes": True,
    "number": 7,
    "huge number": 10**400,
    "fraction": 1.5,
    "below": -(2**63) - 1,
    "empty": "",
    "text": "x",
    "long": "x" * 40_000,
    "NUL": "a\x00b",
    "line break": "a\r\nX-Evil: b",
    "half a surrogate pair": "\ud800",
    "other scripts": "\u202e中文😀",
    "address": "https://[::1",
    "port": "https://client.example:99999/",
    "script": "javascript:alert(1)",
    "list": [],
    "list of odd things": [None, 1, {}, [], "\x00", "x"],
    "many": ["https://client.example/callback"] * 1500,
    "object": {},
    "odd object": {"keys": [{"kty": ["EC"], "use": [], "key_ops": 5, "crv": {}}], "": None, "\x00": "\ud800"},
    "deep": None,
}


@pytest.fixture(scope="module", autouse=True)
def _awake(running: Running) -> Iterator[None]:
    """After all of it the provider is as well as before: the same process, and no error in its log."""
    yield
    assert running.call("GET", "/health").json() == {"status": "ok"}
    log = running.provider.output()
    assert log.count("Started worker") == 1
    assert "Traceback" not in log
    assert "unexpected" not in log


def attacked(running: Running, operation: Operation, body: bytes, **more: str) -> int:
    """Send a body to an operation and return the status; the answer is soon, and as described."""
    options = {"Content-Type": operation.media_type or FORM} | headers(running, operation) | more
    began = time.monotonic()
    response = running.call(operation.method, path(running, operation), data=body, headers=options)
    assert time.monotonic() - began < SOON, operation
    operation.check(response.status_code, response.headers, response.content)
    return response.status_code


def giant(running: Running, operation: Operation, body: bytes) -> None:
    """Send what is far too long: 413, which who still sends may not get to see (RFC 9110 §15.5.14)."""
    usual = {"Content-Type": operation.media_type or FORM} | headers(running, operation)
    lines = [f"{name}: {value}".encode() for name, value in usual.items()]
    answer = raw.send(running.issuer, raw.message(operation.method, path(running, operation), *lines, body=body))
    assert answer.status in {413, None}
    if answer.status is not None:
        operation.check(answer.status, answer.headers, answer.body)


def form_with(form: Form, name: str, encoded: str | bytes) -> bytes:
    """Return a form in which a parameter has a value that is written as it travels."""
    rest = urlencode({key: value for key, value in form.items() if key != name})
    return f"{rest}&{name}=".encode() + (encoded if isinstance(encoded, bytes) else encoded.encode())


@pytest.mark.parametrize("attack", attacks(FORM), ids=str)
def test_values_in_a_form(running: Running, attack: Attack) -> None:
    operation, name = attack.operation, attack.name
    form = good(running, operation, attack.grant_type)
    for what, encoded in UNREADABLE.items():
        assert attacked(running, operation, form_with(form, name, encoded)) == 400, what
    twice = form_with(form, name, "a") + f"&{name}=b".encode()
    assert attacked(running, operation, twice) == 400
    giant(running, operation, form_with(form, name, "x" * GIANT))
    assert attacked(running, operation, form_with(form, f"{name}[]", "a")) < 500
    for value in ODD.values():
        fresh = good(running, operation, attack.grant_type) if name in {"resource", "scope"} else form
        attacked(running, operation, form_with(fresh, name, quote_plus(value)))


@pytest.mark.parametrize("attack", attacks(JSON), ids=str)
def test_values_in_json(running: Running, attack: Attack) -> None:
    operation, name = attack.operation, attack.name
    body = good(running, operation)
    for what, value in ODD_JSON.items():
        text = json.dumps({**body, name: value})
        if what == "deep":
            text = text.replace(f'"{name}": null', f'"{name}": {DEEP}')
        attacked(running, operation, text.encode())
    twice = json.dumps(body)[:-1] + f', "{name}": null, "{name}": null}}'
    assert attacked(running, operation, twice.encode()) == 400
    giant(running, operation, json.dumps({**body, name: "x" * GIANT}).encode())


WITH_BODIES = [each for each in description.operations() if each.media_type]


@pytest.mark.parametrize("operation", WITH_BODIES, ids=str)
def test_whole_bodies(running: Running, operation: Operation) -> None:
    """What is no form, or no JSON; and far too many parameters."""
    bodies = [b"", b"&", b"=", b"&&==&", b"\x00", b"\xff" * 100, b"%", b"null", b"[]", b"7", b'"x"', b"{", b"{}}"]
    bodies += [b"[" * 60_000, b'{"a":' * 12_000, b"\xef\xbb\xbf{}", '{"scope":"x"}'.encode("utf-16"), b"{}\x00"]
    for body in bodies:
        attacked(running, operation, body)
    start = urlencode(good(running, operation, "client_credentials")).encode()
    many = b"".join(b"&p%d=1" % number for number in range(5000))
    expected = 400 if operation.media_type == FORM else 401 if not headers(running, operation) else 400
    assert attacked(running, operation, start + many) == expected


HEADER_VALUES = [
    *(b"", b"Basic", b"Bearer", b"DPoP", b"Basic ", b"Bearer  ", b"Basic :", b"Basic Og==", b"Basic \xff\xfe"),
    *(b"Bearer \xff", b"DPoP \xe4\xb8\xad", b"Basic YTpi, Basic YTpi", b"Bearer a b c", b"Bearer ..", b"\tBearer x"),
    *(b"Bearer " + b"." * 5000, b"Bearer " + b"A" * 60_000, b"Basic " + b"A" * 60_000, b"Negotiate x", b"\xa0"),
    *(b"Bearer e30.e30.e30", b"Bearer " + b"W1tbW1tb" * 100 + b".e30.e30", b"Bearer W10.W10.W10", b"Bearer null"),
    *(b"Bearer eyJhbGciOiJub25lIn0.e30.", b"Bearer a\x00b", b"Basic a\x7fb"),
]
"""Of Authorization, and of DPoP with and without their first word."""


@pytest.mark.parametrize("operation", description.operations(), ids=str)
def test_headers(running: Running, operation: Operation) -> None:
    content = f"Content-Type: {operation.media_type or FORM}".encode()
    body = urlencode(good(running, operation, "client_credentials")).encode() if operation.media_type == FORM else b""
    usual = [f"{name}: {value}".encode() for name, value in headers(running, operation).items()]
    proofs = [b"DPoP: " + value.partition(b" ")[2] for value in HEADER_VALUES]
    lines = [
        *([b"Authorization: " + value] for value in HEADER_VALUES),
        *([*usual, proof] for proof in (*proofs, b"DPoP: e30.e30.e30\r\nDPoP: e30.e30.e30")),
        [*usual, *usual],
        [*usual, b"Accept: \xff", b"Accept-Language: \xff;q=x", b"X-Forwarded-For: \xff", b"Cookie: \xff=\xff; a"],
        [*usual, b"Origin: \xff", b"Accept-Encoding: \xff", b"If-None-Match: \xff", b"Range: bytes=9-1"],
    ]
    for each in lines:
        sent = raw.message(operation.method, path(running, operation), content, *each, body=body)
        answer = raw.send(running.issuer, sent)
        assert answer.status is not None
        described(operation, answer)


def described(operation: Operation, answer: raw.Answer) -> None:
    """Assert that an answer is as described, or a refusal of the server before us: a 4xx without a word."""
    if answer.status is not None and (answer.body or answer.status < 400):
        operation.check(answer.status, answer.headers, answer.body)
    assert answer.status is None or answer.status < 500


LENGTHS: dict[str, tuple[bytes, bytes]] = {
    "none": (b"X-None: 1", b"a=b"),
    "no number": (b"Content-Length: abc", b"a=b"),
    "below nothing": (b"Content-Length: -1", b"a=b"),
    "sign": (b"Content-Length: +3", b"a=b"),
    "two": (b"Content-Length: 3\r\nContent-Length: 4", b"a=b"),
    "too much": (b"Content-Length: 100", b"a=b"),
    "too little": (b"Content-Length: 1", b"a=b"),
    "far too much": (b"Content-Length: 9999999999", b"a=b"),
    "more than a number holds": (b"Content-Length: 99999999999999999999999", b"a=b"),
    "chunked": (b"Transfer-Encoding: chunked", b"3\r\na=b\r\n0\r\n\r\n"),
    "chunked, with a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"3\r\na=b\r\n0\r\n\r\n"),
    "chunk of no size": (b"Transfer-Encoding: chunked", b"zz\r\na=b\r\n0\r\n\r\n"),
    "chunk cut off": (b"Transfer-Encoding: chunked", b"30\r\na=b"),
    "chunked, far too long": (b"Transfer-Encoding: chunked", b"f4240\r\n" + b"a" * 1_000_000 + b"\r\n0\r\n\r\n"),
    "unheard-of coding": (b"Transfer-Encoding: x", b"a=b"),
}


@pytest.mark.parametrize("operation", WITH_BODIES, ids=str)
def test_lengths(running: Running, operation: Operation) -> None:
    content = f"Content-Type: {operation.media_type}".encode()
    usual = [f"{name}: {value}".encode() for name, value in headers(running, operation).items()]
    for line, body in LENGTHS.values():
        sent = raw.message(operation.method, path(running, operation), content, *usual, line, body=body, length=False)
        answer = raw.send(running.issuer, sent, hang_up=True)
        assert answer.status is not None or b"chunked" in line  # a stream that breaks off has no answer
        described(operation, answer)


CREDENTIALS = b"grant_type=client_credentials"


@pytest.mark.parametrize(
    ("line", "body", "status"),
    [
        (b"Content-Length: 29", CREDENTIALS, 200),
        (b"Content-Length: 29", CREDENTIALS + b"&scope=nonsense", 200),
        (b"Content-Length: 30", CREDENTIALS, 400),
        (b"Content-Length: 60000", CREDENTIALS, 400),
        (b"Transfer-Encoding: chunked", b"1d\r\n" + CREDENTIALS + b"\r\n0\r\n\r\n", 200),
        (b"Transfer-Encoding: chunked", b"1\r\ng\r\n1c\r\n" + CREDENTIALS[1:] + b"\r\n0\r\n\r\n", 200),
        (
            b"Transfer-Encoding: chunked",
            b"1d\r\n" + CREDENTIALS + b"\r\n186a0\r\n&x=" + b"x" * 99_997 + b"\r\n0\r\n\r\n",
            413,
        ),
    ],
)
def test_a_body_counts_whole_or_not_at_all(running: Running, line: bytes, body: bytes, status: int) -> None:
    """One that was cut off on the way, or is cut at our limit, is not taken for a shorter one."""
    basic = f"Authorization: {headers(running, TOKEN)['Authorization']}".encode()
    sent = raw.message("POST", TOKEN.path, f"Content-Type: {FORM}".encode(), basic, line, body=body, length=False)
    answer = raw.send(running.issuer, sent, hang_up=status == 400)
    assert answer.status == status or (status == 400 and answer.status is None)


@pytest.mark.parametrize("operation", [each for each in description.operations() if each.method == "GET"], ids=str)
def test_addresses(running: Running, operation: Operation) -> None:
    """Parameters in the address, named in the description or not; and what takes the place of a client's id."""
    names = [*operation.parameters("query"), "access_token", "x"]
    for name in names:
        for encoded in ("%ff", "%00", "", "%ed%a0%80", "x" * 5000, f"a&{name}=b", "%0d%0a"):
            response = running.call("GET", f"{path(running, operation)}?{name}={encoded}")
            operation.check(response.status_code, response.headers, response.content)


@pytest.mark.parametrize("operation", [each for each in description.operations() if "{" in each.path], ids=str)
@pytest.mark.parametrize("client_id", ["%00", "%ff", "%0d%0a", "%ed%a0%80", "x" * 5000, "'", "%E4%B8%AD", "."])
def test_ids_in_the_address(running: Running, operation: Operation, client_id: str) -> None:
    credentials = [f"{name}: {value}".encode() for name, value in headers(running, operation).items()]
    where = operation.path.format(client_id=client_id)
    body = b'{"redirect_uris":[]}' if operation.media_type else b""
    sent = raw.message(operation.method, where, b"Content-Type: application/json", *credentials, body=body)
    described(operation, raw.send(running.issuer, sent))
