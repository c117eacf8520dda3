"""The one form: what a unit hands in."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField
from wtforms.validators import InputRequired, NumberRange

MOST = 1_000_000
"""So many people no unit insures."""


class FilingForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A number, and that it is right."""

    headcount = IntegerField(
        "上年度平均参保人数", [InputRequired("请填写参保人数。"), NumberRange(1, MOST, f"请填写 1–{MOST} 的整数。")]
    )
    confirmed = BooleanField("我确认以上单位信息和填报内容真实无误", [InputRequired("请确认信息无误。")])
