"""Authlib's authorization server, reduced to what we take from it: dispatch to grants and endpoints by name.

Its storage, its token generators and its own reading of requests are not used (DESIGN 3). Where a signature says Any,
Authlib's published types want classes of its own that it never looks into.
"""

from collections.abc import Collection
from typing import Any

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import UnsupportedGrantTypeError as AuthlibUnsupportedGrantTypeError
from flask import Request

from idp.clients import registry
from idp.features import GRANT_TYPES
from idp.oidc import client_auth, client_requests
from idp.oidc.client_requests import Answer, ClientRequest
from idp.oidc.errors import UnsupportedGrantTypeError
from idp.settings import settings


class Server(AuthorizationServer):
    """Chooses the grant or endpoint for a client's request. It keeps nothing between requests."""

    def query_client(self, client_id: str) -> Any:
        """Return the living client of this id."""
        return registry.find(client_id)

    def authenticate_client(self, request: Any, methods: Collection[str], endpoint: str = "token") -> Any:
        """Return the client that calls. Raises OAuth2Error."""
        return client_auth.authenticate(request, methods, endpoint)

    def create_oauth2_request(self, request: Request) -> ClientRequest:
        """Read a client's request, once. Raises OAuth2Error."""
        return client_requests.read(request)

    def get_token_grant(self, request: Any) -> Any:
        """Return the grant for `grant_type`. Raises OAuth2Error; Authlib's own error repeats what it was sent."""
        feature = GRANT_TYPES.get(request.required("grant_type"))
        if feature is not None and not settings().is_on(feature):
            raise UnsupportedGrantTypeError
        try:
            return super().get_token_grant(request)
        except AuthlibUnsupportedGrantTypeError as error:
            raise UnsupportedGrantTypeError from error

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Return JSON that nobody stores."""
        return client_requests.answer(status, body, headers)

    def handle_error_response(self, request: Any, error: Any) -> Answer:
        """Return the OAuth error as JSON."""
        del request
        return client_requests.refusal(error)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib announces steps; nobody listens."""
