"""Pages for what can go wrong with a unit here: the sign-in for it ended, or it was never there (R7, U13)."""

from flask import url_for

from relying_parties.shared.identities import Ended, Identity
from relying_parties.shared.problems import Button, Problem

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
