"""Which addresses of portals the browser opens when it signs out (OpenID Connect Front-Channel Logout 1.0)."""

from urllib.parse import urlencode

from sqlalchemy import select

from idp.clients import registry
from idp.features import Feature
from idp.sessions.model import PortalSession
from idp.settings import settings
from idp.store.db import db


def addresses(session_id: str) -> list[str]:
    """Return what is to be loaded, each once: asked before the session ends, for an ended one has no portals.

    A portal that wants `iss` and `sid` has one address for each of its sessions: it may have one for every unit.
    """
    if not settings().is_on(Feature.FRONTCHANNEL_LOGOUT):
        return []
    living = db.session().execute(
        select(PortalSession.client_id, PortalSession.id)
        .where(PortalSession.session_id == session_id, PortalSession.ended_at.is_(None))
        .order_by(PortalSession.client_id, PortalSession.id)
    )
    found = (_address(client_id, sid) for client_id, sid in living)
    return list(dict.fromkeys(each for each in found if each is not None))


def _address(client_id: str, sid: str) -> str | None:
    """§3: with `iss` and `sid`, both, where the client requires them."""
    client = registry.find(client_id)
    uri = client.protocol.frontchannel_logout_uri if client else None
    if client is None or uri is None or not client.protocol.frontchannel_logout_session_required:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'iss': settings().issuer, 'sid': sid})}"
