"""What clients send us directly, and how they are answered: the token, introspection and revocation endpoints.

A request is one form body, every parameter once (RFC 6749 §3.2), nothing in the query string: it would stand in
logs. An answer is JSON that nobody stores.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ParamSpec
from urllib.parse import parse_qsl

import psycopg
import structlog
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from flask import Request
from pydantic_core import to_json
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from idp.oidc import request_body
from idp.oidc.authorize.parse import CONTROL
from idp.oidc.errors import (
    InvalidRequestError,
    InvalidTargetError,
    OAuth2Error,
    TemporarilyUnavailableError,
    body_of,
)
from idp.settings import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FORM = "application/x-www-form-urlencoded"
MAX_PARAMETERS = 50
MAY_REPEAT = frozenset({"resource", "audience"})

_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

P = ParamSpec("P")
log = structlog.get_logger()


class ClientRequest(OAuth2Request):
    """Authlib's request over a form that was read once; its own resolves Flask's request 41 times (DESIGN 9)."""

    def __init__(self, form: dict[str, str], authorization: str | None, dpop: str | None = None) -> None:
        # Not Authlib's own __init__: it parses an address anew for each request, to refuse plain http, and ours is
        # the issuer's, which the settings have checked. What its grants read is set here.
        self.method = "POST"
        self.payload = BasicOAuth2Payload(form)
        self.client = None
        self.authorization = authorization
        self.dpop = dpop
        self.endpoint = "token"  # the name of the one that is called; what a client assertion may be made for
        self._form = form

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the body. One sent without a value is left out (RFC 6749 §3.2)."""
        return self._form

    def required(self, name: str) -> str:
        """Return a parameter that must be there. Raises InvalidRequestError."""
        value = self.form.get(name)
        if value is None:
            msg = f"{name} is missing"
            raise InvalidRequestError(msg)
        return value


def read(request: Request, *, may_repeat: Collection[str] = ()) -> ClientRequest:
    """Read a client's request; of parameters that `may_repeat` the last one stands. Raises InvalidRequestError."""
    if request.query_string:
        raise InvalidRequestError("Parameters belong into the body, not into the address")
    if request.environ.get("CONTENT_TYPE") != FORM and request.mimetype != FORM:
        msg = f"Content-Type must be {FORM}"
        raise InvalidRequestError(msg)
    return ClientRequest(
        _parameters(body(request), may_repeat), request.headers.get("Authorization"), request.headers.get("DPoP")
    )


def body(request: Request) -> bytes:
    """Return the bytes that were sent; they can be asked for again. Raises InvalidRequestError for too many."""
    try:
        return request_body.read(request)
    except RequestEntityTooLarge as error:
        raise InvalidRequestError("The body is too long", status_code=413) from error
    except ClientDisconnected as error:
        raise InvalidRequestError("The body is shorter than was announced") from error


def _parameters(sent: bytes, may_repeat: Collection[str]) -> dict[str, str]:
    try:
        pairs = parse_qsl(sent.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise InvalidRequestError("The body cannot be read") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        counts = Counter(name for name, _ in pairs if name not in may_repeat)
        if any(count > 1 for count in counts.values()):
            raise _repeated(counts)
    if not all(value.isprintable() or CONTROL.isdisjoint(value) for value in form.values()):
        raise InvalidRequestError("A parameter holds control characters")
    return {name: value for name, value in form.items() if value}


def _repeated(counts: Mapping[str, int]) -> OAuth2Error:
    """RFC 8707 §2 and RFC 8693 §2.1 let targets be repeated, and refused: our tokens have one audience each."""
    if all(name in MAY_REPEAT for name, count in counts.items() if count > 1):
        return InvalidTargetError("A token is for one resource: ask once for each")
    return InvalidRequestError("A parameter was sent more than once")


@dataclass(slots=True)
class Answer:
    """An answer to a client, as WSGI wants it (PEP 3333): a fifth of the cost of Werkzeug's response.

    A view of Flask's may return it too.
    """

    status: int
    body: bytes
    headers: list[tuple[str, str]]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Send it; to HEAD without its body."""
        length = ("Content-Length", str(len(self.body)))
        start_response(_STATUS_LINES[self.status], [*self.headers, length])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


def answer(status: int, body: dict[str, Any] | None, headers: list[tuple[str, str]] | None = None) -> Answer:
    """Return a JSON answer that must not be stored (RFC 6749 §5.1); no body at all for None."""
    content = b"" if body is None else to_json(body)
    return _unstored(status, content, "application/json", headers)


def answer_jwt(token: str, headers: list[tuple[str, str]] | None = None) -> Answer:
    """Return an answer that is one JWT (RFC 7519 §10.3.1), and must not be stored."""
    return _unstored(HTTPStatus.OK, token.encode(), "application/jwt", headers)


def _unstored(status: int, body: bytes, media_type: str, headers: list[tuple[str, str]] | None) -> Answer:
    given = {"Content-Type": media_type, **_HEADERS}
    if settings().https:
        given["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    given.update(headers or [])
    return Answer(status, body, list(given.items()))


def refusal(error: OAuth2Error) -> Answer:
    """Return the answer for an OAuth error (RFC 6749 §5.2)."""
    return answer(error.status_code, dict(body_of(error)), error.get_headers())


def for_clients(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Answer every error of `view` as JSON: a client cannot read a page."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return view(*args, **kwargs)
        except OAuth2Error as error:
            return refusal(error)
        except (OperationalError, psycopg.OperationalError, sqlite3.OperationalError) as error:
            log.exception("database.away", error=type(error).__name__)
            return refusal(TemporarilyUnavailableError("Try again later", status_code=503))

    return guarded
