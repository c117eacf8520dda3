"""Looking up an access token that somebody presents: is it ours, alive, not revoked, and does its grant hold now?"""

import json
from dataclasses import dataclass
from typing import Any

from idp import clock, ids
from idp.clients import registry
from idp.delegation.acting import Acting
from idp.oidc import grants, statements
from idp.oidc.grants import Grant, GrantLost
from idp.oidc.tokens import jws
from idp.oidc.tokens.access_token import JWT_TYPE, grant_id_of
from idp.store import hot


@dataclass(frozen=True, slots=True)
class Found:
    """An access token of ours that has neither expired nor been revoked. `claims` are as for a JWT, also if opaque."""

    claims: dict[str, Any]
    grant: Grant

    @property
    def scope(self) -> tuple[str, ...]:
        """The token's scope, which may be narrower than its grant's."""
        return tuple(self.claims["scope"].split())


def find(on: hot.Executor, token: str) -> Found | None:
    """Return what `token` stands for; None if it is no access token of ours, has expired or was revoked.

    Whether its grant still holds is asked with `standing`.
    """
    return _find_jwt(on, token) if is_jwt(token) else _find_opaque(on, token)


def is_jwt(token: str) -> bool:
    """Tell a JWT from an opaque token: only a JWT has dots."""
    return "." in token


def _find_jwt(on: hot.Executor, token: str) -> Found | None:
    claims = jws.read(token, typ=JWT_TYPE)
    if claims is None or not jws.is_live(claims):
        return None
    found = grants.find(on, grant_id_of(claims["jti"]), jti=claims["jti"])
    if found is None:
        return None
    grant, revoked = found
    return None if revoked else Found(claims, grant)


def _find_opaque(on: hot.Executor, token: str) -> Found | None:
    row = on.one(statements.FIND_OPAQUE, token_hash=ids.fingerprint(token), now=clock.millis())
    return None if row is None else Found(json.loads(row[grants.COLUMNS]), Grant.of_row(row))


def standing(on: hot.Executor, grant: Grant) -> Acting | None:
    """Return what acting.py says of `grant` now. Raises GrantLost, also when its client was disabled."""
    client = registry.find(grant.client_id)
    if client is None:
        raise GrantLost("client_disabled")
    return grants.standing(on, grant, client)
