"""The body of a request, whole or not at all.

A server hands over a body that broke off on the way as if it were all of it, and Werkzeug silently cuts one that comes
in chunks at its limit. What is left of such a request is another one than was sent.
"""

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge


def read(request: Request) -> bytes:
    """Return the bytes that were sent; they can be asked for again.

    Raises RequestEntityTooLarge, and ClientDisconnected for less than was announced.
    """
    body = request.get_data(cache=True)
    announced = request.content_length
    if announced is not None and len(body) < announced:
        raise ClientDisconnected
    if announced is None and len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return body
