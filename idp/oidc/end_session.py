"""Logout that a portal begins (OpenID Connect RP-Initiated Logout 1.0): check the request, ask the person, answer.

What is decided here, where the specification leaves it open:
- A hint that is an ID token of the session in this browser proves that the portal speaks for it: the session ends
  without a question. Anything else is asked about, so that a link or an image of a stranger signs nobody out (§6).
- A redirect needs an address that the client registered, character by character, and a client that is known for
  sure: by its ID token, or by `client_id` with the person's own yes (§3 "other means"), or with nobody signed in.
- `logout_hint` names nobody that the session does not name already; it is passed over.
- A wrong hint, or one for another client, is an error page: nothing ends, nothing is redirected (§4).

The endpoint itself only checks. It hands the checked request, signed, to a page by GET: a form of another site
brings no cookie (SameSite=Lax), so only that page knows whose browser it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import ClassVar, Self
from urllib.parse import urlencode

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select
from werkzeug.wrappers import Response

from idp import clock, signed_out, web
from idp.clients import registry
from idp.clients.model import Client
from idp.clients.registry import RegisteredClient
from idp.errors import DomainError
from idp.messages import sentence
from idp.oidc import id_token_hint
from idp.oidc.authorize import parse
from idp.oidc.authorize.parse import Parameters, RequestUnreadable
from idp.oidc.blueprint import blueprint
from idp.oidc.id_token_hint import Hint
from idp.rules.origins import origin_of
from idp.sessions import browser_sessions, frontchannel_logout
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.model import PortalSession
from idp.store.db import db, transaction
from idp.web import Access, access

PARAMETERS = ("client_id", "id_token_hint", "logout_hint", "post_logout_redirect_uri", "state", "ui_locales")
TICKET_SECONDS = 600


class LogoutRefused(DomainError):
    """The logout request contradicts itself, or its hint is not an ID token of ours."""

    code: ClassVar[str] = "logout_refused"


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A checked request. `sid` is that of a verified hint; `redirect_uri` is registered, with `state`."""

    client_id: str | None = None
    redirect_uri: str | None = None
    sid: str | None = None

    def to_ticket(self) -> str:
        """Return the request as signed text for the address of the page."""
        return _tickets().dumps([asdict(self), clock.millis() + TICKET_SECONDS * 1000])

    @classmethod
    def from_ticket(cls, ticket: str) -> Self:
        """Return the request that `to_ticket` wrote at most ten minutes ago. Raises LogoutRefused."""
        try:
            content, ends_at = _tickets().loads(ticket)
        except BadData as error:
            raise LogoutRefused from error
        if clock.millis() > ends_at:
            raise LogoutRefused
        return cls(**content)


class Confirmation(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The button, with its CSRF token."""


def _tickets() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="oidc.end_session")


def validate_request(parameters: Parameters) -> LogoutRequest:
    """Check the parameters of §2. Raises LogoutRefused, RequestUnreadable."""
    if parameters.spoilt(*PARAMETERS):
        raise RequestUnreadable
    hint = _hint(parameters)
    client_id = parameters.get("client_id")
    if hint is not None and client_id not in {None, hint.client_id}:
        raise LogoutRefused  # §2: "the OP MUST verify that the Client Identifier matches"
    client = registry.find(client_id or (hint.client_id if hint else ""))
    return LogoutRequest(
        client_id=client.client_id if client else None,
        redirect_uri=_redirect_uri(parameters, client),
        sid=hint.sid if hint else None,
    )


def _hint(parameters: Parameters) -> Hint | None:
    """§2: "the OP MUST validate that it was the issuer of the ID Token". An access token is none (trap 10)."""
    token = parameters.get("id_token_hint")
    if token is None:
        return None
    hint = id_token_hint.read(token)
    if hint is None:
        raise LogoutRefused
    return hint


def _redirect_uri(parameters: Parameters, client: RegisteredClient | None) -> str | None:
    """§3: exactly one of the registered addresses, with the `state` of the request; else there is no redirect."""
    uri, state = parameters.get("post_logout_redirect_uri"), parameters.get("state")
    if uri is None or client is None or uri not in client.post_logout_redirect_uris:
        return None
    if state is None:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}"


@blueprint.route("/oidc/end_session", methods=["GET", "POST"])
@access(Access.ANYONE)
def end_session() -> ResponseReturnValue:
    """RP-Initiated Logout §2: check what the portal sent, then go where the browser's cookies are."""
    try:
        parameters = parse.read(request)
        asked = validate_request(parameters)
    except DomainError as error:
        return _error_page(error)
    page = url_for("oidc.confirm_logout", request=asked.to_ticket(), ui_locales=parameters.get("ui_locales"))
    return redirect(page, HTTPStatus.SEE_OTHER)


@blueprint.route("/oidc/end_session/confirm", methods=["GET", "POST"])
@access(Access.ANYONE)
def confirm_logout() -> ResponseReturnValue:
    """Ask the person, unless nobody is signed in or the hint is of this very session; then end it and answer."""
    try:
        asked = LogoutRequest.from_ticket(request.args.get("request", ""))
    except LogoutRefused as error:
        return _error_page(error)
    if asked.redirect_uri is not None:
        web.allow_form_target(origin_of(asked.redirect_uri))
    who = web.signed_in()
    if who is None:
        return _answer(asked)
    form = Confirmation()
    confirmed = form.validate_on_submit() and request.form.get("logout") == "yes"
    if not confirmed and not _is_of_session(asked, who):
        return _question(form, who)
    frames = frontchannel_logout.addresses(who.session_id)
    with transaction() as session:
        browser_sessions.end(session, who.session_id, why="rp_logout")
    response = _answer(asked, frames)
    web.drop_session_cookie(response)
    return response


def _is_of_session(asked: LogoutRequest, who: SignedIn) -> bool:
    """Whether the hint is an ID token that this client got in the session of this browser.

    Its subject is then whoever is signed in, by whatever name the client knows them (pairwise subjects).
    """
    found = db.session().scalars(
        select(PortalSession.id).where(
            PortalSession.id == asked.sid,
            PortalSession.client_id == asked.client_id,
            PortalSession.session_id == who.session_id,
        )
    )
    return found.one_or_none() is not None


def _question(form: FlaskForm, who: SignedIn) -> ResponseReturnValue:
    names = db.session().scalars(
        select(Client.client_name)
        .join(PortalSession, PortalSession.client_id == Client.client_id)
        .where(PortalSession.session_id == who.session_id, PortalSession.ended_at.is_(None))
        .distinct()
        .order_by(Client.client_name)
    )
    return render_template(
        "sign_out/confirm.html",
        form=form,
        person={"name": who.login_name},
        portals=list(names),
        back_url=url_for("home.page"),
    )


def _answer(asked: LogoutRequest, frames: Sequence[str] = ()) -> Response:
    """§3: back to the portal, or a page that says that the person is signed out; where frames must load, both.

    No cookie is touched here: a form of another site comes without cookies, looks like nobody, and must not take the
    session from the browser.
    """
    if asked.redirect_uri is None:
        return signed_out.page(frames=frames, portal=_portal(asked))
    if frames:
        return signed_out.page(frames=frames, onwards=asked.redirect_uri)
    return redirect(asked.redirect_uri, HTTPStatus.SEE_OTHER)


def _portal(asked: LogoutRequest) -> Mapping[str, str] | None:
    """Return name and home page of the client, where both are known."""
    client = registry.find(asked.client_id) if asked.client_id else None
    if client is None or client.client_uri is None:
        return None
    return {"name": client.client_name, "url": client.client_uri}


def _error_page(error: DomainError) -> ResponseReturnValue:
    page = render_template(
        "errors/error.html",
        severity="warning",
        headline=_("无法处理退出请求"),
        happened=sentence(error),
        todo=[],
        buttons=[{"label": _("退出登录"), "url": url_for("sign_out.page"), "primary": True}],
        reference=None,
    )
    return page, error.status
