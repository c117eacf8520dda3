"""The forms, with what each field takes. The API checks what it is sent with the same ones."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import (
    AnyOf,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    StopValidation,
    ValidationError,
)

from relying_parties.recruitment import choices, positions
from relying_parties.recruitment.companies import CompanyData
from relying_parties.recruitment.positions import PositionData
from relying_parties.shared import clock

REQUIRED = "该字段是必填字段。"
PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}(-\d{1,6})?|400-?\d{3}-?\d{4}", re.ASCII)
EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
HIGHEST_SALARY = 1_000_000
MOST_HEADS = 10_000


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _text(label: str, longest: int, shortest: int = 0) -> StringField:
    return StringField(label, [InputRequired(REQUIRED), _not_blank, _length(longest, shortest)], filters=[_strip])


def _long_text(label: str, longest: int, shortest: int) -> TextAreaField:
    return TextAreaField(label, [InputRequired(REQUIRED), _not_blank, _length(longest, shortest)], filters=[_strip])


def _select(label: str, options: Mapping[str, str]) -> SelectField:
    listed = [SelectChoice(code, name) for code, name in {"": "请选择", **options}.items()]
    return SelectField(label, [InputRequired(REQUIRED), _one_of(options)], choices=listed, validate_choice=False)


def _phone(label: str) -> StringField:
    wrong = "请填写11位手机号，或带区号的固定电话，例如 0755-82000000。"
    return StringField(label, [InputRequired(REQUIRED), _matches(PHONE, wrong)], filters=[_strip])


def _one_of(options: Mapping[str, str]) -> AnyOf:
    # Ours instead of SelectField's own check, whose words are English.
    return AnyOf(list(options), "请从列表中选择。")


def _not_blank(_form: FlaskForm, field: Field) -> None:
    # InputRequired looks at what was sent, which may be blanks alone.
    if not field.data:
        raise StopValidation(REQUIRED)


def _length(longest: int, shortest: int) -> Length:
    if shortest:
        return Length(shortest, longest, f"请填写{shortest}至{longest}个字。")
    return Length(max=longest, message=f"最多{longest}个字。")


def _matches(pattern: re.Pattern[str], message: str) -> Regexp:
    return Regexp(re.compile(rf"(?:{pattern.pattern})\Z", pattern.flags), message=message)


def _whole_number(_form: FlaskForm, field: IntegerField) -> None:
    # WTForms has said "Not a valid integer value." already; ours replaces it.
    if field.process_errors:
        field.process_errors = []
        field.errors = []
        raise StopValidation("请填写整数。")


def _real_day(_form: FlaskForm, field: DateField) -> None:
    if field.process_errors:
        field.process_errors = []
        field.errors = []
        raise StopValidation("请填写日期，例如 2026-12-31。")


def _within_validity(_form: FlaskForm, field: DateField) -> None:
    if field.data is None or not clock.today() <= field.data <= positions.latest_day():
        msg = f"请选择今天至{positions.latest_day().isoformat()}之间的日期。"
        raise ValidationError(msg)


def _last_day() -> DateField:
    return DateField(
        "发布有效期至", [InputRequired(REQUIRED), _real_day, _within_validity], default=positions.usual_day
    )


class CompanyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """基本信息 (R2)."""

    nature = _select("单位性质", choices.NATURES)
    industry = _select("所属行业", choices.INDUSTRIES)
    size = _select("人员规模", choices.SIZES)
    region = _text("所在地区", 40)
    address = _text("详细地址", 100)
    contact_name = _text("联系人", 30)
    contact_phone = _phone("联系电话")
    email = StringField("电子邮箱", [Optional(), _matches(EMAIL, "请填写有效的电子邮箱。")], filters=[_strip])
    introduction = _long_text("单位简介", 2000, 10)

    def company_data(self) -> CompanyData:
        """Return what was filled in, after `validate_on_submit`."""
        return CompanyData(**{name: self[name].data or "" for name in CompanyData.__dataclass_fields__})


def company_in_words(data: CompanyData) -> dict[str, str]:
    """Return what 基本信息 says as the form shows it: {label: text}."""
    form = CompanyForm(formdata=None, meta={"csrf": False})
    lists = {"nature": choices.NATURES, "industry": choices.INDUSTRIES, "size": choices.SIZES}
    return {str(form[name].label.text): lists.get(name, {}).get(value, value) for name, value in asdict(data).items()}


class PositionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A job, new or edited (R4). `version` is that of the job as the editor saw it."""

    title = _text("职位名称", 40, 2)
    category = _select("职位类别", choices.CATEGORIES)
    kind = _select("工作性质", choices.KINDS)
    headcount = IntegerField(
        "招聘人数",
        [InputRequired(REQUIRED), _whole_number, NumberRange(1, MOST_HEADS, f"请填写1至{MOST_HEADS}之间的人数。")],
    )
    negotiable = BooleanField("薪资面议")
    salary_min = IntegerField("最低月薪（元）", [Optional(), _whole_number])
    salary_max = IntegerField("最高月薪（元）", [Optional(), _whole_number])
    region = _text("工作地区", 40)
    address = _text("工作地点", 100)
    education = _select("学历要求", choices.EDUCATIONS)
    experience = _select("经验要求", choices.EXPERIENCES)
    description = _long_text("职位描述", 3000, 10)
    contact_name = _text("联系人", 30)
    contact_phone = _phone("联系电话")
    valid_until = _last_day()
    version = HiddenField(default="0")

    def validate(self, extra_validators: Mapping[str, object] | None = None) -> bool:
        """Check each field, then the salary as a whole."""
        fine = bool(super().validate(extra_validators))
        return self._salary_holds() and fine

    def position_data(self) -> PositionData:
        """Return what was filled in, after `validate_on_submit`."""
        values = {name: self[name].data for name in PositionData.__dataclass_fields__}
        if self.negotiable.data:
            values |= {"salary_min": None, "salary_max": None}
        return PositionData(**values)

    def seen_version(self) -> int:
        """Return the version that the editor saw, 0 for a new job."""
        text = self.version.data or ""
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0

    def _salary_holds(self) -> bool:
        lowest, highest = self.salary_min, self.salary_max
        if self.negotiable.data or lowest.errors or highest.errors:
            return not (lowest.errors or highest.errors)
        if lowest.data is None or highest.data is None:
            wrong = lowest if lowest.data is None else highest
            wrong.errors = ["请填写月薪，或勾选“薪资面议”。"]
        elif not 1 <= lowest.data <= HIGHEST_SALARY or highest.data > HIGHEST_SALARY:
            lowest.errors = [f"请填写1至{HIGHEST_SALARY}之间的月薪。"]
        elif lowest.data > highest.data:
            highest.errors = ["最高月薪不能低于最低月薪。"]
        else:
            return True
        return False


class ValidityForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """修改有效期 of one or many jobs (R4)."""

    valid_until = _last_day()


def position_values(data: PositionData) -> dict[str, int | str | date | bool | None]:
    """Return what a form of this job begins with."""
    values = {name: getattr(data, name) for name in PositionData.__dataclass_fields__}
    return values | {"negotiable": data.salary_min is None}
