"""Comparing a unit's typed data with the market-regulation register (市场监管法人库): 三级, trust level L1 (F2).

Registration data is typed and stays the unit's own until it is verified (U16), so the register never refuses a
registration: it raises the trust level or it does not. Agreement is not real-name verification (U14): that is proven
by the authorisation code alone, and `verified_at` stays empty. A register that is away counts as silence; the unit is
compared again whenever its data changes.
"""

from dataclasses import dataclass
from enum import StrEnum

import structlog

from idp.gateways.company_register import Company, CompanyRegister, CompanyStatus
from idp.gateways.errors import GatewayError
from idp.rules.documents import UnitDocument
from idp.rules.levels import TrustLevel
from idp.rules.names import PersonNameRefused, UnitNameRefused, check_person_name, check_unit_name

log = structlog.get_logger()


class RegisterAnswer(StrEnum):
    """What came of the comparison. The values stand in the audit."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_ENTRY = "no_entry"
    UNAVAILABLE = "unavailable"
    NOT_ASKED = "not_asked"

    @property
    def trust_level(self) -> TrustLevel:
        """The trust level that the answer alone is worth."""
        return TrustLevel.L1 if self is RegisterAnswer.AGREES else TrustLevel.L0


class Difference(StrEnum):
    """What does not agree with the register's entry. STATUS: the entity was revoked or deregistered."""

    NAME = "name"
    LEGAL_REPRESENTATIVE = "legal_representative"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of a comparison, the register's entry if there is one, and what does not agree with it."""

    answer: RegisterAnswer
    company: Company | None = None
    differences: tuple[Difference, ...] = ()


def compare(
    register: CompanyRegister, *, document_type: str, number: str, name: str, legal_representative: str
) -> RegisterAnswer:
    """Return what comes of `compare_closely`."""
    return compare_closely(
        register, document_type=document_type, number=number, name=name, legal_representative=legal_representative
    ).answer


def compare_closely(
    register: CompanyRegister, *, document_type: str, number: str, name: str, legal_representative: str
) -> Comparison:
    """Ask the register about a unit and compare name and legal representative. Calls the outside: no transaction open.

    Organisation codes are not in the register. An entity that was revoked or deregistered agrees with nobody.
    """
    if document_type != UnitDocument.USCC:
        return Comparison(RegisterAnswer.NOT_ASKED)
    try:
        company = register.look_up(number)
    except GatewayError as error:
        log.warning("company_register.silent", reason=error.reason)
        return Comparison(RegisterAnswer.UNAVAILABLE)
    if company is None:
        return Comparison(RegisterAnswer.NO_ENTRY)
    agrees = {
        Difference.STATUS: company.status is CompanyStatus.ACTIVE,
        Difference.NAME: _unit_spelling(company.name) == name,
        Difference.LEGAL_REPRESENTATIVE: _person_spelling(company.legal_representative) == legal_representative,
    }
    differences = tuple(each for each, same in agrees.items() if not same)
    return Comparison(RegisterAnswer.DIFFERS if differences else RegisterAnswer.AGREES, company, differences)


def _unit_spelling(name: str) -> str | None:
    """Return the register's name in the spelling in which ours are stored; None for what could not be typed."""
    try:
        return check_unit_name(name)
    except UnitNameRefused:
        return None


def _person_spelling(name: str) -> str | None:
    try:
        return check_person_name(name)
    except PersonNameRefused:
        return None
