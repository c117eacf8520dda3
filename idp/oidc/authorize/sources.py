"""Where the parameters of a request stand: in the address or form itself, pushed before (RFC 9126), or in a request
object (RFC 9101). Whatever brings them, they go through the same list of checks."""

from dataclasses import dataclass

from idp.clients.registry import RegisteredClient
from idp.features import Feature
from idp.oidc.authorize import request_object
from idp.oidc.authorize.parse import Parameters
from idp.oidc.errors import (
    InvalidRequestError,
    InvalidRequestUriError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)
from idp.sessions import pushed_requests
from idp.settings import settings


@dataclass(frozen=True, slots=True)
class Source:
    """The parameters, and how they came. `pushed` is the key of the pushed request, None if it was none."""

    parameters: Parameters
    pushed: str | None = None
    is_signed: bool = False


def read(sent: Parameters, client: RegisteredClient) -> Source:
    """Return what counts of what was sent. Raises OAuth2Error."""
    if sent.spoilt("request", "request_uri"):
        raise InvalidRequestError("A parameter is repeated, too long, or not valid text")
    text, request_uri = sent.get("request"), sent.get("request_uri")
    if text is not None and request_uri is not None:
        raise InvalidRequestError("request and request_uri exclude each other")  # RFC 9101 §5
    if request_uri is not None and request_uri.startswith(pushed_requests.PREFIX) and settings().is_on(Feature.PAR):
        return _pushed(request_uri, client)
    if request_uri is not None:
        if not settings().is_on(Feature.REQUEST_OBJECT):
            raise RequestURINotSupportedError("The request_uri parameter is not supported")
        text = request_object.fetched(request_uri, client)
    return Source(sent) if text is None else from_object(text, client, sent)


def from_object(text: str, client: RegisteredClient, sent: Parameters) -> Source:
    """Return the parameters of a request object that came by value. Raises OAuth2Error."""
    if not settings().is_on(Feature.REQUEST_OBJECT):
        raise RequestNotSupportedError("The request parameter is not supported")
    parameters, is_signed = request_object.read(text, client, sent)
    return Source(parameters, is_signed=is_signed)


def _pushed(request_uri: str, client: RegisteredClient) -> Source:
    found = pushed_requests.open_again(client.client_id, request_uri)
    if found is None:
        raise InvalidRequestUriError("The request_uri is unknown, expired or was used")
    parameters = Parameters(found.values, resources=found.resources)
    return Source(parameters, pushed_requests.hash_of(request_uri), found.is_signed)
