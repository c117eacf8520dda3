"""Looking up an access token that somebody presents: is it ours, alive, not revoked, and does its grant hold now?"""

import json
from dataclasses import dataclass
from typing import Any

from idp import clock, ids
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting
from idp.oidc import grants, statements
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.tokens import jws
from idp.oidc.tokens.access_token import JWT_TYPE, grant_id_of
from idp.settings import settings
from idp.store import hot


@dataclass(frozen=True, slots=True)
class Found:
    """An access token of ours that has neither expired nor been revoked. `claims` are as for a JWT, also if opaque.

    `grant` is None for a token that a client got for itself (RFC 6749 §4.4).
    """

    claims: dict[str, Any]
    grant: Grant | None

    @property
    def client_id(self) -> str:
        """The client it was issued to."""
        return str(self.claims["client_id"])

    @property
    def scope(self) -> tuple[str, ...]:
        """The token's scope, which may be narrower than its grant's."""
        return tuple(self.claims.get("scope", "").split())


def find(on: hot.Executor, token: str) -> Found | None:
    """Return what `token` stands for; None if it is no access token of ours, has expired or was revoked.

    Whether its grant still holds is asked with `standing`.
    """
    return _find_jwt(on, token) if is_jwt(token) else _find_opaque(on, token)


def concerns(client: RegisteredClient, claims: dict[str, Any]) -> bool:
    """Whether a token is any business of `client`: issued to it, or for the API that it is (RFC 7662 §2.1).

    Nobody else is this issuer, the usual audience of clients without an API, whatever a registration says.
    """
    if claims["client_id"] == client.client_id:
        return True
    return client.resource is not None and client.resource == claims["aud"] != settings().issuer


def is_jwt(token: str) -> bool:
    """Tell a JWT from an opaque token: only a JWT has dots."""
    return "." in token


def _find_jwt(on: hot.Executor, token: str) -> Found | None:
    claims = jws.read(token, typ=JWT_TYPE)
    if claims is None or not jws.is_live(claims):
        return None
    grant_id = grant_id_of(claims["jti"])
    if grant_id is None:
        return Found(claims, None) if on.one(statements.FIND_REVOKED, jti=claims["jti"]) is None else None
    found = grants.find(on, grant_id, jti=claims["jti"])
    if found is None:
        return None
    grant, revoked = found
    return None if revoked else Found(claims, grant)


def _find_opaque(on: hot.Executor, token: str) -> Found | None:
    row = on.one(statements.FIND_OPAQUE, token_hash=ids.fingerprint(token), now=clock.millis())
    if row is None:
        return None
    return Found(json.loads(row[grants.COLUMNS]), None if row[0] is None else Grant.of_row(row))


def standing(on: hot.Executor, found: Found) -> Acting | None:
    """Return what acting.py says of the token's grant now. Raises GrantLost, also when its client was disabled."""
    client = registry.find(found.client_id)
    if client is None:
        raise GrantLost("client_disabled")
    return None if found.grant is None else grants.standing(on, found.grant, client)
