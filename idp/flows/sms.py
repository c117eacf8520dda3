"""「获取验证码」 on any form: sends the code, says how it went, keeps the form as it is."""

from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _

from idp import limits
from idp.errors import DomainError
from idp.flows.forms.base import Form
from idp.gateways.errors import GatewayRefused
from idp.messages import sentence
from idp.notify import sms_codes
from idp.notify.sms_codes import Asked
from idp.notify.worker import Delivery
from idp.rules.masking import mask_phone


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What the page shows after 「获取验证码」: {kind, text} or nothing, and the seconds until the next."""

    notice: dict[str, str] | None
    wait: int


NOTHING_SENT = CodeRequest(None, 0)


def wanted() -> bool:
    """Tell whether the form was sent by 「获取验证码」 and not by its main button."""
    return request.method == "POST" and request.form.get("action") == "send_code"


def send(form: Form, asked: Asked) -> CodeRequest:
    """Send a code; a refusal is shown at the form's field `code`."""
    try:
        limits.sms()
        sent = sms_codes.send(asked, address=request.remote_addr or "")
    except DomainError as error:
        form.refuse(error)
        return CodeRequest(None, sms_codes.wait(asked.phone))
    if sent.delivery is Delivery.GIVEN_UP:
        return CodeRequest({"kind": "error", "text": sentence(GatewayRefused("sms", "refused"))}, sent.wait)
    if sent.delivery is Delivery.WAITING:
        text = _("短信服务暂时不可用，系统会自动重试；如一分钟内未收到，请重新获取")
        return CodeRequest({"kind": "warning", "text": text}, sent.wait)
    text = _("验证码已发送至 %(phone)s，5 分钟内有效", phone=mask_phone(asked.phone))
    return CodeRequest({"kind": "success", "text": text}, sent.wait)
