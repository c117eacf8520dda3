"""Pages that say what went wrong and what to do. Whoever finds a problem raises it; one handler shows it."""

import logging
import secrets
from dataclasses import dataclass, field

from flask import Flask, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from relying_parties.shared.provider import ProviderDown, ProviderRefused

_log = logging.getLogger("portal")


@dataclass(frozen=True, slots=True)
class Button:
    """A way on: its label and address."""

    label: str
    url: str
    primary: bool = False


@dataclass(eq=False)
class Problem(Exception):
    """What happened, what one can do, and the HTTP status of the page. `kind`: error, warning or info."""

    status: int
    title: str
    text: str
    todo: list[str] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    kind: str = "warning"


_REFUSALS = {
    "access_denied": (
        403,
        "您没有同意授权",
        "您在统一身份认证平台取消了登录，或没有同意向本平台提供信息，因此没有登录。",
        ["如需继续，请重新登录，并在授权页面选择同意。"],
    ),
    "state_mismatch": (
        400,
        "登录状态已失效",
        "这次登录不是从本浏览器的当前页面发起的，或页面停留过久。为保护您的账号，本次登录已作废。",
        ["请重新登录。", "请不要使用收藏的登录地址，并允许本站使用 Cookie。"],
    ),
    "issuer_mismatch": (
        400,
        "登录答复来源不符",
        "登录答复不是由统一身份认证平台签发的，本次登录已作废。",
        ["请回到首页重新登录。"],
    ),
    "invalid_grant": (
        403,
        "登录没有完成",
        "登录凭据已被使用、已过期，或单位的授权刚刚被撤回。",
        ["请重新登录。", "如仍不成功，请向单位确认授权是否有效。"],
    ),
    "session_over": (
        403,
        "登录没有完成",
        "登录过程中，统一身份认证平台结束了本次会话：您已退出，或单位撤回了授权。",
        ["请重新登录。"],
    ),
    "temporarily_unavailable": (
        503,
        "统一身份认证平台暂时繁忙",
        "统一身份认证平台暂时不能处理登录。",
        ["请稍后再试。"],
    ),
    "unmet_authentication_requirements": (
        403,
        "实名等级不足",
        "您的账号或本次登录方式没有达到所办业务要求的等级。",
        ["请在统一身份认证平台提升等级后重新登录。"],
    ),
}
_OTHER_REFUSAL = (
    502,
    "登录没有完成",
    "统一身份认证平台没有接受本次登录请求。",
    ["请重新登录；如多次出现，请联系平台客服。"],
)


def init_app(app: Flask) -> None:
    """Register the handlers. Under /api problems are JSON, see api.py."""
    app.register_error_handler(Problem, page)
    app.register_error_handler(ProviderDown, _provider_down)
    app.register_error_handler(ProviderRefused, _provider_refused)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http_error)


def page(problem: Problem, reference: str | None = None) -> ResponseReturnValue:
    """Return the page that shows `problem`; `reference` also stands in the log."""
    return render_template("problem.html", problem=problem, reference=reference), problem.status


def _provider_down(error: ProviderDown) -> ResponseReturnValue:
    _log.warning("the provider cannot be asked: %s", error.__cause__ or error)
    return page(
        Problem(
            503,
            "暂时无法连接统一身份认证平台",
            "本平台的登录和单位业务要向统一身份认证平台确认，现在联系不上。您提交的内容没有保存。",
            ["请稍后重试。", *current_app.config["UNAFFECTED"]],
            [Button("重试", _retry_url(), primary=True), Button("返回首页", url_for("public.home"))],
            kind="error",
        )
    )


def _provider_refused(error: ProviderRefused) -> ResponseReturnValue:
    _log.info("sign-in refused: %s", error.code)
    status, title, text, todo = _REFUSALS.get(error.code, _OTHER_REFUSAL)
    buttons = [
        Button("重新登录", url_for("login.choose"), primary=True),
        Button("返回首页", url_for("public.home")),
    ]
    return page(Problem(status, title, text, todo, buttons))


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    return page(
        Problem(
            400,
            "页面已过期",
            "页面停留过久，或不是从本站打开的。为保护您的账号，提交的内容没有处理。",
            ["请返回上一页，刷新后重新提交。"],
            [Button("返回首页", url_for("public.home"), primary=True)],
        )
    )


_HTTP = {
    404: ("没有找到这个页面", "地址可能有误，或者内容已经删除、下架。"),
    405: ("不能这样打开这个地址", "这个地址只接受页面上的按钮提交。"),
    413: ("提交的内容过多", "提交的内容超过了允许的大小，没有处理。"),
}


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:  # noqa: PLR2004 - a redirect
        return error.get_response()
    reference = None
    if isinstance(error, InternalServerError):
        reference = secrets.token_hex(4).upper()
        _log.error("reference %s", reference, exc_info=error.original_exception or error)
        title, text = "系统出现故障", "本平台没有处理成功，故障已经记录。"
    else:
        title, text = _HTTP.get(error.code, ("请求无法处理", "本平台不能处理这个请求。"))
    home = Button("返回首页", url_for("public.home"), primary=True)
    return page(Problem(error.code, title, text, [], [home], kind="error"), reference)


def _retry_url() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else url_for("public.home")
