"""The entries of the register, in memory."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from sandbox import web

USCC = r"[0-9A-Z]{18}"


class CompanyStatus(StrEnum):
    """存续, 吊销, 注销."""

    ACTIVE = "active"
    REVOKED = "revoked"
    DEREGISTERED = "deregistered"


@dataclass(frozen=True)
class Company:
    """An entry. `kind` is a code such as "enterprise" or "public_institution", `district` a GB/T 2260 code."""

    uscc: str
    name: str
    legal_representative: str
    legal_representative_document: str | None
    status: str
    kind: str
    district: str

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> "Company":
        """Read an entry; `status` is "active" and `kind` "enterprise" unless said otherwise. Raises web.Invalid."""
        return cls(
            uscc=web.text_field(body, "uscc", USCC),
            name=web.text_field(body, "name"),
            legal_representative=web.text_field(body, "legal_representative"),
            legal_representative_document=web.optional_text_field(
                body, "legal_representative_document", r"[A-Za-z0-9]{5,30}"
            ),
            status=web.optional_text_field(body, "status", "|".join(CompanyStatus)) or CompanyStatus.ACTIVE,
            kind=web.optional_text_field(body, "kind", r"[a-z][a-z0-9_]{0,39}") or "enterprise",
            district=web.text_field(body, "district", r"[0-9]{6}"),
        )

    def as_json(self) -> dict[str, object]:
        """Return the entry as `GET /companies/{uscc}` answers it; a document that is not known is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Register:
    """Entries by USCC, safe for parallel requests: an entry is replaced whole, under a lock."""

    def __init__(self) -> None:
        self._companies: dict[str, Company] = {}
        self._lock = threading.Lock()

    def put(self, company: Company) -> bool:
        """Enter `company`, or replace the entry of its USCC; return whether it is new."""
        with self._lock:
            new = company.uscc not in self._companies
            self._companies[company.uscc] = company
            return new

    def get(self, uscc: str) -> Company | None:
        """Return the entry, or None."""
        with self._lock:
            return self._companies.get(uscc)
