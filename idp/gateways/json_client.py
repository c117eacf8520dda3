"""JSON over HTTP to an address that an operator configured, guarded: short timeouts, small answers, no redirects.

What is sent may hold names, card numbers and codes. So an address is https unless it is on this machine, no proxy
and no credentials are taken from the environment, no cookie is kept, and nothing of a request or an answer reaches an
exception or a log, but for the outside system's own error code.
"""

import json
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3

from idp.gateways.errors import GatewayRefused, GatewayUnavailable
from idp.settings import LOOPBACK_HOSTS

API_KEY_HEADER = "X-API-Key"
MAX_ANSWER_BYTES = 65536
PLAIN_TEXT = r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}"
"""Text that pages can show and the database can store: no control characters, no half surrogate pairs."""

_CHUNK_BYTES = 8192
_REFUSAL_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OBEYED = {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
_FIRST_CLIENT_ERROR = HTTPStatus.BAD_REQUEST
_FIRST_SERVER_ERROR = HTTPStatus.INTERNAL_SERVER_ERROR
# Not the request is at fault but our key, our address or the moment: a message that waits may still go out.
_UNAVAILABLE: dict[int, str] = {
    HTTPStatus.MOVED_PERMANENTLY: "redirect",
    HTTPStatus.FOUND: "redirect",
    HTTPStatus.SEE_OTHER: "redirect",
    HTTPStatus.TEMPORARY_REDIRECT: "redirect",
    HTTPStatus.PERMANENT_REDIRECT: "redirect",
    HTTPStatus.UNAUTHORIZED: "credentials",
    HTTPStatus.FORBIDDEN: "credentials",
    HTTPStatus.REQUEST_TIMEOUT: "throttled",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
}
# The first that fits counts: requests derives its TLS and timeout errors from its connection error.
_TRANSPORT_REASONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((requests.exceptions.SSLError,), "tls"),
    ((requests.exceptions.ConnectTimeout,), "connect_timeout"),
    ((requests.exceptions.Timeout, urllib3.exceptions.TimeoutError), "read_timeout"),
)

JsonObject = dict[str, object]


class JsonService(Protocol):
    """What an implementation of a gateway needs of its transport. Every method raises both gateway errors."""

    gateway: str

    def post(self, path: str, body: Mapping[str, object]) -> JsonObject:
        """Send `body` to `path`; return the JSON object of a 2xx answer."""
        ...

    def get(self, path: str) -> JsonObject | None:
        """Return the JSON object at `path`, or None if the system itself says that there is none."""
        ...


class NotConfigured:
    """Stands where an operator gave no address: everything is unavailable, and says so."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway

    def post(self, path: str, body: Mapping[str, object]) -> JsonObject:
        """Raise GatewayUnavailable with the reason "not_configured"."""
        del path, body
        raise GatewayUnavailable(self.gateway, "not_configured")

    def get(self, path: str) -> JsonObject | None:
        """Raise GatewayUnavailable with the reason "not_configured"."""
        del path
        raise GatewayUnavailable(self.gateway, "not_configured")


class JsonTransport:
    """One exchange at a time with addresses that an operator configured, guarded as the module says; thread-safe.

    `timeout` is in seconds: so long may connecting take, and so long may the server be silent; an answer that is
    not complete after twice that is given up. `ca_file` names the authorities to trust in place of the usual ones.
    Raises ValueError for an unusable key.
    """

    def __init__(self, gateway: str, timeout: float, api_key: str = "", ca_file: str = "") -> None:
        self.gateway = gateway
        self._timeout = timeout
        self._session = _session(gateway, api_key, ca_file)

    def exchange(self, method: str, url: str, **sent: Any) -> tuple[int, JsonObject | None]:
        """Return status and JSON object (None for anything else) of the answer. Raises GatewayUnavailable.

        `sent` is what `requests` takes: `json`, `params`, `data`, `auth`, `headers`. Not the request is at fault but
        we or the moment where the status is a redirect, a refused credential, too many requests or a server's error.
        """
        deadline = time.monotonic() + 2 * self._timeout
        try:
            with self._session.request(
                method,
                url,
                timeout=(self._timeout, self._timeout),
                allow_redirects=False,
                stream=True,
                **sent,
            ) as response:
                content = self._read(response, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The library's error carries the request, and with it what was sent: it goes no further.
            raise GatewayUnavailable(self.gateway, _transport_reason(error)) from None
        if response.status_code in _UNAVAILABLE:
            raise GatewayUnavailable(self.gateway, _UNAVAILABLE[response.status_code])
        if response.status_code >= _FIRST_SERVER_ERROR:
            raise GatewayUnavailable(self.gateway, "server_error")
        return response.status_code, _json_object(response, content)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        """Return the body as it came over the wire, giving up at the size cap and at the deadline."""
        content = bytearray()
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise GatewayUnavailable(self.gateway, "too_large")
            if time.monotonic() > deadline:
                raise GatewayUnavailable(self.gateway, "read_timeout")
        return bytes(content)


class JsonClient:
    """A `JsonService` at `base_url`, by a `JsonTransport`.

    Raises ValueError for an address that is neither https nor on this machine, and for an unusable key.
    """

    def __init__(self, gateway: str, base_url: str, api_key: str, timeout: float, ca_file: str = "") -> None:
        self.gateway = gateway
        self._base_url = checked_address(gateway, base_url)
        self._transport = JsonTransport(gateway, timeout, api_key, ca_file)

    def post(self, path: str, body: Mapping[str, object]) -> JsonObject:
        """Send `body` to `path`; return the JSON object of a 2xx answer. Raises both gateway errors."""
        answer = self._judge(*self._transport.exchange("POST", self._base_url + path, json=body))
        if answer is None:
            raise GatewayUnavailable(self.gateway, "not_found")
        return answer

    def get(self, path: str) -> JsonObject | None:
        """Return the JSON object at `path`, or None if it is not there. Raises both gateway errors."""
        return self._judge(*self._transport.exchange("GET", self._base_url + path))

    def _judge(self, status: int, answer: JsonObject | None) -> JsonObject | None:
        """Return what a request that was obeyed gave, None for what is not there. Raises both gateway errors."""
        if answer is None:
            # A page where JSON should be comes from something in between, so even its status proves nothing.
            raise GatewayUnavailable(self.gateway, "bad_answer")
        if status in _OBEYED:
            return answer
        if status == HTTPStatus.NOT_FOUND and answer.get("error") == "not_found":
            return None
        if status >= _FIRST_CLIENT_ERROR and "error" in answer:
            raise GatewayRefused(self.gateway, _refusal_reason(answer))
        raise GatewayUnavailable(self.gateway, "bad_answer")


def text_of(gateway: str, answer: Mapping[str, object], name: str, pattern: str = PLAIN_TEXT) -> str:
    """Return the string `answer[name]`. Raise GatewayUnavailable("bad_answer") unless `pattern` matches it whole."""
    value = answer.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise GatewayUnavailable(gateway, "bad_answer")
    return value


def checked_address(gateway: str, base_url: str) -> str:
    """Return `base_url` without a slash at its end. Raise ValueError if personal data must not be sent there."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        msg = f"{gateway}: the address must be http(s), with a host and without query or fragment"
        raise ValueError(msg)
    if parts.username is not None or parts.password is not None:
        msg = f"{gateway}: credentials belong into the key, not into the address"
        raise ValueError(msg)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        msg = f"{gateway}: the address must be https, unless it is on this machine"
        raise ValueError(msg)
    return base_url.rstrip("/")


def _session(gateway: str, api_key: str, ca_file: str) -> requests.Session:
    if not (api_key.isascii() and api_key.isprintable()):
        msg = f"{gateway}: the key must be printable ASCII"
        raise ValueError(msg)
    session = requests.Session()
    # The environment's proxies would see what is sent, and its .netrc would add credentials of its own.
    session.trust_env = False
    session.verify = ca_file or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "jingban"})
    if api_key:
        session.headers[API_KEY_HEADER] = api_key
    return session


def _transport_reason(error: Exception) -> str:
    for kinds, reason in _TRANSPORT_REASONS:
        if isinstance(error, kinds):
            return reason
    return "connection"


def _json_object(response: requests.Response, content: bytes) -> JsonObject | None:
    """Return the JSON object that the answer holds, or None if it holds anything else."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return None
    try:
        parsed = json.loads(content.decode())
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _refusal_reason(answer: JsonObject) -> str:
    """Return the outside system's own code for its refusal; text that is no code could hold personal data."""
    for name in ("reason", "error"):
        value = answer.get(name)
        if isinstance(value, str) and _REFUSAL_CODE.fullmatch(value):
            return value
    return "unspecified"
