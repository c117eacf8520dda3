"""The forms of unit registration and of a unit's data. Rules are not repeated here: use cases refuse, forms show."""

from typing import ClassVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import EqualTo

from idp.flows.forms.base import Form, required
from idp.flows.forms.regions import RegionForm
from idp.messages import UNIT_DOCUMENTS
from idp.rules.documents import UnitDocument
from idp.units.changes import TypedData
from idp.units.registration import Typed


class Agent(Form):
    """单位注册, first step: the person who registers the unit (U1)."""

    agent_username = StringField(_("经办人员用户名"), [required()])
    agent_document_number = StringField(_("经办人员证件号码"), [required()])


class Unit(RegionForm):
    """单位注册, second step: the unit (U1). Only USCCs: organisation codes are on old accounts (U3)."""

    field_of: ClassVar[dict[str, str]] = {"unit_name": "name", "login_name": "username", "region": "province"}

    document_type = SelectField(
        _("证件类型"),
        choices=lambda: {UnitDocument.USCC.value: gettext(UNIT_DOCUMENTS[UnitDocument.USCC])},
        validate_choice=False,
    )
    document_number = StringField(_("证件号码"), [required()])
    name = StringField(_("单位名称"), [required()])
    legal_representative = StringField(_("法定代表人"), [required()])
    username = StringField(_("用户名"), [required()])
    password = PasswordField(_("密码"))
    password_again = PasswordField(_("确认密码"), [EqualTo("password", message=_("两次输入的密码不一致"))])

    def ask_for_password(self, *, needed: bool) -> None:
        """Demand a password, or let an accepted one stay when the fields are left empty."""
        for field in (self.password, self.password_again):
            field.flags.required = needed
            field.validators = [*([required()] if needed else []), *field.validators]

    def typed(self) -> Typed:
        """Return what was typed."""
        return Typed(
            document_number=self.document_number.data or "",
            full_name=self.name.data or "",
            region_code=self.region_code,
            legal_representative=self.legal_representative.data or "",
            login_name=(self.username.data or "").strip(),
            password=self.password.data or None,
        )


class Code(Form):
    """单位注册, third step: the SMS code."""

    code = StringField(_("短信验证码"), [required()])


class UnitData(RegionForm):
    """单位资料: what a unit may change itself (U16)."""

    field_of: ClassVar[dict[str, str]] = {
        "unit_name": "name",
        "full_name": "legal_representative",
        "region": "province",
    }

    name = StringField(_("单位名称"), [required()])
    legal_representative = StringField(_("法定代表人"), [required()])

    def typed(self) -> TypedData:
        """Return what was typed; only after `validate`."""
        return TypedData(
            full_name=self.name.data or "",
            legal_representative=self.legal_representative.data or "",
            region_code=self.region_code,
        )


class AuthorisationCode(Form):
    """授权码实名 (U14)."""

    code = StringField(_("单位授权码"), [required()])
