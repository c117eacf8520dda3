"""Reading an `id_token_hint`: an ID token of ours, for the client that sends it, and nothing else.

Authlib takes whatever has a good signature: an access token, or a token of another issuer under the same key
(DESIGN 3, trap 10). Here type, issuer and audience must be right. An expired token is taken (OpenID Connect Core
§3.1.2.1; RP-Initiated Logout 1.0 §2: "even when the exp time has passed").
"""

from dataclasses import dataclass

from idp.oidc.tokens import jws

TYP = "JWT"


@dataclass(frozen=True, slots=True)
class Hint:
    """What an ID token of ours says: its subject, session and audience."""

    sub: str
    sid: str | None
    client_id: str


def read(token: str) -> Hint | None:
    """Return what `token` says; None if it is not an ID token that we signed for exactly one client."""
    claims = jws.read(token, typ=TYP)
    if claims is None:
        return None
    sub, sid, aud = claims.get("sub"), claims.get("sid"), claims.get("aud")
    if not isinstance(sub, str) or not isinstance(aud, str) or not isinstance(sid, str | None):
        return None
    return Hint(sub, sid, aud)
