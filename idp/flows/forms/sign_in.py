"""The forms of sign-in, one a tab."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, PasswordField, StringField

from idp.flows.forms.base import Form, required


class PersonSignIn(Form):
    """个人登录 (P8), for oneself or to act for a unit (C1)."""

    username = StringField(_("手机号 / 身份证号 / 用户名"), [required()])
    password = PasswordField(_("密码"), [required()])
    as_unit = BooleanField(_("以单位身份登录"))


class UnitSignIn(Form):
    """单位登录 (U6)."""

    username = StringField(_("用户名 / 统一社会信用代码"), [required()])
    password = PasswordField(_("密码"), [required()])
