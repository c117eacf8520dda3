"""The hot statements of this endpoint (DESIGN 9). Times are milliseconds; `authorization` is a reserved word."""

from functools import cache

from idp.sessions.interactions import FINISH_OPEN
from idp.store.hot import Claim, Statement, Step

# Nobody may end the session or disable the client until the transaction commits: what is hung on them meanwhile would
# never be told, or would come back with the client.
HOLD_SESSION = Statement(
    "SELECT c.disabled_at FROM browser_session b JOIN client c ON c.client_id = :client_id "
    "WHERE b.id = :id AND b.ended_at IS NULL",
    lock="FOR SHARE",
)
_SESSION = Step.hold("SELECT 1 FROM browser_session WHERE id = :session_id AND ended_at IS NULL ")
_CLIENT = Step.hold("SELECT 1 FROM client WHERE client_id = :client_id AND disabled_at IS NULL ")
_PORTAL_SESSION = Step.hold("SELECT 1 FROM portal_session WHERE id = :portal_session_id AND ended_at IS NULL ")


@cache
def in_place(*, joins: bool, finishes: bool) -> Claim:
    """Return the claim that all is as it was: with a portal session to join, with an interaction to finish.

    The end of the interaction comes last, because it alone changes something: a claim that is lost changes nothing.
    """
    return Claim(_SESSION, _CLIENT, *([_PORTAL_SESSION] if joins else []), *([FINISH_OPEN] if finishes else []))


INSERT_AUTHORIZATION = Statement(
    'INSERT INTO "authorization" (id, portal_session_id, client_id, kind, subject_id, unit_id, scope, businesses, '
    "resource, nonce, claims, auth_time, acr, amr, created_at) "
    "VALUES (:id, :portal_session_id, :client_id, :kind, :subject_id, :unit_id, :scope, :businesses, "
    ":resource, :nonce, :claims, :auth_time, :acr, :amr, :now)"
)
INSERT_CODE = Statement(
    "INSERT INTO authorization_code "
    "(code_hash, authorization_id, client_id, redirect_uri, code_challenge, dpop_jkt, expires_at) "
    "VALUES (:code_hash, :authorization_id, :client_id, :redirect_uri, :code_challenge, :dpop_jkt, :expires_at)"
)
