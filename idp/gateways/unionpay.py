"""UnionPay's check of a person's identity by bank card (银联实名认证, P6)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from idp.gateways.errors import GatewayUnavailable
from idp.gateways.json_client import JsonService, text_of


class UnionPayOutcome(StrEnum):
    """What UnionPay says. Only MATCH proves anything; MISMATCH does not tell which of the four differs."""

    MATCH = "match"
    MISMATCH = "mismatch"
    CARD_NOT_SUPPORTED = "card_not_supported"
    CARD_BLOCKED = "card_blocked"


@dataclass(frozen=True)
class UnionPayResult:
    """The outcome of one check, and UnionPay's reference for it, which may be logged."""

    outcome: UnionPayOutcome
    reference: str


class UnionPay(Protocol):
    """Compares name, document, card and reserved phone with what the card's bank knows."""

    def verify(
        self, *, name: str, document_type: str, document_number: str, card_number: str, phone: str
    ) -> UnionPayResult:
        """Return whether the four belong together. The card number is passed on and kept nowhere.

        `document_type` is a `PersonDocument` value, `phone` is E.164, `card_number` is 13 to 19 digits.
        Raises GatewayUnavailable (try again later) and GatewayRefused (this question will never be answered).
        """
        ...


class HttpUnionPay:
    """`UnionPay` by POST /unionpay/verify."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def verify(
        self, *, name: str, document_type: str, document_number: str, card_number: str, phone: str
    ) -> UnionPayResult:
        """Ask as `UnionPay.verify` says."""
        claim = {
            "name": name,
            "document_type": document_type,
            "document_number": document_number,
            "card_number": card_number,
            "phone": phone,
        }
        answer = self._service.post("/unionpay/verify", claim)
        gateway = self._service.gateway
        reference = text_of(gateway, answer, "reference", r"[A-Za-z0-9_-]{1,64}")
        outcome = text_of(gateway, answer, "result")
        if outcome not in set(UnionPayOutcome):
            # An outcome that we cannot read must not become a verdict about a person.
            raise GatewayUnavailable(gateway, "bad_answer")
        return UnionPayResult(UnionPayOutcome(outcome), reference)
