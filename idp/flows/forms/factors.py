"""The forms of further factors, and of signing in by SMS and by passkey."""

from typing import ClassVar

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, Length

from idp.factors.passkeys import LONGEST_NAME
from idp.flows.forms.base import Form, required


class SmsSignIn(Form):
    """短信登录 (P8), for oneself or to act for a unit (C1)."""

    phone = StringField(_("手机号"), [required()])
    code = StringField(_("短信验证码"), [required()])
    as_unit = BooleanField(_("以单位身份登录"))


class PasskeySignIn(Form):
    """通行密钥登录 (P8). A script fills in `credential`; without one it stays empty, and the page says why."""

    credential = HiddenField()
    as_unit = BooleanField(_("以单位身份登录"))


class SmsCode(Form):
    """A code to the phone on record."""

    code = StringField(_("短信验证码"), [required()])


class AppCode(Form):
    """A code of the authenticator app."""

    code = StringField(_("动态验证码"), [required()])


class OneRecoveryCode(Form):
    """A recovery code."""

    code = StringField(_("备用码"), [required()])


class ScanNumber(Form):
    """The number on the screen that showed the QR code (P7)."""

    number = StringField(_("屏幕上显示的两位数字"), [required()])


class Password(Form):
    """The password, of whoever signed in without it."""

    password = PasswordField(_("密码"), [required()])


class FirstPassword(Form):
    """Login name and password of an account that was made without (P2, P3)."""

    field_of: ClassVar[dict[str, str]] = {"login_name": "username"}

    username = StringField(_("用户名"), [required()])
    password = PasswordField(_("密码"), [required()])
    password_again = PasswordField(_("确认密码"), [required(), EqualTo("password", message=_("两次输入的密码不一致"))])


class PasskeyAnswer(Form):
    """What a passkey answered."""

    credential = HiddenField()


class NewPasskey(Form):
    """A new passkey, and what its owner calls it."""

    credential = HiddenField()
    name = StringField(_("名称"), [required(), Length(max=LONGEST_NAME, message=_("名称不能超过 %(max)d 个字"))])
