"""Access tokens: RFC 9068 JWTs that are stored nowhere, or opaque ones for clients that want them.

A JWT's `jti` is `<id of the grant>.<random>`: that is how introspection and UserInfo find the row on which the token
hangs without keeping the token. Whoever sees a grant's id can do nothing with it. A token that a client got for itself
hangs on nothing but the client: its `jti` begins with `CLIENT_ITSELF`, which no grant has for an id.
"""

from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from idp import clock, ids
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting
from idp.oidc import authorization_details, statements, subjects
from idp.oidc.grants import Grant
from idp.oidc.tokens import jws
from idp.oidc.tokens.claims import ORGANIZATION, SERVICE, USER, capacity
from idp.persons.model import AccountKind
from idp.rules.levels import amr_claim
from idp.settings import settings
from idp.store import hot

JWT_TYPE = "at+jwt"
OPAQUE = "opaque"
CLIENT_ITSELF = "c"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an access token is made for: within its grant, and as narrow as the client asked.

    `jkt` is the thumbprint of the key that it is bound to (RFC 9449 §6), None for a bearer token. `not_after`
    (seconds) is an end that it must not outlive.
    """

    scope: tuple[str, ...]
    audience: str
    jkt: str | None = None
    not_after: int | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A token for the client, and for how many seconds it lives."""

    token: str
    expires_in: int


def ends_at(lifetime: int, acting: Acting | None) -> int:
    """Return the moment (seconds since 1970) at which a token of `lifetime` ends: never later than the delegation."""
    end = clock.timestamp() + lifetime
    return end if acting is None or acting.valid_to is None else min(end, acting.valid_to // 1000)


def issue(on: hot.Executor, client: RegisteredClient, claims: dict[str, Any], grant_id: str) -> Issued:
    """Make an access token that says `claims`; store it if it is opaque."""
    issued, row = make(client, claims, grant_id)
    if row is not None:
        on.run(statements.INSERT_OPAQUE, **row)
    return issued


def make(
    client: RegisteredClient, claims: dict[str, Any], grant_id: str | None
) -> tuple[Issued, dict[str, Any] | None]:
    """Make an access token that says `claims`, and the values of its row for `INSERT_OPAQUE`; a JWT has none."""
    return opaque(claims, grant_id) if client.access_token_format == OPAQUE else (signed(client, claims), None)


def signed(client: RegisteredClient, claims: dict[str, Any]) -> Issued:
    """Return `claims` as a JWT (RFC 9068 §2), under the algorithm that the client's APIs expect."""
    return Issued(jws.sign(claims, alg=client.access_token_alg, typ=JWT_TYPE), claims["exp"] - claims["iat"])


def opaque(claims: dict[str, Any], grant_id: str | None) -> tuple[Issued, dict[str, Any]]:
    """Return a token that means `claims`, and the values of its row for `INSERT_OPAQUE`."""
    token = ids.new_secret()
    row = {
        "opaque_hash": ids.fingerprint(token),
        "authorization_id": grant_id,
        "opaque_claims": to_json(claims).decode(),
        "opaque_expires_at": claims["exp"] * 1000,
    }
    return Issued(token, claims["exp"] - claims["iat"]), row


def claims_of_client(client_id: str, terms: Terms) -> dict[str, Any]:
    """Return the claims of a token that a client gets for itself (RFC 9068 §2.2: `sub` is the client's id).

    Nobody signed in, so there is no `acr`, `amr` or `auth_time` (§2.2.1), and nobody is acted for.
    """
    now = clock.timestamp()
    claims: dict[str, Any] = {
        "iss": settings().issuer,
        "aud": terms.audience,
        "client_id": client_id,
        "jti": f"{CLIENT_ITSELF}.{ids.new_id('')}",
        "iat": now,
        "exp": now + settings().access_token_lifetime,
        "sub": client_id,
        "sub_profile": SERVICE,
        **_confirmation(terms),
    }
    if terms.scope:
        claims["scope"] = " ".join(terms.scope)
    return claims


def claims_of(grant: Grant, client: RegisteredClient, acting: Acting | None, terms: Terms) -> dict[str, Any]:
    """Return the claims of an access token (RFC 9068 §2.2) for one API, `aud`.

    Acting for a unit, `sub` is the unit and `act.sub` the person (RFC 8693 §4.1): an API that overlooks `act` finds
    the unit's records, never the agent's own.
    """
    end = ends_at(_lifetime(grant), acting)
    claims: dict[str, Any] = {
        "iss": settings().issuer,
        "aud": terms.audience,
        "client_id": client.client_id,
        "jti": f"{grant.id}.{ids.new_id('')}",
        "iat": clock.timestamp(),
        "exp": end if terms.not_after is None else min(end, terms.not_after),
        **_subject(grant, client),
        **capacity(grant),
        "scope": " ".join(terms.scope),
        "acr": grant.acr,
        "amr": amr_claim(grant.amr),
        "auth_time": grant.auth_time,
        **_confirmation(terms),
    }
    if grant.sid is not None:
        claims["sid"] = grant.sid
    if acting is not None:
        claims["authorization_details"] = authorization_details.granted(grant, acting, terms.scope)
    return claims


def _lifetime(grant: Grant) -> int:
    """Return seconds. U18: what a face opened lasts for one form, and no refresh token follows."""
    return settings().representative_token_lifetime if grant.by_representative else settings().access_token_lifetime


def _subject(grant: Grant, client: RegisteredClient) -> dict[str, Any]:
    signed_in = subjects.subject(client, grant.subject_id)
    if grant.unit_id is not None:
        return {
            "sub": grant.unit_id,
            "sub_profile": ORGANIZATION,
            "act": {"sub": signed_in, "sub_profile": USER},
        }
    profile = USER if grant.kind is AccountKind.PERSON else ORGANIZATION
    return {"sub": signed_in, "sub_profile": profile}


def token_type(claims: dict[str, Any]) -> str:
    """Return how the token is to be presented: `DPoP` when it is bound to a key (RFC 9449 §5), else `Bearer`."""
    return "DPoP" if "cnf" in claims else "Bearer"


def _confirmation(terms: Terms) -> dict[str, Any]:
    """Return `cnf` for a token that only the holder of a key may use (RFC 9449 §6.1)."""
    return {} if terms.jkt is None else {"cnf": {"jkt": terms.jkt}}


def grant_id_of(jti: str) -> str | None:
    """Return the id of the grant that a JWT hangs on; None for a token that a client got for itself."""
    grant_id = jti.partition(".")[0]
    return None if grant_id == CLIENT_ITSELF else grant_id
