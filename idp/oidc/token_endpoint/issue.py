"""Issuing: access token, refresh token and ID token for a grant that was just found to hold.

Tokens are made first and stored then, so that what has to be claimed (a code, a refresh token) can be claimed and
answered for in one statement.
"""

from dataclasses import dataclass
from typing import Any

from idp import clock, ids
from idp.audit.log import INSERT_ENTRY, Entry, columns, record
from idp.clients.registration import PUBLIC
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting
from idp.oidc import statements
from idp.oidc.grants import Grant
from idp.oidc.tokens import access_token, id_token
from idp.oidc.tokens.access_token import Issued, Terms, token_type
from idp.settings import settings
from idp.store import hot

OPENID, OFFLINE_ACCESS = "openid", "offline_access"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant type


@dataclass(frozen=True, slots=True)
class Made:
    """Tokens that are made and not stored yet: the answer's body, the rows to store, the audit entry.

    `refresh` and `opaque` are values of INSERT_REFRESH and INSERT_OPAQUE, None where there is no such token.
    """

    body: dict[str, Any]
    entry: Entry
    refresh: dict[str, Any] | None
    opaque: dict[str, Any] | None


def issue(
    on: hot.Executor,
    grant: Grant,
    client: RegisteredClient,
    acting: Acting | None,
    terms: Terms,
    *,
    grant_type: str,
    nonce: str | None = None,
    parent_hash: str | None = None,
) -> dict[str, Any]:
    """Make tokens as `make` does, store what is stored of them, write the audit, and return the answer's body."""
    made = make(grant, client, acting, terms, grant_type=grant_type, nonce=nonce, parent_hash=parent_hash)
    if made.opaque is not None:
        on.run(statements.INSERT_OPAQUE, **made.opaque)
    if made.refresh is not None:
        if parent_hash is not None:
            on.run(statements.MARK_REFRESHED, parent_hash=parent_hash, now=made.refresh["now"])
        on.run(statements.INSERT_REFRESH, **made.refresh)
    record(on, made.entry)
    return made.body


def issue_if_claimed(claim: hot.Claim, made: Made, **values: Any) -> bool:
    """Claim, and store what was made, all or nothing; return False when there was nothing to claim any more.

    On PostgreSQL this is one statement.
    """
    writes = [INSERT_ENTRY]
    rows = columns(made.entry)
    for insert, row in ((statements.INSERT_OPAQUE, made.opaque), (statements.INSERT_REFRESH, made.refresh)):
        if row is not None:
            writes.insert(0, insert)
            rows |= row
    return hot.claim_and_write(claim, tuple(writes), **(values | rows))


def make(
    grant: Grant,
    client: RegisteredClient,
    acting: Acting | None,
    terms: Terms,
    *,
    grant_type: str,
    nonce: str | None = None,
    parent_hash: str | None = None,
) -> Made:
    """Make tokens on `terms`.

    `parent_hash` is the refresh token that this answer follows, used from now on. A refresh token's own scope is
    always the grant's, however narrow the access token was asked for (RFC 6749 §6).
    """
    claims = access_token.claims_of(grant, client, acting, terms)
    access, opaque = access_token.make(client, claims, grant.id)
    body = answer_for(access, claims)
    # FAPI 2.0 Security Profile §5.3.2.1: no rotation; the one that was presented stays good, bound as it is.
    stays = parent_hash is not None and bool(client.protocol.profile)
    refresh = None
    # U18: a face was checked for this once; what follows it is checked anew.
    if REFRESH_TOKEN in client.grant_types and not stays and not grant.by_representative:
        body["refresh_token"], refresh = _refresh_token(grant, client, parent_hash, terms.jkt)
    if OPENID in terms.scope:
        body["id_token"] = id_token.issue(grant, client, acting, access_token=access.token, nonce=nonce)
    entry = Entry(
        "token.issued",
        actor_id=grant.subject_id,
        unit_id=grant.unit_id,
        client_id=grant.client_id,
        details={"grant_type": grant_type, "authorization": grant.id, "scope": body["scope"]},
    )
    return Made(body, entry, refresh, opaque)


def answer_for(access: Issued, claims: dict[str, Any]) -> dict[str, Any]:
    """Return what every token response says of its access token (RFC 6749 §5.1, RFC 9449 §5, RFC 9396 §7)."""
    body: dict[str, Any] = {
        "access_token": access.token,
        "token_type": token_type(claims),
        "expires_in": access.expires_in,
    }
    return body | {name: claims[name] for name in ("scope", "authorization_details") if name in claims}


def _refresh_token(
    grant: Grant, client: RegisteredClient, parent_hash: str | None, jkt: str | None
) -> tuple[str, dict[str, Any]]:
    """Return a refresh token, and the values of its row for INSERT_REFRESH.

    A public client's is bound to its key (RFC 9449 §5); others prove themselves anyway.
    """
    token = ids.new_secret()
    now = clock.millis()
    return token, {
        "refresh_hash": ids.fingerprint(token),
        "authorization_id": grant.id,
        "client_id": grant.client_id,
        "parent_hash": parent_hash,
        "jkt": jkt if client.token_endpoint_auth_method == PUBLIC else None,
        "now": now,
        "refresh_expires_at": _refresh_ends_at(grant, now),
    }


def _refresh_ends_at(grant: Grant, now: int) -> int:
    """Without `offline_access` a refresh token ends with the sign-in it came from (OpenID Connect Core §11)."""
    end = now + settings().refresh_token_lifetime * 1000
    if OFFLINE_ACCESS in grant.scope or grant.session_ends_at is None:
        return end
    return min(end, grant.session_ends_at)
