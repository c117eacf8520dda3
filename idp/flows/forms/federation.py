"""The forms of first logins with an upstream. What the upstream vouches for is no field of them."""

from typing import ClassVar

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import EqualTo

from idp.federation.first_unit import Completion
from idp.flows.forms.base import Form, required
from idp.flows.forms.regions import RegionForm


class FirstLogin(Form):
    """首次登录 of a person (P7)."""

    field_of: ClassVar[dict[str, str]] = {"login_name": "username"}

    username = StringField(_("用户名"), [required()])
    accept_terms = BooleanField(_("我已阅读并同意"), [required()])


class Prove(Form):
    """The password of the account that has the same number."""

    password = PasswordField(_("密码"), [required()])


class CompleteUnit(RegionForm):
    """登录初始化 (F4): what the upstream does not know of the unit, and the code on the agent's phone."""

    field_of: ClassVar[dict[str, str]] = {"login_name": "username", "region": "province"}

    legal_representative = StringField(_("法定代表人"), [required()])
    username = StringField(_("用户名"), [required()])
    password = PasswordField(_("密码"), [required()])
    password_again = PasswordField(_("确认密码"), [required(), EqualTo("password", message=_("两次输入的密码不一致"))])
    code = StringField(_("短信验证码"), [required()])

    def completion(self) -> Completion:
        """Return what was typed; only after `validate`."""
        return Completion(
            region_code=self.region_code,
            login_name=(self.username.data or "").strip(),
            password=self.password.data or "",
            legal_representative=(self.legal_representative.data or "") if "legal_representative" in self else "",
        )
