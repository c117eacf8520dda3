"""Builds the gateways from an operator's settings."""

from dataclasses import dataclass

from idp.gateways.company_register import CompanyRegister, HttpCompanyRegister
from idp.gateways.face_check import FaceCheck, HttpFaceCheck
from idp.gateways.json_client import JsonClient, JsonService, NotConfigured
from idp.gateways.sms import HttpSmsSender, SmsSender
from idp.gateways.unionpay import HttpUnionPay, UnionPay


@dataclass(frozen=True)
class Gateways:
    """All that the application reaches outside of it; safe to share between threads."""

    sms: SmsSender
    unionpay: UnionPay
    company_register: CompanyRegister
    face_check: FaceCheck


def build_gateways(
    *,
    sms_url: str,
    sms_key: str,
    unionpay_url: str,
    unionpay_key: str,
    company_register_url: str,
    company_register_key: str,
    face_check_url: str,
    face_check_key: str,
    timeout: float = 3.0,
    ca_file: str = "",
) -> Gateways:
    """Return the gateways at these addresses; one with an empty address answers with GatewayUnavailable.

    `timeout` (seconds) bounds connecting, and each silence of the server. `ca_file` names the certificate authorities
    to trust in place of the usual ones. Raises ValueError for an address or a key that cannot be used.
    """

    def service(gateway: str, url: str, key: str) -> JsonService:
        if not url:
            return NotConfigured(gateway)
        return JsonClient(gateway, url, key, timeout, ca_file)

    return Gateways(
        sms=HttpSmsSender(service("sms", sms_url, sms_key)),
        unionpay=HttpUnionPay(service("unionpay", unionpay_url, unionpay_key)),
        company_register=HttpCompanyRegister(service("company_register", company_register_url, company_register_key)),
        face_check=HttpFaceCheck(service("face_check", face_check_url, face_check_key)),
    )
