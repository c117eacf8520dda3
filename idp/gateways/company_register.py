"""The market-regulation register of legal entities (市场监管法人库; U17, U18)."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from idp.gateways.errors import GatewayUnavailable
from idp.gateways.json_client import JsonObject, JsonService, text_of

_USCC = re.compile(r"[0-9A-Z]{18}")


class CompanyStatus(StrEnum):
    """Whether the entity exists by law: 存续, 吊销, 注销."""

    ACTIVE = "active"
    REVOKED = "revoked"
    DEREGISTERED = "deregistered"


@dataclass(frozen=True)
class Company:
    """An entry of the register.

    `kind` is the register's code, e.g. "enterprise"; `district` a six-digit GB/T 2260 code. The register does not
    always know the legal representative's document. What tells of the person stays out of the printed form.
    """

    uscc: str
    name: str
    legal_representative: str = field(repr=False)
    legal_representative_document: str | None = field(repr=False)
    status: CompanyStatus
    kind: str
    district: str


class CompanyRegister(Protocol):
    """Answers what is registered under a unified social credit code."""

    def look_up(self, uscc: str) -> Company | None:
        """Return the entry of `uscc`, or None if there is none; what is no code has no entry.

        Raises GatewayUnavailable (try again later) and GatewayRefused (this question will never be answered).
        """
        ...


class HttpCompanyRegister:
    """`CompanyRegister` by GET /companies/{uscc}."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def look_up(self, uscc: str) -> Company | None:
        """Ask as `CompanyRegister.look_up` says."""
        if not _USCC.fullmatch(uscc):
            return None
        answer = self._service.get(f"/companies/{uscc}")
        return None if answer is None else _company(self._service.gateway, uscc, answer)


def _company(gateway: str, uscc: str, answer: JsonObject) -> Company:
    """Read an entry. Raise GatewayUnavailable("bad_answer") if it is not one, or not that of `uscc`."""
    status = text_of(gateway, answer, "status")
    if answer.get("uscc") != uscc or status not in set(CompanyStatus):
        raise GatewayUnavailable(gateway, "bad_answer")
    document = None
    if answer.get("legal_representative_document") is not None:
        document = text_of(gateway, answer, "legal_representative_document", r"[A-Za-z0-9]{5,30}")
    return Company(
        uscc=uscc,
        name=text_of(gateway, answer, "name"),
        legal_representative=text_of(gateway, answer, "legal_representative"),
        legal_representative_document=document,
        status=CompanyStatus(status),
        kind=text_of(gateway, answer, "kind", r"[a-z][a-z0-9_]{0,39}"),
        district=text_of(gateway, answer, "district", r"[0-9]{6}"),
    )
