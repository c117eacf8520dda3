"""The forms of bindings, grants and the chooser."""

from typing import Any, ClassVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import DateField, RadioField, SelectField, StringField
from wtforms.validators import AnyOf, Optional

from idp.delegation.bindings import WantedPerson
from idp.delegation.model import BindingKind
from idp.flows.forms.base import Form, required
from idp.messages import PERSON_DOCUMENTS
from idp.rules.documents import PersonDocument

KIND_NAMES = {BindingKind.AGENT: _("经办人员"), BindingKind.COMMON_CONTACT: _("常用联系人")}


class Day(DateField):
    """A day, refused in our own words: WTForms would say it in English."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read `YYYY-MM-DD`."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(gettext("请填写日期，如 2026-01-31")) from None


class Bind(Form):
    """子账号信息 → 新增 (U9)."""

    field_of: ClassVar[dict[str, str]] = {"full_name": "name", "login_name": "username"}

    name = StringField(_("姓名"), [required()])
    document_type = SelectField(
        _("证件类型"),
        [required(), AnyOf([kind.value for kind in PersonDocument], message=_("请选择证件类型"))],
        choices=lambda: {kind.value: gettext(name) for kind, name in PERSON_DOCUMENTS.items()},
        validate_choice=False,
    )
    document_number = StringField(_("证件号码"), [required()])
    username = StringField(_("用户名"), [required()])
    kind = RadioField(
        _("类型"),
        [required(), AnyOf([kind.value for kind in BindingKind], message=_("请选择类型"))],
        choices=lambda: {kind.value: str(name) for kind, name in KIND_NAMES.items()},
        default=BindingKind.AGENT.value,
        validate_choice=False,
    )

    def wanted(self) -> WantedPerson:
        """Return whom the unit asks for; only after `validate`."""
        return WantedPerson(
            full_name=self.name.data or "",
            document_type=PersonDocument(self.document_type.data),
            document_number=self.document_number.data or "",
            login_name=(self.username.data or "").strip(),
        )


class Grant(Form):
    """业务授权: a business, and from when until when (U11)."""

    business = SelectField(_("业务"), [required()], choices={}, validate_choice=False)
    valid_from = Day(_("开始日期"), [Optional()])
    valid_to = Day(_("结束日期"), [Optional()])


class Choose(Form):
    """单位选择: a unit's id, or `self`. The radio buttons are written by the template."""

    unit = StringField(_("单位"))
