"""What every form has: refusals of use cases shown at their field, and one wording for what is missing."""

from typing import Any, ClassVar

from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict
from wtforms.validators import InputRequired

from idp.errors import DomainError
from idp.messages import sentence


def required() -> InputRequired:
    """Return the validator of a field that must be filled in."""
    return InputRequired(message=_("该字段是必填字段。"))


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form of ours.

    `field_of` maps the field that a `DomainError` names to the field of the form where the names differ.
    """

    field_of: ClassVar[dict[str, str]] = {}

    def __init__(self, **given: Any) -> None:
        # Left alone, Flask-WTF would take a JSON body for a form, with numbers and lists where a form has text.
        sent = CombinedMultiDict[str, Any]((request.files, request.form)) if request.method == "POST" else None
        super().__init__(formdata=sent, **given)

    def refuse(self, error: DomainError, text: str | None = None) -> None:
        """Show `error` (or `text`, which may be Markup) at its field, or above the form when it has none."""
        shown = sentence(error) if text is None else text
        name = self.field_of.get(error.field or "", error.field or "")
        if name in self._fields:
            field = self._fields[name]
            field.errors = [*field.errors, shown]
        else:
            self.form_errors.append(shown)


class Confirmation(Form):
    """A form of a button alone: its CSRF token is all it carries."""
