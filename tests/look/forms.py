"""The forms of the catalogue: same fields as the real ones, no rules."""

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional, ValidationError

REQUIRED = [InputRequired(message="该字段是必填字段。")]
PERSON_DOCUMENTS = {"id_card": "居民身份证", "hm_permit": "港澳居民来往内地通行证", "passport": "护照"}
UNIT_DOCUMENTS = {"uscc": "统一社会信用代码"}
KINDS = {"agent": "经办人员", "common_contact": "常用联系人"}


class PersonSignIn(FlaskForm):
    username = StringField("手机号 / 身份证号 / 用户名", REQUIRED)
    password = PasswordField("密码", REQUIRED)
    as_unit = BooleanField("以单位身份登录")


class UnitSignIn(FlaskForm):
    username = StringField("单位用户名", REQUIRED)
    password = PasswordField("密码", REQUIRED)


class FirstPassword(FlaskForm):
    username = StringField("用户名", REQUIRED)
    password = PasswordField("密码", REQUIRED)
    password_again = PasswordField("确认密码", REQUIRED)


class RegisterPerson(FlaskForm):
    document_type = SelectField("证件类型", REQUIRED, choices=PERSON_DOCUMENTS)
    document_number = StringField("证件号码", REQUIRED)
    name = StringField("姓名", REQUIRED)
    phone = StringField("手机号", REQUIRED)
    code = StringField("短信验证码", REQUIRED)
    username = StringField("登录账号", REQUIRED)
    password = PasswordField("密码", REQUIRED)
    password_again = PasswordField("确认密码", REQUIRED)
    accept_terms = BooleanField("我已阅读并同意", REQUIRED)

    def validate_username(self, field: StringField) -> None:
        if field.data == "taken_name":
            raise ValidationError("用户名已被使用")


class RegisterUnitAgent(FlaskForm):
    agent_username = StringField("个人账号", REQUIRED)
    agent_document_number = StringField("证件号码", REQUIRED)


class RegisterUnit(FlaskForm):
    document_type = SelectField("证件类型", REQUIRED, choices=UNIT_DOCUMENTS)
    document_number = StringField("证件号码", REQUIRED)
    name = StringField("单位名称", REQUIRED)
    province = SelectField("省份", REQUIRED, validate_choice=False)
    city = SelectField("城市", validate_choice=False)
    district = SelectField("区县", validate_choice=False)
    legal_representative = StringField("法定代表人", REQUIRED)
    username = StringField("登录账号", REQUIRED)
    password = PasswordField("密码", REQUIRED)
    password_again = PasswordField("确认密码", REQUIRED)


class Nothing(FlaskForm):
    """A button alone."""


class ScanNumber(FlaskForm):
    number = StringField("屏幕上显示的两位数字", REQUIRED)

    def validate_number(self, field: StringField) -> None:
        if field.data == "17":
            raise ValidationError("数字不正确，请核对要登录的设备上显示的数字，还可尝试 2 次")


class EnterCode(FlaskForm):
    user_code = StringField("设备上显示的代码", REQUIRED)


class Code(FlaskForm):
    code = StringField("短信验证码", REQUIRED)


class AuthorisationCode(FlaskForm):
    code = StringField("单位授权码", REQUIRED)


class Chooser(FlaskForm):
    unit = StringField("单位", [InputRequired(message="请选择一个单位。")])


class Bind(FlaskForm):
    name = StringField("姓名", REQUIRED)
    document_type = SelectField("证件类型", REQUIRED, choices=PERSON_DOCUMENTS)
    document_number = StringField("证件号码", REQUIRED)
    username = StringField("登录账号", REQUIRED)
    kind = RadioField("子账号类型", REQUIRED, choices=KINDS)


class Grant(FlaskForm):
    business = SelectField("业务", REQUIRED, choices={"education": "继续教育", "recruitment": "公共招聘"})
    valid_from = DateField("开始日期", [Optional()])
    valid_to = DateField("结束日期", [Optional()])


class Empty(FlaskForm):
    pass


class OneCode(FlaskForm):
    phone = StringField("手机号", REQUIRED)
    code = StringField("短信验证码", REQUIRED)
    as_unit = BooleanField("以单位身份登录")


class CertificateAnswer(FlaskForm):
    challenge = HiddenField()
    certificate = TextAreaField("证书")
    certificate_file = FileField("证书文件")
    signature = TextAreaField("签名值")
    signature_file = FileField("签名文件")
    as_unit = BooleanField("以单位身份登录")


class PasskeyAnswer(FlaskForm):
    credential = HiddenField()
    name = StringField("名称", REQUIRED)
    as_unit = BooleanField("以单位身份登录")
