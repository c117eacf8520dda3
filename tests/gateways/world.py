"""The sandbox and the gateways to it, and gateways to any one server."""

from dataclasses import dataclass
from typing import Any

from idp.gateways import Gateways, build_gateways
from tests.sandbox.client import Client

TIMEOUT = 0.5
NOWHERE: dict[str, Any] = {
    "sms_url": "",
    "sms_key": "",
    "unionpay_url": "",
    "unionpay_key": "",
    "company_register_url": "",
    "company_register_key": "",
    "face_check_url": "",
    "face_check_key": "",
}


@dataclass(frozen=True)
class World:
    """The stand-ins as their operators reach them, and the gateways to them."""

    sms: Client
    unionpay: Client
    company_register: Client
    face_check: Client
    gateways: Gateways

    def stand_in(self, gateway: str) -> Client:
        """Return the stand-in of the gateway called so."""
        found: Client = getattr(self, gateway)
        return found


def gateways_to(*, timeout: float = TIMEOUT, ca_file: str = "", **settings: str) -> Gateways:
    """Build gateways; what is not in `settings` is not configured."""
    return build_gateways(**(NOWHERE | settings), timeout=timeout, ca_file=ca_file)
