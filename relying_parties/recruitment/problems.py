"""Pages that say what went wrong and what to do. Whoever finds a problem raises it; one handler shows it."""

import logging
import secrets
from dataclasses import dataclass, field

from flask import Flask, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from relying_parties.recruitment.identities import Ended, Identity
from relying_parties.recruitment.provider import ProviderDown, ProviderRefused

_log = logging.getLogger("recruitment")


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

_ENDINGS = {
    Ended.LOGOUT: "统一身份认证平台通知本平台：单位撤回了授权、授权已到期，或您已在统一身份认证平台退出登录。",
    Ended.REFUSED: "统一身份认证平台不再认可本次登录：单位撤回了授权，或登录已在别处结束。",
    Ended.EXPIRED: "单位授予您的办理期限已到。",
    Ended.REPLACED: "本浏览器已由另一位用户登录。",
}


def ended(identity: Identity) -> Problem:
    """Return the page for a unit's identity that ended (U13, R7)."""
    # Where only one of several businesses was withdrawn, signing in anew gives those that are left.
    code = identity.acted_for.uscc or None
    return Problem(
        403,
        f"您为“{identity.name}”办理业务的授权已结束",
        _ENDINGS[identity.ended_why or Ended.REFUSED]
        + "您以该单位身份的登录已关闭，未提交的内容没有保存；个人身份和其他单位身份的登录不受影响。",
        [
            "如仍需为该单位办理业务，请联系单位重新授权，再重新登录该单位。",
            "如需为其他单位办理业务，请选择其他单位。",
        ],
        [
            Button("选择其他单位", url_for("login.for_unit"), primary=True),
            Button("重新登录该单位", url_for("login.for_unit", org_hint=code)),
            Button("返回首页", url_for("public.home")),
        ],
    )


def not_signed_in_for_unit() -> Problem:
    """Return the page for somebody who asks for a unit that this browser is not signed in for."""
    return Problem(
        403,
        "您没有以该单位身份登录",
        "这个页面属于某个单位的企业中心，只有以该单位身份登录的经办人员可以打开。",
        ["请选择该单位重新登录；如列表中没有该单位，请联系单位绑定并授权。"],
        [
            Button("选择单位登录", url_for("login.for_unit"), primary=True),
            Button("返回首页", url_for("public.home")),
        ],
    )


def needs_unit() -> Problem:
    """Return the page for somebody who came to 企业中心 for themselves."""
    return Problem(
        403,
        "企业中心需要以单位身份登录",
        "您目前是以个人身份登录的。企业中心只为单位办理业务：请以经办人员的个人账号登录，并选择单位。",
        [
            "登录时勾选“以单位身份登录”，并选择单位。",
            "还没有绑定单位：请单位在统一身份认证平台“子账号信息”中发起绑定，您接受后由单位授权。",
        ],
        [
            Button("选择单位", url_for("login.for_unit"), primary=True),
            Button("个人中心", url_for("public.me")),
        ],
        kind="info",
    )


def lacks_business(identity: Identity, business: str) -> Problem:
    """Return the page for an agent whose unit did not grant `business`, a name such as 职位管理 (R7)."""
    return Problem(
        403,
        f"单位没有授权您办理“{business}”",
        f"您正以“{identity.name}”的身份登录，但该单位没有把“{business}”授权给您。",
        ["请联系单位，在统一身份认证平台“子账号信息”中为您授权，然后重新选择该单位登录。"],
        [
            Button("返回企业中心", url_for("center.overview", unit_id=identity.acted_for.id), primary=True),
            Button("选择其他单位", url_for("login.for_unit")),
        ],
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
            ["请稍后重试。", "查找职位不受影响。"],
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
