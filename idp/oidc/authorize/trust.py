"""Whom may an answer go to? Client and redirect URI, before anything else (RFC 6749 §4.1.2.1).

Until both are known to be right, an error is shown to the person and never sent anywhere: an answer to an address
that nobody registered would make this endpoint an open redirector (RFC 9700 §4.11.2).
"""

from dataclasses import dataclass
from typing import ClassVar

from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.errors import DomainError
from idp.oidc.authorize import sources
from idp.oidc.authorize.parse import Parameters, RequestUnreadable
from idp.oidc.authorize.redirect_uris import is_registered
from idp.oidc.authorize.sources import Source
from idp.oidc.errors import OAuth2Error

JUST_NOW = ""
"""What stands for the key of a pushed request while it is being pushed."""


class ClientUnknown(DomainError):
    """No living client has this id: it is missing, was never registered, or is disabled."""

    code: ClassVar[str] = "client_unknown"


class RedirectUriUnknown(DomainError):
    """The redirect URI is missing or not one that the client registered."""

    code: ClassVar[str] = "redirect_uri_unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """A request whose client and redirect URI are right; everything else is still to be checked.

    `pushed` is the key of the pushed request that the parameters come from, `is_signed` whether the client signed
    them; with a `defect` they could not be had at all, and `parameters` is what was sent in their place.
    """

    client: RegisteredClient
    redirect_uri: str
    parameters: Parameters
    pushed: str | None = None
    is_signed: bool = False
    defect: OAuth2Error | None = None


class RequestUriUnknown(DomainError):
    """The request stands elsewhere (RFC 9126, RFC 9101), cannot be had, and says of no address where to answer."""

    code: ClassVar[str] = "request_uri_unknown"


def establish(sent: Parameters) -> Case:
    """Return the case of a request. Raises RequestUnreadable, ClientUnknown, RedirectUriUnknown, RequestUriUnknown."""
    if sent.spoilt("client_id", "redirect_uri"):
        raise RequestUnreadable
    client = _client_known(sent)
    try:
        source = sources.read(sent, client)
    except OAuth2Error as error:
        return _defective(client, sent, error)
    if source.parameters.spoilt("redirect_uri"):
        raise RequestUnreadable
    uri = _redirect_uri_registered(source.parameters, client)
    return Case(client, uri, source.parameters, source.pushed, source.is_signed)


def of_push(source: Source, client: RegisteredClient) -> Case:
    """Return the case of a request that an authenticated client pushes. Raises RedirectUriUnknown."""
    uri = _redirect_uri_registered(source.parameters, client)
    return Case(client, uri, source.parameters, pushed=JUST_NOW, is_signed=source.is_signed)


def _defective(client: RegisteredClient, sent: Parameters, error: OAuth2Error) -> Case:
    """The request cannot be had, but what was sent beside it may say where to tell so. Raises RequestUriUnknown."""
    try:
        return Case(client, _redirect_uri_registered(sent, client), sent, defect=error)
    except RedirectUriUnknown as unknown:
        raise RequestUriUnknown from unknown


def _client_known(parameters: Parameters) -> RegisteredClient:
    """RFC 6749 §4.1.2.1: "missing, invalid … client identifier" must not redirect. A disabled client is no client."""
    client = registry.find(parameters.get("client_id") or "")
    if client is None:
        raise ClientUnknown
    return client


def _redirect_uri_registered(parameters: Parameters, client: RegisteredClient) -> str:
    """OpenID Connect Core §3.1.2.1: REQUIRED, also of a client that registered only one, and exactly matching."""
    uri = parameters.get("redirect_uri")
    native = client.protocol.application_type == "native"  # OpenID Connect Dynamic Client Registration §2
    if uri is None or not is_registered(uri, client.redirect_uris, native=native):
        raise RedirectUriUnknown
    return uri
