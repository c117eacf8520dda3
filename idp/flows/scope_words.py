"""Scopes in plain words: for the consent page, and for the list of what was agreed to."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from idp.delegation import catalogue
from idp.messages import N_

STANDARD = {
    "openid": (N_("确认您的身份"), N_("知道您已登录，以及登录时间和方式")),
    "profile": (N_("查看基本信息"), N_("姓名或单位名称、用户名、实名等级")),
    "email": (N_("查看电子邮箱"), N_("本平台没有您的电子邮箱，不会提供")),
    "address": (N_("查看所在地区"), N_("单位所在的省、市、区；个人账号没有此项，不会提供")),
    "phone": (N_("查看手机号"), N_("您在本平台验证过的手机号")),
    "offline_access": (N_("在您离开后保持授权"), N_("您退出登录或撤回授权后即失效")),
}
"""What the standard scopes mean: a label, and what the portal gets. Businesses say it themselves."""


@dataclass(frozen=True, slots=True)
class ScopeInWords:
    """One scope as people read it."""

    label: str
    text: str


def in_words(session: Session, scopes: Sequence[str]) -> list[ScopeInWords]:
    """Return each known scope in words, in their order; businesses by their names in the catalogue."""
    businesses = catalogue.by_code(session, scopes)
    found = []
    for scope in scopes:
        if scope in businesses:
            business = businesses[scope]
            found.append(ScopeInWords(str(_("办理「%(name)s」", name=business.name)), business.description))
        elif scope in STANDARD:
            label, text = STANDARD[scope]
            found.append(ScopeInWords(str(_(label)), str(_(text))))
    return found
