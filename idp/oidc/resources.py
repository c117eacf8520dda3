"""Resource indicators (RFC 8707): for which API is an access token?

Our access tokens have exactly one audience (DESIGN 4): one that is stolen from an API opens no other. A client may
register several; an authorization request may name several of them, and each token request picks one.
"""

from collections.abc import Sequence

from idp.clients.registry import RegisteredClient
from idp.oidc.errors import InvalidTargetError
from idp.settings import settings

PARAMETER = "resource"


def registered(client: RegisteredClient) -> tuple[str, ...]:
    """Return the audiences that tokens of `client` may have, its own first.

    Without one of its own that is ours: RFC 9068 §3 wants a default, and UserInfo is here.
    """
    own = client.resource or settings().issuer
    return tuple(dict.fromkeys((own, *client.protocol.resources)))


def picked(asked: str | None, allowed: Sequence[str]) -> str:
    """Return the one audience that a token request asks for; without a word the first of `allowed`.

    Raises InvalidTargetError (RFC 8707 §2) for any other. Names are compared as they are, not as addresses.
    """
    if asked is None:
        return allowed[0]
    if asked not in allowed:
        raise InvalidTargetError("The resource is not one that these tokens may be for")
    return asked
