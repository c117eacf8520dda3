"""The authorization endpoint and the dispatcher."""

import re
from http import HTTPStatus
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import limits, web
from idp.clients import registry
from idp.errors import DomainError
from idp.messages import sentence
from idp.oidc.authorize import answer, checks, issue, needs, parse, respond, trust
from idp.oidc.authorize.needs import Notice, Page
from idp.oidc.authorize.respond import ReplyTo
from idp.oidc.authorize.situation import Progress, Situation
from idp.oidc.authorize.trust import Case
from idp.oidc.blueprint import blueprint
from idp.oidc.errors import OAuth2Error
from idp.rules.origins import origin_of
from idp.sessions import interactions
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.interactions import InteractionGone, OpenInteraction
from idp.web import Access, access

_INTERACTION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@blueprint.route("/oidc/authorize", methods=["GET", "POST"])
@access(Access.ANYONE)
def authorize() -> ResponseReturnValue:
    """RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1: check the request, then do what it needs."""
    try:
        case = trust.establish(parse.read(request))
        asked = checks.run(case)
    except DomainError as error:
        return _refused(error)
    except OAuth2Error as error:
        return respond.with_error(_reply_to(case), error)
    if request.method == "POST":
        # A form of another site brings no cookie (SameSite=Lax), a redirect by GET does: only there is known who asks.
        waiting = _begin(asked, interactions.UNBOUND)
        locales = " ".join(asked.ui_locales) or None
        return redirect(url_for("oidc.resume", interaction_id=waiting, ui_locales=locales), HTTPStatus.SEE_OTHER)
    return _go_on(Situation(asked, case.client, web.signed_in(), Progress()))


@blueprint.route("/interaction/<interaction_id>")
@access(Access.ANYONE)
def resume(interaction_id: str) -> ResponseReturnValue:
    """Go on with an interaction of this browser: every journey returns here when it has met its need."""
    try:
        return _go_on(_situation_of(_find(interaction_id)))
    except InteractionGone as error:
        return _refused(error)


@blueprint.post("/interaction/<interaction_id>/give-up")
@access(Access.ANYONE)
def give_up(interaction_id: str) -> ResponseReturnValue:
    """Let the person go back to the portal with nothing: `access_denied` (RFC 6749 §4.1.2.1).

    The id is a secret of this browser, so no other site can send this form; one that tries brings no cookie, and the
    browser is not given another.
    """
    if not web.has_browser_id():
        return _refused(InteractionGone())
    try:
        interactions.refuse(_find(interaction_id).id)
    except InteractionGone as error:
        return _refused(error)
    return redirect(url_for("oidc.resume", interaction_id=interaction_id), HTTPStatus.SEE_OTHER)


def _reply_to(case: Case) -> ReplyTo:
    return ReplyTo(case.redirect_uri, checks.response_mode_of(case), case.parameters.get("state"))


def _find(interaction_id: str) -> OpenInteraction:
    """Return the living interaction; the first browser that comes for an unbound one keeps it.

    Raises InteractionGone.
    """
    if not _INTERACTION_ID.fullmatch(interaction_id):
        raise InteractionGone  # what the database might not even take
    try:
        return interactions.find(interaction_id, web.browser_id())
    except InteractionGone:
        interactions.bind(interaction_id, web.browser_id())
        return interactions.find(interaction_id, web.browser_id())


def _situation_of(interaction: OpenInteraction) -> Situation:
    client = registry.find(interaction.client_id)
    if client is None:  # disabled meanwhile
        raise InteractionGone
    who = web.signed_in()
    if who is not None and who.session_id != interaction.session_id:
        interactions.continue_as(interaction.id, who.session_id)
        interaction = interactions.find(interaction.id, web.browser_id())
    return Situation(interactions.asked(interaction), client, who, Progress.of(interaction))


def _go_on(situation: Situation) -> ResponseReturnValue:
    """Show the first page that is needed; with none left, or none allowed, answer the client."""
    try:
        page = needs.first_unmet(situation)
        if page is None:
            return answer.granted(situation)
    except OAuth2Error as error:
        return answer.refused(situation, error)
    except issue.SituationChanged:
        return redirect(url_for("oidc.resume", interaction_id=_stored(situation)), HTTPStatus.SEE_OTHER)
    return _show(page, situation)


def _stored(situation: Situation) -> str:
    """Return the interaction's id; a request that came just now is stored first."""
    if situation.progress.interaction_id is not None:
        return situation.progress.interaction_id
    session_id = situation.who.session_id if situation.who else None
    return _begin(situation.request, web.browser_id(), session_id)


def _begin(asked: AuthorizationRequest, browser_id: str, session_id: str | None = None) -> str:
    """Store a request until a person sees to it. Raises TooOften: nobody fills the table from one address.

    A page says so, not an error to the client: many a portal would send the browser straight back.
    """
    limits.authorize()
    return interactions.begin(asked, browser_id, session_id)


def _show(page: Page | Notice, situation: Situation) -> ResponseReturnValue:
    interaction_id = _stored(situation)
    if isinstance(page, Notice):
        return _account_refused(page.refusal, situation, interaction_id)
    if page.offers_level:
        interactions.note_level_offered(interaction_id)
    return redirect(
        f"{url_for(page.endpoint)}?{urlencode({'interaction': interaction_id, **page.query})}", HTTPStatus.SEE_OTHER
    )


def _account_refused(error: DomainError, situation: Situation, interaction_id: str) -> ResponseReturnValue:
    """Say that this account does not do, with 【重新登录】 and the way back to the portal (F5)."""
    page = render_template(
        "authorize/account_refused.html",
        happened=sentence(error),
        portal=situation.client.client_name,
        links={
            "sign_in": url_for("sign_in.page", interaction=interaction_id),
            "give_up": url_for("oidc.give_up", interaction_id=interaction_id),
        },
    )
    if situation.request.redirect_uri:
        web.allow_form_target(origin_of(situation.request.redirect_uri))
    return page, error.status


def _refused(error: DomainError) -> ResponseReturnValue:
    """Show what is wrong with the request: nothing is sent to an address that was not checked (RFC 6749 §4.1.2.1)."""
    page = render_template(
        "errors/error.html",
        severity="warning",
        headline=_("无法继续登录"),
        happened=sentence(error),
        todo=[],
        buttons=[{"label": _("返回首页"), "url": url_for("home.page"), "primary": True}],
        reference=None,
    )
    return page, error.status
