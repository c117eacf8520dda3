"""What a client that registers itself may become (RFC 7591 §1.2): decided by whoever made its initial access token.

The client asks; the policy bounds. Everything that gives power (businesses, acting for units, the API that its tokens
are for, going without PKCE) comes from the policy alone, and persons are always asked for consent.
"""

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from idp.clients.description import STANDARD_SCOPES, NewClient
from idp.clients.metadata import ClientMetadataInvalid
from idp.clients.model import ActsFor
from idp.settings import LOOPBACK_HOSTS


class RegistrationPolicy(BaseModel):
    """The bounds. An empty list of software ids or hosts means any; `*.example` means every host below `example`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    software_ids: tuple[str, ...] = ()
    scopes: tuple[str, ...] = STANDARD_SCOPES
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    redirect_hosts: tuple[str, ...] = ()
    acts_for: ActsFor = ActsFor.NEVER
    resource: str | None = None
    require_pkce: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON for a row."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def check(self, client: NewClient) -> None:
        """Raise ClientMetadataInvalid for the first thing that the policy does not allow."""
        protocol = client.protocol
        if self.software_ids and protocol.software_id not in self.software_ids:
            raise ClientMetadataInvalid(what="software_id")
        if not set(client.scopes) <= set(self.scopes):
            raise ClientMetadataInvalid(what="scope")
        if not set(client.grant_types) <= set(self.grant_types):
            raise ClientMetadataInvalid(what="grant_types")
        if protocol.authorization_details_types and client.acts_for is ActsFor.NEVER:
            raise ClientMetadataInvalid(what="authorization_details_types")
        places = {
            "redirect_uris": client.redirect_uris,
            "post_logout_redirect_uris": client.post_logout_redirect_uris,
            "initiate_login_uri": (client.initiate_login_uri,) if client.initiate_login_uri else (),
        }
        for name, uris in places.items():
            for uri in uris:
                if not self._takes(uri, native=protocol.application_type == "native"):
                    raise ClientMetadataInvalid(what=name, value=uri)

    def _takes(self, uri: str, *, native: bool) -> bool:
        """Whether browsers may be sent to this host. An application's own machine and scheme have none to judge."""
        parts = urlsplit(uri)
        host = parts.hostname or ""
        if not self.redirect_hosts or (native and (not host or host in LOOPBACK_HOSTS)):
            return True
        return any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in self.redirect_hosts)
