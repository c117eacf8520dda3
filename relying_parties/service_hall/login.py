"""Signing in by way of the provider: agents for a unit, a unit itself, and it again for one business (U18)."""

import logging
from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue

from relying_parties.service_hall import problems
from relying_parties.service_hall.businesses import BUSINESSES, CAPACITY_NAMES, Business, UnitToken, unit_token
from relying_parties.shared import browsers, identities, sign_in
from relying_parties.shared.identities import Identity, SessionOver, SignIn, Unit
from relying_parties.shared.local_paths import local_path
from relying_parties.shared.provider import Provider, ProviderDown, ProviderRefused, provider
from relying_parties.shared.settings import Settings
from relying_parties.shared.tokens import InvalidToken, NotForUnit

AGENT, UNIT, BUSINESS = "agent", "unit", "business"
OWN_SCOPE = "openid profile"
AGENT_SCOPE = f"{OWN_SCOPE} {' '.join(sorted(each.scope for each in BUSINESSES.values()))}"

pages = Blueprint("login", __name__)

_log = logging.getLogger("portal")


@pages.get("/login")
def choose() -> ResponseReturnValue:
    """Let the visitor choose how to sign in; whom the provider sends begins as an agent (OpenID Connect Core §4)."""
    settings: Settings = current_app.config["SETTINGS"]
    if request.args.get("iss") == settings.issuer:
        return redirect(url_for("login.for_agent"))
    return render_template("login.html", next_path=local_path(request.args.get("next")))


@pages.get("/login/agent")
def for_agent() -> ResponseReturnValue:
    """Sign in as an agent, for the unit with code `org_hint` or whichever is chosen at the provider."""
    org_hint = request.args.get("org_hint", "")
    which = {"org_hint": org_hint} if org_hint else {"prompt": "select_account"}
    return _depart(AGENT, local_path(request.args.get("next")), scope=AGENT_SCOPE, **which)


@pages.get("/login/unit")
def for_unit() -> ResponseReturnValue:
    """Sign in with the unit's own account. Somebody may be signed in at the provider as themselves: ask anew."""
    return _depart(UNIT, local_path(request.args.get("next")), scope=OWN_SCOPE, prompt="login")


def for_business(identity: Identity, business: Business, next_path: str) -> ResponseReturnValue:
    """Let the provider check the legal representative's face, for this business of this very unit account (U18)."""
    hint = identities.id_token(identity)
    return _depart(BUSINESS, next_path, scope=f"{OWN_SCOPE} {business.scope}", id_token_hint=hint)


@pages.get("/callback")
def callback() -> ResponseReturnValue:
    """Take the provider's answer, keep the identity, and go on. A face check that came to nothing loses nothing."""
    before = provider().asked()
    try:
        return _signed_in()
    except (ProviderDown, ProviderRefused) as error:
        if before.get("purpose") != BUSINESS:
            raise
        _log.info("face check not completed: %s", error)
        flash("没有完成法人实人认证，业务尚未办理。您可以重新认证，或由经办人员办理。", "warning")
        return redirect(before["next_path"], 303)


def _signed_in() -> ResponseReturnValue:
    asked, tokens = provider().callback()
    fresh = _read(tokens, provider())
    form_session.pop("csrf_token", None)  # a form of before the sign-in is no longer taken
    if fresh.unit is None:
        raise problems.needs_unit()
    try:
        cookie = identities.sign_in(request.cookies.get(browsers.cookie_name()), fresh)
    except SessionOver as over:
        raise ProviderRefused("session_over") from over
    home = url_for("hall.overview", unit_id=fresh.unit.id)
    next_path = asked.get("next_path", "")
    response = redirect(next_path if next_path.startswith(home) else home, 303)
    browsers.set_cookie(response, cookie)
    return response


def _read(tokens: dict[str, Any], at: Provider) -> SignIn:
    """Return what a token response says. A unit that signed in itself is known by its access token (DESIGN 4)."""
    fresh = sign_in.read(tokens, OWN_SCOPE, at)
    settings: Settings = current_app.config["SETTINGS"]
    try:
        said = unit_token(tokens["access_token"], at, settings)
    except NotForUnit:
        return fresh
    except InvalidToken as error:
        raise ProviderRefused("invalid_access_token") from error
    if fresh.unit is not None:
        return fresh
    if said.unit != fresh.person:
        raise ProviderRefused("invalid_access_token")
    return replace(fresh, unit=_unit_itself(said, at.userinfo(tokens), fresh.person_name))


def _unit_itself(said: UnitToken, known: dict[str, Any], name: str) -> Unit:
    return Unit(
        id=said.unit,
        uscc=str(known.get("uscc") or known.get("org_code") or ""),
        name=name,
        verified=known.get("verified") is True,
        capacity=CAPACITY_NAMES[said.capacity],
        ends_at=None,
    )


def _depart(purpose: str, next_path: str, **parameters: str) -> ResponseReturnValue:
    return redirect(provider().authorization_url(purpose=purpose, next_path=next_path, **parameters), 303)
