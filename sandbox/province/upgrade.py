"""The pages that raise the level of an account: GET /upgrade?redirect_uri=… and back there.

三级 is L1, by the register; 四级 is L2, by electronic licence or bank certificate; 五级 is L3, by certificate or at a
counter (F2).
"""

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.pages import page, problem
from sandbox.province.accounts import Account
from sandbox.province.browsers import by_password, chosen_kind, sign_in, sign_in_form, signed_in, tabs
from sandbox.province.province import province

blueprint = Blueprint("upgrade", __name__, url_prefix="/upgrade")

LEVEL_NAMES = {"L0": "二级（L0）", "L1": "三级（L1）", "L2": "四级（L2）", "L3": "五级（L3）"}
NOT_REGISTERED = "返回地址不在登记范围内"


@dataclass(frozen=True)
class Way:
    """A check, and the level that it gives."""

    code: str
    title: str
    level: str


WAYS = {
    "person": (
        Way("register_check", "人口信息核验", "L1"),
        Way("face_check", "人脸识别核验", "L2"),
        Way("certificate", "数字证书核验", "L3"),
        Way("counter", "服务窗口核验", "L3"),
    ),
    "legal": (
        Way("register_check", "法人基础库核验", "L1"),
        Way("electronic_licence", "电子营业执照核验", "L2"),
        Way("bank_certificate", "网银证书核验", "L2"),
        Way("certificate", "数字证书核验", "L3"),
        Way("counter", "服务窗口核验", "L3"),
    ),
}


def level_name(level: str | None) -> str:
    """Return the level as people say it; none is the lowest."""
    return LEVEL_NAMES[level or "L0"]


@blueprint.get("")
def choose() -> ResponseReturnValue:
    """Show the checks, to who is signed in."""
    redirect_uri = request.args.get("redirect_uri", "")
    if not province().clients.may_receive(redirect_uri):
        return problem(NOT_REGISTERED)
    account = signed_in()
    if account is None or "switch" in request.args or "tab" in request.args:
        return _ask_who(redirect_uri)
    return _show(account, redirect_uri)


@blueprint.post("/sign-in")
def sign_in_to_upgrade() -> ResponseReturnValue:
    """Sign in, then choose."""
    redirect_uri = request.args.get("redirect_uri", "")
    if not province().clients.may_receive(redirect_uri):
        return problem(NOT_REGISTERED)
    account = by_password(chosen_kind())
    if isinstance(account, str):
        return _ask_who(redirect_uri, error=account)
    return sign_in(account, url_for("upgrade.choose", redirect_uri=redirect_uri))


@blueprint.post("")
def check() -> ResponseReturnValue:
    """Do the check, which passes always here, and lead back."""
    redirect_uri = request.args.get("redirect_uri", "")
    if not province().clients.may_receive(redirect_uri):
        return problem(NOT_REGISTERED)
    account = signed_in()
    if account is None:
        return redirect(url_for("upgrade.choose", redirect_uri=redirect_uri), 303)
    way = next((way for way in WAYS[account.kind] if way.code == request.form.get("way")), None)
    if way is None:
        return _show(account, redirect_uri, error="请选择核验方式")
    province().accounts.raise_level(account.useridcode, way.level, way.code)
    return redirect(redirect_uri, 303)


def _show(account: Account, redirect_uri: str, error: str = "") -> Response:
    return page(
        "upgrade.html",
        400 if error else 200,
        leads_out=True,
        account=account,
        ways=WAYS[account.kind],
        here=url_for("upgrade.check", redirect_uri=redirect_uri),
        switch=url_for("upgrade.choose", redirect_uri=redirect_uri, switch=1),
        redirect_uri=redirect_uri,
        error=error,
    )


def _ask_who(redirect_uri: str, error: str = "") -> Response:
    return sign_in_form(
        chosen_kind(),
        url_for("upgrade.sign_in_to_upgrade", redirect_uri=redirect_uri),
        "提升可信等级",
        "请先登录要提升等级的账号",
        tabs=tabs(url_for("upgrade.choose"), redirect_uri=redirect_uri),
        error=error,
    )
