"""The forms of registration and of the UnionPay check. Rules are not repeated here: use cases refuse, forms show."""

from typing import ClassVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import AnyOf, EqualTo

from idp.flows.forms.base import Form, required
from idp.messages import PERSON_DOCUMENTS
from idp.persons.registration import Typed
from idp.rules.documents import PersonDocument


class RegisterPerson(Form):
    """个人注册 (P1)."""

    field_of: ClassVar[dict[str, str]] = {"full_name": "name", "login_name": "username"}

    document_type = SelectField(
        _("证件类型"),
        [required(), AnyOf([kind.value for kind in PersonDocument], message=_("请选择证件类型"))],
        choices=lambda: {kind.value: gettext(name) for kind, name in PERSON_DOCUMENTS.items()},
        validate_choice=False,
    )
    document_number = StringField(_("证件号码"), [required()])
    name = StringField(_("姓名"), [required()])
    phone = StringField(_("手机号"), [required()])
    code = StringField(_("短信验证码"), [required()])
    username = StringField(_("用户名"), [required()])
    password = PasswordField(_("密码"), [required()])
    password_again = PasswordField(_("确认密码"), [required(), EqualTo("password", message=_("两次输入的密码不一致"))])
    accept_terms = BooleanField(_("我已阅读并同意"), [required()])

    def typed(self) -> Typed:
        """Return what was typed; only after `validate`."""
        return Typed(
            document_type=PersonDocument(self.document_type.data),
            document_number=self.document_number.data or "",
            full_name=self.name.data or "",
            phone=self.phone.data or "",
            login_name=(self.username.data or "").strip(),
            password=self.password.data or "",
        )


class UnionPay(Form):
    """银联实名认证 (P6)."""

    bank_card = StringField(_("银行卡号"), [required()])
    phone = StringField(_("银行预留手机号"), [required()])
    code = StringField(_("短信验证码"), [required()])
