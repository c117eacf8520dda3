"""The body of a request, whole or not at all.

A server hands over a body that broke off on the way as if it were all of it, and Werkzeug silently cuts one that comes
in chunks at its limit. What is left of such a request is another one than was sent.
"""

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

LONGEST = 64 * 1024
"""Bytes of a body; Flask refuses longer ones on pages."""


class Unread(Request):
    """A request as the server handed it over: nobody has read of its body yet, and only `read` will, once."""


def read(request: Request) -> bytes:
    """Return the bytes that were sent; they can be asked for again, but for an `Unread` request's.

    Raises RequestEntityTooLarge, and ClientDisconnected for less than was announced.
    """
    if isinstance(request, Unread) and request.environ.get("CONTENT_LENGTH", "").isdecimal():
        return _straight(request, int(request.environ["CONTENT_LENGTH"]))
    body = request.get_data(cache=True)
    announced = request.content_length
    if announced is not None and len(body) < announced:
        raise ClientDisconnected
    if announced is None and len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return body


def _straight(request: Unread, announced: int) -> bytes:
    """Read a body of known length without Werkzeug's wrappers around it, which cost more than all else here."""
    if announced > LONGEST:
        raise RequestEntityTooLarge
    body: bytes = request.environ["wsgi.input"].read(announced)
    if len(body) < announced:
        raise ClientDisconnected
    return body
