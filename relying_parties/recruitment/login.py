"""Signing in and out by way of the provider (R1, C1, C4), and the provider's word that a session ended (U13)."""

import logging
import re
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as form_session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as WerkzeugResponse

from relying_parties.recruitment import access, companies, identities, problems, sign_in
from relying_parties.recruitment.identities import Identity, SessionOver
from relying_parties.recruitment.keys import SealBroken
from relying_parties.recruitment.problems import Button, Problem
from relying_parties.recruitment.provider import (
    PERSON_SCOPE,
    UNIT_SCOPE,
    ProviderDown,
    ProviderRefused,
    provider,
)
from relying_parties.recruitment.settings import Settings
from relying_parties.recruitment.step_up import Challenge
from relying_parties.recruitment.tokens import InvalidToken, logout_token

PERSON, UNIT, STEP_UP = "person", "unit", "step_up"
SCOPES = {PERSON: PERSON_SCOPE, UNIT: UNIT_SCOPE}
LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path of ours: no second slash, no backslash, nothing that a browser would read as another host."""

pages = Blueprint("login", __name__)
backchannel = Blueprint("backchannel", __name__)
third_party = Blueprint("third_party", __name__)
INITIATION = ("iss", "login_hint", "target_link_uri", "org_hint")

_log = logging.getLogger("recruitment")


@pages.get("/login")
def choose() -> ResponseReturnValue:
    """Let the visitor choose how to sign in; with `iss`, sign in at once (OpenID Connect Core 1.0 §4)."""
    next_path = _local(request.args.get("next"))
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
    return _depart(PERSON, _local(request.args.get("next")))


@pages.get("/login/unit")
def for_unit() -> ResponseReturnValue:
    """Sign in for a unit: the one with code `org_hint`, or whichever is chosen at the provider."""
    return _depart(UNIT, _local(request.args.get("next")), org_hint=request.args.get("org_hint", ""))


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
        cookie = identities.sign_in(request.cookies.get(access.cookie_name()), fresh)
    except SessionOver as over:
        raise ProviderRefused("session_over") from over
    if fresh.unit is not None:
        companies.note_name(fresh.unit)
        leads_to = url_for("center.overview", unit_id=fresh.unit.id)
    else:
        leads_to = url_for("public.needs_unit" if purpose == UNIT else "public.me")
    response = redirect(_fitting(asked.get("next_path", ""), leads_to, for_unit=purpose == UNIT), 303)
    access.set_cookie(response, cookie)
    return response


@pages.post("/logout")
def logout() -> ResponseReturnValue:
    """Forget this browser's identities, and log out at the provider as well."""
    known, browser_id = access.everyone(), access.browser()
    response: WerkzeugResponse
    try:
        hint = identities.id_token(known[0]) if known else None
        response = redirect(provider().logout_url(hint), 303)
    except SealBroken:
        response = redirect(provider().logout_url(None), 303)
    except (ProviderDown, ProviderRefused) as error:
        _log.warning("logout at the provider failed: %s", error)
        response = make_response(problems.page(_only_here()))
    if browser_id is not None:
        identities.sign_out(browser_id)
    form_session.clear()
    flash("您已退出登录。", "success")
    access.drop_cookie(response)
    return response


@backchannel.post("/backchannel-logout")
def obey() -> ResponseReturnValue:
    """End what a logout token names (OpenID Connect Back-Channel Logout 1.0 §2.5–2.8)."""
    try:
        _obey(request.form.getlist("logout_token"))
    except InvalidToken as wrong:
        _log.warning("logout token refused: %s", wrong)
        return _no_store(jsonify(error="invalid_request", error_description=str(wrong))), 400
    except (ProviderDown, ProviderRefused) as error:
        _log.warning("logout token cannot be checked: %s", error)
        return _no_store(jsonify(error="temporarily_unavailable")), 503
    return _no_store(Response(status=200))


def _obey(values: list[str]) -> None:
    """End what the one logout token in `values` names. Raises InvalidToken, ProviderDown, ProviderRefused."""
    if len(values) != 1:
        raise InvalidToken("exactly one logout_token is needed")
    said = logout_token(values[0], provider(), _settings())
    if not identities.obey_logout_token(said.jti, said.sid, said.person, said.issued_at):
        raise InvalidToken("jti was used before")


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
    next_path = _local(target.removeprefix(base)) if target.startswith(f"{base}/") else ""
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


def _local(target: str | None) -> str:
    """Return `target` if it is a path of ours, otherwise an empty text."""
    return target if target and LOCAL_PATH.fullmatch(target) else ""


def _fitting(next_path: str, leads_to: str, *, for_unit: bool) -> str:
    """Return where to go: what was asked for, unless it belongs to another unit than the one that was chosen."""
    if not next_path or (for_unit and not next_path.startswith(leads_to)):
        return leads_to
    return next_path


def _only_here() -> Problem:
    return Problem(
        200,
        "您已退出本平台",
        "本平台的登录已经结束，但现在联系不上统一身份认证平台，那里的登录可能仍然有效。",
        ["使用公共电脑时，请稍后到统一身份认证平台退出，或关闭浏览器。"],
        [Button("返回首页", url_for("public.home"), primary=True)],
    )


def _no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
