"""Signing in by way of the provider (R1, C1, C4)."""

import logging
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as form_session
from flask.typing import ResponseReturnValue

from relying_parties.recruitment import companies
from relying_parties.recruitment.businesses import PERSON_SCOPE, UNIT_SCOPE
from relying_parties.recruitment.step_up import Challenge
from relying_parties.shared import browsers, identities, sign_in
from relying_parties.shared.identities import Identity, SessionOver
from relying_parties.shared.local_paths import local_path
from relying_parties.shared.problems import Button, Problem
from relying_parties.shared.provider import ProviderDown, ProviderRefused, provider
from relying_parties.shared.settings import Settings

PERSON, UNIT, STEP_UP = "person", "unit", "step_up"
SCOPES = {PERSON: PERSON_SCOPE, UNIT: UNIT_SCOPE}

pages = Blueprint("login", __name__)
third_party = Blueprint("third_party", __name__)
INITIATION = ("iss", "login_hint", "target_link_uri", "org_hint")

_log = logging.getLogger("recruitment")


@pages.get("/login")
def choose() -> ResponseReturnValue:
    """Let the visitor choose how to sign in; with `iss`, sign in at once (OpenID Connect Core 1.0 §4)."""
    next_path = local_path(request.args.get("next"))
    if "iss" in request.args:
        return _initiated_by_third_party()
    return render_template("login.html", next_path=next_path)


@third_party.post("/login")
def initiated_by_form() -> ResponseReturnValue:
    """OpenID Connect Core §4: the request may come as a form. It goes on by GET: only then are our cookies here."""
    given: dict[str, Any] = {name: request.form[name] for name in INITIATION if name in request.form}
    if "iss" not in given:
        return redirect(url_for("login.choose"), 303)
    return redirect(url_for("login.choose", **given), 303)


@pages.get("/login/person")
def for_person() -> ResponseReturnValue:
    """Sign in as a job seeker."""
    return _depart(PERSON, local_path(request.args.get("next")))


@pages.get("/login/unit")
def for_unit() -> ResponseReturnValue:
    """Sign in for a unit: the one with code `org_hint`, or whichever is chosen at the provider."""
    return _depart(UNIT, local_path(request.args.get("next")), org_hint=request.args.get("org_hint", ""))


@pages.get("/callback")
def callback() -> ResponseReturnValue:
    """Take the provider's answer, keep the identity, and go on to where it leads.

    A step-up that did not succeed leads back all the same: what was typed waits there.
    """
    asked = provider().asked()
    try:
        return _signed_in()
    except (ProviderDown, ProviderRefused) as error:
        if asked.get("purpose") != STEP_UP:
            raise
        _log.info("step-up not completed: %s", error)
        flash("没有完成身份验证，更改还没有生效。您填写的内容仍然保留。", "warning")
        return redirect(asked["next_path"], 303)


def step_up(identity: Identity, challenge: Challenge, next_path: str) -> ResponseReturnValue:
    """Let the person prove more or anew for the unit they act for, and come back to `next_path` (RFC 9470 §4)."""
    parameters = {"scope": UNIT_SCOPE, **challenge.parameters()}
    code = identity.acted_for.uscc
    if code:
        parameters["org_hint"] = code
    return redirect(provider().authorization_url(purpose=STEP_UP, next_path=next_path, **parameters), 303)


def _signed_in() -> ResponseReturnValue:
    asked, tokens = provider().callback()
    purpose = UNIT if asked.get("purpose") in {UNIT, STEP_UP} else PERSON
    fresh = sign_in.read(tokens, SCOPES[purpose], provider())
    form_session.pop("csrf_token", None)  # a form of before the sign-in is no longer taken
    try:
        cookie = identities.sign_in(request.cookies.get(browsers.cookie_name()), fresh)
    except SessionOver as over:
        raise ProviderRefused("session_over") from over
    if fresh.unit is not None:
        companies.note_name(fresh.unit)
        leads_to = url_for("center.overview", unit_id=fresh.unit.id)
    else:
        leads_to = url_for("public.needs_unit" if purpose == UNIT else "public.me")
    response = redirect(_fitting(asked.get("next_path", ""), leads_to, for_unit=purpose == UNIT), 303)
    browsers.set_cookie(response, cookie)
    return response


def _initiated_by_third_party() -> ResponseReturnValue:
    """Sign in because another site says so: only at our provider, and only with what we pass on."""
    if request.args["iss"] != _settings().issuer:
        raise Problem(
            400,
            "登录地址不正确",
            "登录地址指定的不是本平台使用的统一身份认证平台。",
            ["请从首页登录。"],
            [Button("返回首页", url_for("public.home"), primary=True)],
        )
    base = _settings().base_url
    target = request.args.get("target_link_uri", "")
    next_path = local_path(target.removeprefix(base)) if target.startswith(f"{base}/") else ""
    org_hint, login_hint = request.args.get("org_hint", ""), request.args.get("login_hint", "")
    return _depart(UNIT if org_hint else PERSON, next_path, org_hint=org_hint, login_hint=login_hint)


def _depart(purpose: str, next_path: str, *, org_hint: str = "", login_hint: str = "") -> ResponseReturnValue:
    parameters = {"scope": SCOPES[purpose]}
    if org_hint:
        parameters["org_hint"] = org_hint
    elif purpose == UNIT:
        parameters["prompt"] = "select_account"
    if login_hint:
        parameters["login_hint"] = login_hint
    return redirect(provider().authorization_url(purpose=purpose, next_path=next_path, **parameters), 303)


def _fitting(next_path: str, leads_to: str, *, for_unit: bool) -> str:
    """Return where to go: what was asked for, unless it belongs to another unit than the one that was chosen."""
    if not next_path or (for_unit and not next_path.startswith(leads_to)):
        return leads_to
    return next_path


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
