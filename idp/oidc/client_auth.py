"""Who is the client that calls? By its secret, by a signed assertion, or not at all (OpenID Connect Core §9).

Authlib dispatches; the methods are ours (DESIGN 3, trap 7). Every way to fail gives one and the same answer, 401
`invalid_client`: an unknown client, a wrong secret, another method than the registered one, bytes that mean nothing.
"""

import hmac
from base64 import b64decode
from collections.abc import Callable, Collection
from typing import Any, cast
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import errors as authlib_errors
from authlib.oauth2.rfc6749.authenticate_client import ClientAuthentication

from idp import ids
from idp.clients import registry
from idp.clients.description import KEY_JWT, SECRET_JWT
from idp.clients.registry import RegisteredClient
from idp.oidc import client_assertion
from idp.oidc.client_jwts import JwtRefused
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import InvalidClientError, InvalidRequestError

BASIC, POST, NONE = "client_secret_basic", "client_secret_post", "none"
CONFIDENTIAL_METHODS = [BASIC, POST, SECRET_JWT, KEY_JWT]
ALL_METHODS = [*CONFIDENTIAL_METHODS, NONE]

QueryClient = Callable[[str], RegisteredClient | None]

# What the secret of an unknown client is compared with, so that it costs the same: no secret has this fingerprint.
_NO_SECRET = "0" * 64


def refused() -> InvalidClientError:
    """Return the one answer for all that fails here (RFC 6749 §5.2), with the `WWW-Authenticate` it demands."""
    return InvalidClientError()


def authenticate(request: ClientRequest, methods: Collection[str], endpoint: str = "token") -> RegisteredClient:
    """Return the client that calls `endpoint`, which takes `methods`.

    Raises InvalidClientError, and InvalidRequestError for two methods at once.
    """
    method = presented_method(request)
    if method not in methods:
        raise refused()
    request.endpoint = endpoint
    try:
        client: RegisteredClient = _dispatch(request, [method], endpoint)
    except authlib_errors.InvalidClientError as error:
        raise refused() from error
    return client


def presented_method(request: ClientRequest) -> str:
    """Return the method that the request uses. Raises InvalidRequestError when it uses two (RFC 6749 §2.3)."""
    form = request.form
    by_assertion = "client_assertion" in form or "client_assertion_type" in form
    if [request.authorization is not None, "client_secret" in form, by_assertion].count(True) > 1:
        raise InvalidRequestError("Only one way to authenticate may be used at a time")
    if by_assertion:
        return _method_of_assertion(form)
    if request.authorization is not None:
        return BASIC
    return POST if "client_secret" in form else NONE


def _method_of_assertion(form: dict[str, str]) -> str:
    if form.get("client_assertion_type") != client_assertion.TYPE:
        raise refused()
    try:
        return client_assertion.method_of(form.get("client_assertion", ""))
    except JwtRefused as error:
        raise refused() from error


def _basic(query_client: QueryClient, request: ClientRequest) -> RegisteredClient | None:
    credentials = basic_credentials(request.authorization or "")
    if credentials is None:
        return None
    client_id, secret = credentials
    if request.form.get("client_id", client_id) != client_id:
        raise InvalidRequestError("client_id in the body is not the one that authenticates")
    return _with_secret(query_client, client_id, secret)


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Return id and secret of HTTP Basic, each form-urldecoded (RFC 6749 §2.3.1); None if they cannot be read."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = b64decode(encoded.strip(), validate=True).decode("ascii").partition(":")
        decoded = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        return None
    return decoded if colon else None


def _post(query_client: QueryClient, request: ClientRequest) -> RegisteredClient | None:
    client_id = request.form.get("client_id")
    return None if client_id is None else _with_secret(query_client, client_id, request.form["client_secret"])


def _none(query_client: QueryClient, request: ClientRequest) -> RegisteredClient | None:
    """A public client only says who it is. One that has a secret is not taken without it, whatever it asks."""
    client_id = request.form.get("client_id")
    client = None if client_id is None else _find(query_client, client_id)
    return client if client is not None and client.secret_hash is None else None


def _by_assertion(query_client: QueryClient, request: ClientRequest) -> RegisteredClient | None:
    """RFC 7523 §2.2. The method is compared first: a client of another one has no key or secret for this."""
    assertion = request.form["client_assertion"]
    try:
        client_id = client_assertion.client_id_of(assertion)
        client = _find(query_client, client_id)
        if client is None or request.form.get("client_id", client_id) != client_id:
            return None
        if client.token_endpoint_auth_method != client_assertion.method_of(assertion):
            return None
        client_assertion.check(assertion, client, request.endpoint)
    except JwtRefused:
        return None
    return client


def _with_secret(query_client: QueryClient, client_id: str, secret: str) -> RegisteredClient | None:
    client = _find(query_client, client_id)
    expected = _NO_SECRET if client is None or client.secret_hash is None else client.secret_hash
    matches = hmac.compare_digest(ids.fingerprint(secret), expected)
    return client if matches else None


def _find(query_client: QueryClient, client_id: str) -> RegisteredClient | None:
    """Ask for a client only by what an id can be: what PostgreSQL cannot store must not reach it."""
    return query_client(client_id) if client_id.isascii() and client_id.isprintable() else None


# Authlib's types want its own mixins for client and request; what it calls on them is there.
_dispatch: Any = ClientAuthentication(cast("Any", registry.find))
_dispatch.register(BASIC, _basic)
_dispatch.register(POST, _post)
_dispatch.register(SECRET_JWT, _by_assertion)
_dispatch.register(KEY_JWT, _by_assertion)
_dispatch.register(NONE, _none)
