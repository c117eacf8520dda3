"""Sending SMS."""

from collections.abc import Mapping
from typing import Protocol

from idp.gateways import sms_templates
from idp.gateways.errors import GatewayUnavailable
from idp.gateways.json_client import JsonService


class SmsSender(Protocol):
    """Hands one SMS to a provider that delivers it."""

    def send(self, message_id: str, phone: str, template: str, params: Mapping[str, str | int]) -> None:
        """Send `template` with `params` (see `sms_templates`) to `phone` (E.164).

        `message_id` makes sending safe to repeat: the provider delivers one id once, so a caller that got no answer
        sends the same message with the same id again. Ids are [A-Za-z0-9_.:-], up to 100 characters.

        Raises GatewayUnavailable (send again later), GatewayRefused (this message will never go out), and ValueError
        if template and parameters do not fit, which is a mistake in the program.
        """
        ...


class HttpSmsSender:
    """`SmsSender` by POST /sms/send; the provider gets the template's code and parameters, and the finished text."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def send(self, message_id: str, phone: str, template: str, params: Mapping[str, str | int]) -> None:
        """Send as `SmsSender.send` says."""
        filled = sms_templates.fill(template, params)
        body = {
            "message_id": message_id,
            "phone": phone,
            "template": filled.template,
            "params": filled.params,
            "text": filled.text,
        }
        answer = self._service.post("/sms/send", body)
        if answer.get("message_id") != message_id or answer.get("status") != "accepted":
            raise GatewayUnavailable(self._service.gateway, "bad_answer")
