"""`sector_identifier_uri` (OpenID Connect Registration 1.0 §5): one sector for clients on several hosts.

Its document is fetched when a client is registered, and not again: it says then that whoever runs the sector's host
knows all these redirect URIs.
"""

import json

from idp.clients.description import NewClient
from idp.clients.metadata import ClientMetadataInvalid
from idp.gateways import fetch
from idp.gateways.fetch import FetchFailed

OK = 200


def check(client: NewClient) -> None:
    """Check that the document lists every redirect URI of `client`. Raises ClientMetadataInvalid."""
    uri = client.protocol.sector_identifier_uri
    if uri is None:
        return
    if not set(client.redirect_uris) <= _listed(uri):
        raise ClientMetadataInvalid(what="sector_identifier_uri", value=uri)


def _listed(uri: str) -> set[str]:
    """Return the addresses in the document: a JSON array of strings."""
    try:
        answer = fetch.get(uri)
        found = json.loads(answer.body) if answer.status == OK else None
    except (FetchFailed, ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ClientMetadataInvalid(what="sector_identifier_uri", value=uri)
    return set(found)
