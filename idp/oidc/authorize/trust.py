"""Whom may an answer go to? Client and redirect URI, before anything else (RFC 6749 §4.1.2.1).

Until both are known to be right, an error is shown to the person and never sent anywhere: an answer to an address
that nobody registered would make this endpoint an open redirector (RFC 9700 §4.11.2).
"""

from dataclasses import dataclass
from typing import ClassVar

from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.errors import DomainError
from idp.oidc.authorize.parse import Parameters, RequestUnreadable
from idp.oidc.authorize.redirect_uris import is_registered


class ClientUnknown(DomainError):
    """No living client has this id: it is missing, was never registered, or is disabled."""

    code: ClassVar[str] = "client_unknown"


class RedirectUriUnknown(DomainError):
    """The redirect URI is missing or not one that the client registered."""

    code: ClassVar[str] = "redirect_uri_unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """A request whose client and redirect URI are right; everything else is still to be checked."""

    client: RegisteredClient
    redirect_uri: str
    parameters: Parameters


def establish(parameters: Parameters) -> Case:
    """Return the case of a request. Raises RequestUnreadable, ClientUnknown, RedirectUriUnknown."""
    if parameters.spoilt("client_id", "redirect_uri"):
        raise RequestUnreadable
    client = _client_known(parameters)
    return Case(client, _redirect_uri_registered(parameters, client), parameters)


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
