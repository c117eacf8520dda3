"""Narrow Protocols to the outside world, each with its HTTP implementation.

Callers depend on a Protocol, never on HTTP; what can go wrong is `GatewayUnavailable` (try again later) and
`GatewayRefused` (never). No personal data stands in an exception, a log line or a printed result.
"""

from idp.gateways.company_register import Company, CompanyRegister, CompanyStatus
from idp.gateways.errors import GatewayRefused, GatewayUnavailable
from idp.gateways.face_check import FaceCheck, FaceCheckBegun, FaceResult, FaceState
from idp.gateways.sms import SmsSender
from idp.gateways.unionpay import UnionPay, UnionPayOutcome, UnionPayResult
from idp.gateways.wiring import Gateways, build_gateways

__all__ = [
    "Company",
    "CompanyRegister",
    "CompanyStatus",
    "FaceCheck",
    "FaceCheckBegun",
    "FaceResult",
    "FaceState",
    "GatewayRefused",
    "GatewayUnavailable",
    "Gateways",
    "SmsSender",
    "UnionPay",
    "UnionPayOutcome",
    "UnionPayResult",
    "build_gateways",
]
