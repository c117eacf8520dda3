"""Signing out (RP-Initiated Logout), and the provider's word that a session ended (Back-Channel Logout, U13)."""

import logging

from flask import Blueprint, Response, current_app, flash, jsonify, make_response, redirect, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as WerkzeugResponse

from relying_parties.shared import browsers, identities, problems
from relying_parties.shared.keys import SealBroken
from relying_parties.shared.problems import Button, Problem
from relying_parties.shared.provider import ProviderDown, ProviderRefused, provider
from relying_parties.shared.settings import Settings
from relying_parties.shared.tokens import InvalidToken, logout_token

pages = Blueprint("leaving", __name__)
backchannel = Blueprint("backchannel", __name__)

_log = logging.getLogger("portal")


@pages.post("/logout")
def logout() -> ResponseReturnValue:
    """Forget this browser's identities, and log out at the provider as well."""
    known, browser_id = browsers.everyone(), browsers.browser()
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
    browsers.drop_cookie(response)
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
    settings: Settings = current_app.config["SETTINGS"]
    said = logout_token(values[0], provider(), settings)
    if not identities.obey_logout_token(said.jti, said.sid, said.person, said.issued_at):
        raise InvalidToken("jti was used before")


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
