"""One map from everything that can go wrong to a page. A page says what happened and what to do, never why inside.

Endpoints of the protocol answer clients in their own form; they handle their errors in their own blueprint.
"""

import secrets
import sqlite3
from dataclasses import dataclass
from http import HTTPStatus

import psycopg
import structlog
from flask import Flask, Response, abort, g, make_response, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from idp.errors import DomainError
from idp.messages import sentence

log = structlog.get_logger()

_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """The words of a page."""

    headline: LazyString
    happened: LazyString


_ = lazy_gettext
PROBLEMS: dict[int, Problem] = {
    400: Problem(_("无法处理这个请求"), _("提交的内容不完整或格式有误，请返回上一页重新提交。")),
    401: Problem(_("请先登录"), _("登录已过期或尚未登录，请登录后继续。")),
    403: Problem(_("没有权限"), _("当前账号不能访问这个页面。")),
    404: Problem(_("找不到这个页面"), _("地址可能有误，或页面已经移走。")),
    405: Problem(_("不能这样访问这个页面"), _("请从首页重新进入。")),
    413: Problem(_("提交的内容过大"), _("请减少内容后重新提交。")),
    429: Problem(_("操作过于频繁"), _("为保护账号安全，请稍等片刻再试。")),
    500: Problem(_("系统出现错误"), _("您刚才的操作可能没有完成，请稍后重试。")),
    503: Problem(_("服务暂时不可用"), _("请稍后重试。")),
}
_STALE_FORM = Problem(_("页面已过期"), _("为保护账号安全，请重新打开页面后再次提交。"))
_REFUSED = _("无法继续")


def init_app(app: Flask) -> None:
    """Let `app` answer every error with a page."""
    app.before_request(_refuse_null)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InternalServerError, _unexpected)
    for away in (OperationalError, psycopg.OperationalError, sqlite3.OperationalError):
        app.register_error_handler(away, _database_away)


def _refuse_null() -> None:
    """Answer 400 to NUL in a parameter: nothing a person types has it, and PostgreSQL cannot store it."""
    if request.blueprint == "oidc":
        return
    sources = (request.args, request.form) if request.method == "POST" else (request.args,)
    values = (value for source in sources for values in source.listvalues() for value in values)
    if any("\0" in value for value in (*values, *map(str, (request.view_args or {}).values()))):
        abort(HTTPStatus.BAD_REQUEST)


def page(status: int, headline: str, happened: str, *, reference: str | None = None) -> Response:
    """Return the error page; `reference` is what the log knows it by."""
    buttons = [{"label": gettext("返回首页"), "url": url_for("home.page"), "primary": True}]
    if request.method == "POST" and status < _FIRST_SERVER_ERROR:
        # The address of a form answers GET too, and brings the form anew.
        buttons = [{"label": gettext("重新填写"), "url": request.full_path.rstrip("?"), "primary": True}]
    body = render_template(
        "errors/error.html",
        severity="error" if status >= _FIRST_SERVER_ERROR else "warning",
        headline=headline,
        happened=happened,
        todo=[],
        buttons=buttons,
        reference=reference,
    )
    return make_response(body, status)


def _problem(status: int) -> Problem:
    return PROBLEMS.get(status, PROBLEMS[400] if status < _FIRST_SERVER_ERROR else PROBLEMS[500])


def _domain_error(error: DomainError) -> Response:
    known = PROBLEMS.get(error.status) if error.status != HTTPStatus.BAD_REQUEST else None
    return page(error.status, str(known.headline if known else _REFUSED), sentence(error))


def _csrf_error(error: CSRFError) -> Response:
    del error
    return page(HTTPStatus.BAD_REQUEST, str(_STALE_FORM.headline), str(_STALE_FORM.happened))


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return make_response(error.get_response())
    problem = _problem(error.code)
    response = page(error.code, str(problem.headline), str(problem.happened))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _database_away(error: Exception) -> Response:
    log.error("database.away", error=type(error).__name__)
    g.signed_in = None
    problem = PROBLEMS[503]
    return page(HTTPStatus.SERVICE_UNAVAILABLE, str(problem.headline), str(problem.happened))


def _unexpected(error: InternalServerError) -> Response:
    """Answer what nobody foresaw. The page must not fail as well, so it does not ask who is signed in."""
    g.signed_in = None
    reference = secrets.token_hex(4)
    log.error("unexpected", reference=reference, error=type(error.original_exception or error).__name__)
    problem = PROBLEMS[500]
    return page(500, str(problem.headline), str(problem.happened), reference=reference)
