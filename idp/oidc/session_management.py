"""Whether the sign-in is still the same, asked by a portal in a frame (OpenID Connect Session Management 1.0).

With an answer the portal gets `session_state`: a hash over its client id, its origin and the state of this browser. It
hands that to our page in a frame, whose script hashes anew over what the cookie says now. The choice of a unit is no
part of it: that belongs to a request (DESIGN 4), and what a unit takes back is told by back-channel logout.
"""

import hashlib
import secrets
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import abort, make_response, render_template
from flask.typing import ResponseReturnValue

from idp import web
from idp.features import Feature
from idp.oidc.blueprint import blueprint
from idp.sessions.browser_sessions import SignedIn
from idp.settings import settings
from idp.web import Access, access

_USUAL_PORTS = {"http": 80, "https": 443}


def session_state(client_id: str, redirect_uri: str, who: SignedIn) -> str | None:
    """Return `session_state` for an answer (§3); None where it is off, and for a redirect URI that is no web page."""
    origin = web_origin(redirect_uri)
    if origin is None or not settings().is_on(Feature.SESSION_MANAGEMENT):
        return None
    salt = secrets.token_urlsafe(12)
    text = f"{client_id} {origin} {web.op_state(who)} {salt}"
    return f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"


def web_origin(uri: str) -> str | None:
    """Return the origin of `uri` as browsers write it (HTML Standard): in small letters, without the usual port."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _USUAL_PORTS or parts.hostname is None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = f"{parts.scheme}://{host}"
    return place if port in {None, _USUAL_PORTS[parts.scheme]} else f"{place}:{port}"


@blueprint.get("/oidc/check_session")
@access(Access.ANYONE)
def check_session() -> ResponseReturnValue:
    """§3.3: the page for the frame of a portal; the one page of ours that others may frame, for nothing is on it."""
    if not settings().is_on(Feature.SESSION_MANAGEMENT):
        abort(HTTPStatus.NOT_FOUND)
    response = make_response(render_template("check_session.html", cookie=web.op_state_cookie_name()))
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"
    )
    return response
