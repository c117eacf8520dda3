"""Reading the parameters of a request: every one at most once, well-formed text, of bounded length.

Werkzeug replaces what it cannot decode and takes the first of several values; both let two readers of one request
see two requests. So the bytes are taken apart here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import unquote_to_bytes

from flask import Request

from idp.errors import DomainError
from idp.oidc import request_body

MAX_QUERY = 64 * 1024
MAX_PARAMETERS = 100
MAX_VALUE = 2048
# Signed or structured values may be longer.
MAX_LONG_VALUE = 16 * 1024
LONG = frozenset({"authorization_details", "claims", "id_token_hint", "registration", "request"})
RESOURCE = "resource"
FORM = "application/x-www-form-urlencoded"

CONTROL = frozenset(chr(code) for code in (*range(0x20), 0x7F))
"""What occurs in no parameter (RFC 6749 Appendix A), and what a database refuses in part."""


class RequestUnreadable(DomainError):
    """The request as a whole cannot be read; nothing in it can be trusted, so a page answers."""

    code: ClassVar[str] = "authorization_request_unreadable"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters that came once and well-formed, and the names of those that did not.

    `repeated` came more than once. `broken` are no UTF-8, hold control characters, or are too long. `resources` are
    the values of `resource`, the one parameter that may come several times (RFC 8707 §2); `get` does not know it.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    resources: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        """Return the value of `name`, or None: omitted, empty (RFC 6749 §3.1), repeated or broken."""
        return self.values.get(name)

    def spoilt(self, *names: str) -> bool:
        """Whether one of `names` was sent in a way that cannot be read."""
        return any(name in self.repeated or name in self.broken for name in names)


def read(request: Request) -> Parameters:
    """Return the parameters of a GET query or a POST form (OpenID Connect Core §3.1.2.1). Raises RequestUnreadable."""
    if request.method != "POST":
        return parse(request.query_string)
    if request.mimetype != FORM:
        raise RequestUnreadable  # OpenID Connect Core §13.2: form serialization, nothing else
    return parse(request_body.read(request))


def parse(encoded: bytes) -> Parameters:
    """Take application/x-www-form-urlencoded bytes apart. Raises RequestUnreadable."""
    if len(encoded) > MAX_QUERY:
        raise RequestUnreadable
    pairs = [_unquoted(pair) for pair in encoded.split(b"&") if pair]
    if len(pairs) > MAX_PARAMETERS:
        raise RequestUnreadable
    named = [(name, value) for raw, value in pairs if (name := _text(raw, MAX_VALUE))]
    counts = Counter(name for name, _ in named)
    repeated = frozenset(name for name, count in counts.items() if count > 1 and name != RESOURCE)
    values: dict[str, str] = {}
    resources: list[str] = []
    broken: set[str] = set()
    for name, raw in named:
        value = _text(raw, MAX_LONG_VALUE if name in LONG else MAX_VALUE)
        if value is None:
            broken.add(name)
        elif value and name == RESOURCE:
            resources.append(value)
        elif value and name not in repeated:  # RFC 6749 §3.1: without a value means omitted
            values[name] = value
    return Parameters(values, repeated, frozenset(broken), tuple(resources))


def _unquoted(pair: bytes) -> tuple[bytes, bytes]:
    """Return name and value as bytes; `urllib.parse.parse_qsl` cannot tell which of them are no UTF-8."""
    name, _, value = pair.replace(b"+", b" ").partition(b"=")
    return unquote_to_bytes(name), unquote_to_bytes(value)


def _text(raw: bytes, longest: int) -> str | None:
    """Return `raw` as text; None if it is too long, no UTF-8, or has control characters (no parameter may: A.1 ff)."""
    try:
        text = raw.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return None
    return None if len(text) > longest or not CONTROL.isdisjoint(text) else text
