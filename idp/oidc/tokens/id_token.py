"""ID tokens (OpenID Connect Core §2). `sub` is always who signed in, so accounts survive a switch of unit."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

from idp import clock
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting
from idp.oidc import subjects
from idp.oidc.grants import Grant
from idp.oidc.tokens import jws
from idp.oidc.tokens.access_token import ends_at
from idp.oidc.tokens.claims import acting_for, capacity, of_sign_in, subject_claims
from idp.settings import settings

JWT_TYPE = "JWT"


def issue(
    grant: Grant, client: RegisteredClient, acting: Acting | None, *, access_token: str, nonce: str | None
) -> str:
    """Make an ID token. `nonce` is given for a code and left out for a refresh (Core §12.2).

    Claims of a scope are UserInfo's to answer (Core §5.4). Here stand those that the `claims` parameter asked for by
    name (§5.5), as far as the person agreed; that was decided when the code was issued.
    """
    claims: dict[str, Any] = {
        "iss": settings().issuer,
        "sub": subjects.subject(client, grant.subject_id),
        "aud": grant.client_id,
        "exp": ends_at(settings().id_token_lifetime, acting),
        "iat": clock.timestamp(),
        **of_sign_in(grant),
        **capacity(grant),
        "at_hash": half_hash(access_token, client.id_token_alg),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if grant.sid is not None:
        claims["sid"] = grant.sid
    for_whom = acting_for(grant, acting, client)
    if for_whom is not None:
        claims["acting_for"] = for_whom
    asked = grant.claims.get("id_token")
    if asked:
        claims |= subject_claims(grant, asked)
    return jws.sign(claims, alg=client.id_token_alg, typ=JWT_TYPE)


def half_hash(value: str, alg: str) -> str:
    """Return the left half of the hash of `value` in base64url, as `at_hash` wants it (Core §3.1.3.6).

    Ed25519 hashes with SHA-512 inside (RFC 8032 §5.1), all our other algorithms end in 256.
    """
    digest = hashlib.sha512 if alg == "EdDSA" else hashlib.sha256
    hashed = digest(value.encode()).digest()
    return urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
