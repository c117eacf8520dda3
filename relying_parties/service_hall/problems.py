"""Pages for what can go wrong with a unit here."""

from flask import url_for

from relying_parties.service_hall.businesses import Business
from relying_parties.shared.identities import Identity
from relying_parties.shared.problems import Button, Problem


def needs_unit() -> Problem:
    """Return the page for somebody who signed in for themselves."""
    return Problem(
        403,
        "网办大厅只为单位办理业务",
        "您是以个人身份登录的。",
        ["经办人员登录时请勾选“以单位身份登录”，并选择单位。", "单位也可以用单位账号登录。"],
        [Button("重新登录", url_for("login.choose"), primary=True), Button("返回首页", url_for("public.home"))],
        kind="info",
    )


def not_signed_in_for_unit() -> Problem:
    """Return the page for somebody who asks for a unit that this browser is not, or no longer, signed in for."""
    return Problem(
        403,
        "您没有以该单位身份登录",
        "登录已经结束，或者本浏览器没有以该单位身份登录过。未提交的内容没有保存。",
        ["请重新登录该单位。"],
        [Button("重新登录", url_for("login.choose"), primary=True), Button("返回首页", url_for("public.home"))],
    )


def needs_agent(identity: Identity, business: Business) -> Problem:
    """Return the page for a unit's own account at a business that agents do (U7)."""
    return Problem(
        403,
        f"“{business.name}”须由经办人员办理",
        f"您正以“{identity.name}”的单位账号登录。单位账号不能办理这项业务。",
        [
            "请经办人员用个人账号登录，勾选“以单位身份登录”后选择本单位。",
            "还没有经办人员：请用单位账号在统一身份认证平台“子账号信息”中绑定并授权。",
        ],
        [
            Button("经办人员登录", url_for("login.for_agent"), primary=True),
            Button("返回", url_for("hall.overview", unit_id=identity.acted_for.id)),
        ],
    )


def not_granted(identity: Identity, business: Business) -> Problem:
    """Return the page for an agent whose unit did not grant the business (C3)."""
    return Problem(
        403,
        f"单位没有授权您办理“{business.name}”",
        f"您正为“{identity.name}”办理业务，但该单位没有把“{business.name}”授权给您，或您的登录等级不足。",
        ["请联系单位，在统一身份认证平台“子账号信息”中为您授权，然后重新登录。"],
        [
            Button("重新登录", url_for("login.for_agent", org_hint=identity.acted_for.uscc or None), primary=True),
            Button("返回", url_for("hall.overview", unit_id=identity.acted_for.id)),
        ],
    )
