"""Requests as bytes, and the little of a browser that a scenario needs."""

import base64
import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from bench.load import Answer

Found = TypeVar("Found")
Steps = Generator[bytes, Answer, Found]
"""Requests out, answers in; what was found at the end."""

_HIDDEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_REDIRECTS = range(300, 400)


def get(host: str, path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a GET request."""
    return _head("GET", host, path, headers or {})


def post(host: str, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> bytes:
    """Return a POST request with a form body."""
    body = urlencode(form).encode()
    more = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    return _head("POST", host, path, {**more, **(headers or {})}) + body


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header of HTTP Basic (RFC 6749 §2.3.1); ids and secrets here need no encoding."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def decoded(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer that must be 200."""
    found: dict[str, Any] = json.loads(answer.expect(200).body)
    return found


def _head(method: str, host: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass
class Browser:
    """Keeps cookies and follows redirects, as long as they stay at `host`."""

    host: str
    cookies: dict[str, str] = field(default_factory=dict)
    path: str = ""

    def copy(self) -> "Browser":
        """Return a browser with the same cookies; what happens to one does not touch the other."""
        return Browser(self.host, dict(self.cookies))

    def open(self, path: str) -> Steps[str]:
        """Open `path`, follow its redirects; return the page, or the address outside to which they lead."""
        self.path = path
        answer = yield get(self.host, path, self._headers())
        return (yield from self._follow(answer))

    def send(self, form: Mapping[str, str], page: str) -> Steps[str]:
        """Send `form` to where `page` came from, with the page's token against forgery if it has one."""
        hidden = _HIDDEN.search(page)
        filled = {"csrf_token": hidden.group(1), **form} if hidden else form
        answer = yield post(self.host, self.path, filled, self._headers())
        return (yield from self._follow(answer))

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _follow(self, answer: Answer) -> Steps[str]:
        while True:
            self._keep(answer)
            if answer.status not in _REDIRECTS:
                return answer.expect(200).body.decode()
            [target] = answer.headers("Location")
            parts = urlsplit(target)
            if parts.netloc not in {"", self.host}:
                return target
            self.path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            answer = yield get(self.host, self.path, self._headers())

    def _keep(self, answer: Answer) -> None:
        for line in answer.headers("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
