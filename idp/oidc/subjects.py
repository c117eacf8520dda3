"""Who a person is to a client: the id itself, or one that only this client's sector knows (OpenID Connect Core §8).

A pairwise id is a keyed hash of sector and person (§8.1): it stays the same as long as the sector does, two sectors
cannot compare theirs, and nothing about it is stored. So there is no way back from one to the person; whoever names a
subject (`id_token_hint`, `sub` by value) is answered by comparing. Units are public: their codes are, and what one
portal hands on to another is about the same unit.

A binding belongs to one person and would give them away, so its id is pairwise too.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache
from urllib.parse import urlsplit

from idp import ids
from idp.clients.registry import RegisteredClient
from idp.store.base import vault

PAIRWISE = "pairwise"
_PURPOSE = "oidc.pairwise"


def subject(client: RegisteredClient, subject_id: str) -> str:
    """Return the `sub` by which `client` knows a person or a unit."""
    return _pairwise(client, subject_id) if subject_id.startswith(ids.PERSON) else subject_id


def binding(client: RegisteredClient, binding_id: str) -> str:
    """Return the id by which `client` knows a binding."""
    return _pairwise(client, binding_id)


def _pairwise(client: RegisteredClient, own: str) -> str:
    if client.protocol.subject_type != PAIRWISE:
        return own
    prefix = own[: own.index("_") + 1]
    digest = bytes.fromhex(vault().lookup(_PURPOSE, f"{_sector(client)}\0{own}"))
    return prefix + urlsafe_b64encode(digest).rstrip(b"=").decode()


def _sector(client: RegisteredClient) -> str:
    return _host(client.protocol.sector_identifier_uri or client.redirect_uris[0])


@lru_cache(maxsize=1024)
def _host(uri: str) -> str:
    """Return the sector identifier (§8.1): the host. Registration made sure that all redirect URIs share it."""
    return urlsplit(uri).hostname or ""
