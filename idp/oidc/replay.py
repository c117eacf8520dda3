"""What may be presented once only: the `jti` of assertions, DPoP proofs and request objects.

One INSERT decides, so two processes that see one `jti` at the same moment cannot both win.
"""

from enum import StrEnum

from idp import ids
from idp.store import hot

CLAIM = hot.Statement(
    "INSERT INTO used_jti (fingerprint, expires_at) VALUES (:fingerprint, :expires_at)"
    " ON CONFLICT (fingerprint) DO NOTHING RETURNING fingerprint"
)


class Kind(StrEnum):
    """What the `jti` belongs to: the same one may serve once for each kind."""

    CLIENT_ASSERTION = "client_assertion"  # RFC 7523, also as a grant (§2.1): it serves as one of the two
    DPOP_PROOF = "dpop_proof"
    REQUEST_OBJECT = "request_object"


def claim(on: hot.Executor, kind: Kind, issued_by: str, jti: str, *, expires_at: int) -> bool:
    """Use up `jti` of `issued_by` (a client id, a key's thumbprint); False when it was used before.

    It is remembered until `expires_at` (milliseconds since 1970), after which its token is refused for its age.
    """
    fingerprint = ids.fingerprint(f"{kind}\0{issued_by}\0{jti}")
    return on.one(CLAIM, fingerprint=fingerprint, expires_at=expires_at) is not None
