"""The form of a device's code."""

from flask_babel import lazy_gettext as _
from wtforms import StringField

from idp.flows.forms.base import Form, required


class EnterCode(Form):
    """The code that the device shows (RFC 8628 §3.3)."""

    user_code = StringField(_("设备上显示的代码"), [required()])
