"""The SMS we send: a code for each template, its parameters, and the text that arrives.

Providers approve a template once and are then given its code and the values to fill in; the texts stand here so that
what was approved and what is sent cannot drift apart. A new SMS is one more entry in `TEMPLATES`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SIGNATURE = "【经办】"

TEMPLATES: dict[str, str] = {
    "verification_code": (
        "您正在办理{purpose}，验证码{code}，{minutes}分钟内有效。验证码请勿告诉他人，非本人操作请忽略。"
    ),
    "binding_requested": (
        "{unit}请求绑定您的个人账号。请登录个人账号，在“父账号信息”中接受或拒绝；不认识该单位请拒绝。"
    ),
    "grant_requested": (
        "{agent}申请代{unit}办理{business}。请用单位账号登录，在“子账号信息”中授权或拒绝；未授权前对方不能办理。"
    ),
    "grant_given": "{unit}已同意您的申请，授权您代其办理{business}。在授权期限内登录应用并选择该单位，即可办理。",
    "grant_refused": "{unit}拒绝了您代其办理{business}的申请，{days}天内不能再次申请。如有疑问，请联系该单位。",
    "unit_authorisation_code": (
        "{unit}的单位授权码为{code}，{until}前有效，一次有效。请登录后在“单位实名认证”中填写，请勿告诉他人。"
    ),
    "unit_verified": "{unit}刚刚通过授权码完成单位实名认证。如非本单位办理，请立即拨打政务服务热线12345。",
    "factor_changed": "您的账号刚刚{change}。如非本人操作，请立即登录并在“登录安全”中处理，或拨打政务服务热线12345。",
    "unit_factor_changed": (
        "{unit}的单位账号刚刚{change}。如非本单位操作，请立即用单位账号登录并在“登录安全”中处理，或拨打政务服务热线12345。"
    ),
}

PURPOSES: dict[str, str] = {
    "person_registration": "个人注册",
    "unit_registration": "单位注册",
    "sign_in": "短信登录",
    "step_up": "身份验证",
    "unionpay_check": "银联实名认证",
    "find_login_name": "找回账号",
    "reset_password": "找回密码",
    "change_phone": "更换手机号",
}
"""What a code is for, as the parameter `purpose` names it, and as the reader does."""

CHANGES: dict[str, str] = {
    "totp_added": "添加了身份验证器",
    "totp_removed": "移除了身份验证器",
    "recovery_codes_renewed": "重新生成了备用码",
    "recovery_code_used": "使用了一个备用码验证身份",
    "passkey_added": "添加了通行密钥",
    "passkey_removed": "移除了通行密钥",
    "certificate_added": "添加了数字证书",
    "certificate_removed": "移除了数字证书",
    "upstream_linked": "关联了其他平台的账号，可用其登录",
    "upstream_unlinked": "解除了与其他平台账号的关联",
    "password_set": "设置了用户名和密码",
}
"""What became of the ways to prove who one is, as the parameter `change` names it."""

_WORDS = {"purpose": PURPOSES, "change": CHANGES}

# A value may not pose as a signature, start a new line, or be longer than the longest name of a unit.
_VALUE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff【】]{1,100}")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class FilledTemplate:
    """A template's code, the values as the reader sees them, and the whole text. The last two are never printed."""

    template: str
    params: dict[str, str] = field(repr=False)
    text: str = field(repr=False)


def fill(template: str, params: Mapping[str, str | int]) -> FilledTemplate:
    """Return `template` with exactly its parameters filled in.

    `purpose` is a key of `PURPOSES`, `change` of `CHANGES`. Raises ValueError for another one, an unknown template, a
    missing or superfluous parameter, and a value that does not fit (1 to 100 characters without control characters and
    【】). The error names the parameter, never its value.
    """
    pattern = TEMPLATES.get(template)
    if pattern is None:
        msg = f"no SMS template {template!r}"
        raise ValueError(msg)
    wanted = set(_PLACEHOLDER.findall(pattern))
    if wanted != params.keys():
        msg = f"SMS template {template!r} takes {sorted(wanted)}, not {sorted(params)}"
        raise ValueError(msg)
    values = {name: _shown(name, str(value)) for name, value in params.items()}
    return FilledTemplate(template, values, SIGNATURE + _PLACEHOLDER.sub(lambda found: values[found[1]], pattern))


def _shown(name: str, value: str) -> str:
    """Return `value` as the reader sees it. Raise ValueError if it does not fit."""
    words = _WORDS.get(name)
    if words is not None:
        if value not in words:
            msg = f"SMS parameter {name!r} is none of those there are"
            raise ValueError(msg)
        return words[value]
    if not _VALUE.fullmatch(value):
        msg = f"SMS parameter {name!r} has a value that does not fit"
        raise ValueError(msg)
    return value
