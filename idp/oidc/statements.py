"""The hot statements of the protocol: each a whole look-up, claim or store, on `idp.store.hot` (DESIGN 9).

Texts are the same for SQLite and PostgreSQL; times are milliseconds. `authorization` is a reserved word, hence the
quotes.
"""

from typing import Any

from idp.audit.log import INSERT_ENTRY, Entry, columns, record
from idp.store import hot
from idp.store.hot import Claim, PostgresExecutor, Statement, Step

# What a grant says, and who and what stands behind it, in the order of `grants.Grant.of_row`. `u` is the unit that
# is acted for, or the unit account itself; ids carry a prefix by kind, so the joins never take a person for a unit.
_GRANT = (
    "a.id, a.client_id, a.kind, a.subject_id, a.unit_id, a.scope, a.businesses, a.resource, a.nonce, a.claims, "
    "a.auth_time, a.acr, a.amr, a.portal_session_id, a.ended_at, b.expires_at, "
    "p.status, p.full_name, p.login_name, p.phone, p.real_name_level, "
    "u.status, u.document_type, u.document_number, u.full_name, u.login_name, u.verified_at, u.region_code"
)
_BEHIND = (
    "LEFT JOIN portal_session s ON s.id = a.portal_session_id "
    "LEFT JOIN browser_session b ON b.id = s.session_id "
    "LEFT JOIN person p ON p.id = a.subject_id "
    "LEFT JOIN unit u ON u.id = COALESCE(a.unit_id, a.subject_id) "
)

# Authorization code (RFC 6749 §4.1.3). Of many parallel requests exactly one gets the row. A used code is kept on,
# so that a replay is known as one.
_USE_CODE = (
    "UPDATE authorization_code SET used_at = :now, expires_at = :remember_until "
    "WHERE code_hash = :code_hash AND client_id = :client_id AND used_at IS NULL AND expires_at > :now "
)
CLAIM_CODE = Statement(_USE_CODE + "RETURNING authorization_id, redirect_uri, code_challenge, dpop_jkt")
CODE = Claim(
    Step.hold('SELECT 1 FROM "authorization" WHERE id = :authorization_id AND ended_at IS NULL '),
    Step.change(_USE_CODE),
)
# The same code looked at, with the grant behind it: what can be decided before the claim is decided before.
FIND_CODE = Statement(
    f"SELECT {_GRANT}, c.redirect_uri, c.code_challenge, c.dpop_jkt "  # noqa: S608 - constants of this module
    f'FROM authorization_code c JOIN "authorization" a ON a.id = c.authorization_id {_BEHIND} '
    "WHERE c.code_hash = :code_hash AND c.client_id = :client_id AND c.used_at IS NULL AND c.expires_at > :now"
)
FIND_USED_CODE = Statement(
    "SELECT authorization_id FROM authorization_code "
    "WHERE code_hash = :code_hash AND client_id = :client_id AND used_at IS NOT NULL"
)

# The grant of a JWT, and whether that token was revoked. `jti` is empty where no token is presented.
FIND_GRANT = Statement(
    f"SELECT {_GRANT}, (SELECT 1 FROM revoked_token r WHERE r.jti = :jti) "  # noqa: S608 - constants of this module
    f'FROM "authorization" a {_BEHIND} WHERE a.id = :id'
)
# A token that a client got for itself hangs on no grant.
FIND_REVOKED = Statement("SELECT 1 FROM revoked_token WHERE jti = :jti")
FIND_OPAQUE = Statement(
    f"SELECT {_GRANT}, t.claims "  # noqa: S608 - constants of this module
    f'FROM opaque_token t LEFT JOIN "authorization" a ON a.id = t.authorization_id {_BEHIND} '
    "WHERE t.token_hash = :token_hash AND t.expires_at > :now"
)

# What a person let a client have while away, for themselves: the newest such grant that the client could refresh now.
FIND_OFFLINE_GRANT = Statement(
    f'SELECT {_GRANT} FROM "authorization" a {_BEHIND} '  # noqa: S608 - constants of this module
    "WHERE a.subject_id = :subject_id AND a.client_id = :client_id AND a.unit_id IS NULL AND a.ended_at IS NULL "
    "AND ' ' || a.scope || ' ' LIKE '% offline_access %' "
    "AND EXISTS (SELECT 1 FROM refresh_token t "
    "WHERE t.authorization_id = a.id AND t.used_at IS NULL AND t.expires_at > :now) "
    "ORDER BY a.created_at DESC LIMIT 1"
)

# A refresh token with what became of its successors and of its siblings: tokens issued for the same parent, because
# an answer was lost and the refresh tried again.
FIND_REFRESH = Statement(
    f"SELECT {_GRANT}, COALESCE(a.refreshed_at, 0), t.expires_at, t.used_at, t.jkt, "  # noqa: S608 - constants of this module
    "EXISTS (SELECT 1 FROM refresh_token c WHERE c.parent_hash = t.token_hash AND c.used_at IS NOT NULL), "
    "EXISTS (SELECT 1 FROM refresh_token c WHERE c.parent_hash = t.parent_hash AND c.token_hash <> t.token_hash "
    "AND c.used_at IS NOT NULL) "
    f'FROM refresh_token t JOIN "authorization" a ON a.id = t.authorization_id {_BEHIND} '
    "WHERE t.token_hash = :token_hash AND t.client_id = :client_id"
)
# Whoever refreshes holds the row of the family from here to the commit: one family refreshes one at a time. Each time
# is later than the one before, so that it tells whether a family is as it was seen.
_REFRESH_FAMILY = (
    'UPDATE "authorization" SET refreshed_at = CASE WHEN refreshed_at >= :now THEN refreshed_at + 1 ELSE :now END '
)
LOCK_FAMILY = Statement(
    _REFRESH_FAMILY + "WHERE id = (SELECT t.authorization_id FROM refresh_token t "  # noqa: S608 - constants
    "WHERE t.token_hash = :token_hash AND t.client_id = :client_id) "
    "AND ended_at IS NULL RETURNING id"
)
INSERT_REFRESH = Statement(
    "INSERT INTO refresh_token (token_hash, authorization_id, client_id, parent_hash, jkt, issued_at, expires_at) "
    "VALUES (:refresh_hash, :authorization_id, :client_id, :parent_hash, :jkt, :now, :refresh_expires_at)"
)
_MARK_REFRESHED = "UPDATE refresh_token SET used_at = :now WHERE token_hash = :parent_hash AND used_at IS NULL "
MARK_REFRESHED = Statement(_MARK_REFRESHED)
# The first use of a refresh token whose family is as it was `seen`: nobody refreshed or ended it since.
FIRST_REFRESH = Claim(
    Step.change(
        _REFRESH_FAMILY + "WHERE id = :authorization_id AND ended_at IS NULL AND COALESCE(refreshed_at, 0) = :seen "
    ),
    Step.change(_MARK_REFRESHED),
)
INSERT_OPAQUE = Statement(
    "INSERT INTO opaque_token (token_hash, authorization_id, claims, expires_at) "
    "VALUES (:opaque_hash, :authorization_id, :opaque_claims, :opaque_expires_at)"
)
# One statement in place of four (BEGIN, two INSERTs, COMMIT): PostgreSQL only, SQLite has no round trips.
_OPAQUE_WITH_ENTRY_ON_POSTGRESQL = Statement(f"WITH stored AS ({INSERT_OPAQUE.sqlite}) {INSERT_ENTRY.sqlite}")
FIND_REFRESH_OWNER = Statement("SELECT client_id, authorization_id FROM refresh_token WHERE token_hash = :token_hash")

# Token exchange (RFC 8693): until the commit nobody ends the sign-in or the grant on which the new one is hung.
HOLD_SIGN_IN = Statement(
    "SELECT b.id FROM browser_session b JOIN portal_session s ON s.session_id = b.id "
    'JOIN "authorization" a ON a.portal_session_id = s.id '
    "WHERE a.id = :id AND b.ended_at IS NULL AND s.ended_at IS NULL AND a.ended_at IS NULL",
    lock="FOR SHARE",
)
# Who signed in, how and when is copied. What comes from an exchanged grant hangs on the first one, too.
INSERT_EXCHANGED = Statement(
    'INSERT INTO "authorization" (id, portal_session_id, client_id, kind, subject_id, unit_id, scope, businesses, '
    "resource, claims, auth_time, acr, amr, created_at, parent_id, expires_at) "
    "SELECT :id, :portal_session_id, :client_id, kind, subject_id, :unit_id, :scope, :businesses, "
    ":resource, claims, auth_time, acr, amr, :now, COALESCE(parent_id, id), :expires_at "
    'FROM "authorization" WHERE id = :from_id'
)
# With a grant end those that came from it by token exchange.
END_GRANT = Statement(
    'UPDATE "authorization" SET ended_at = :now, ended_why = :why '
    "WHERE (id = :id OR parent_id = :id) AND ended_at IS NULL"
)
REVOKE_JWT = Statement(
    "INSERT INTO revoked_token (jti, expires_at) VALUES (:jti, :expires_at) ON CONFLICT (jti) DO NOTHING"
)
DELETE_OPAQUE = Statement("DELETE FROM opaque_token WHERE token_hash = :token_hash")


def store_opaque_for_client(row: dict[str, Any], entry: Entry) -> None:
    """Store an opaque token that hangs on no grant together with its audit entry: both or neither."""
    on = hot.reader()
    if isinstance(on, PostgresExecutor):
        on.run(_OPAQUE_WITH_ENTRY_ON_POSTGRESQL, **row, **columns(entry))
        return
    with hot.transaction() as within:
        within.run(INSERT_OPAQUE, **row)
        record(within, entry)
