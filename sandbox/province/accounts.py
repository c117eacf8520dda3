"""The persons and legal entities that have an account, in memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from sandbox import web

Kind = Literal["person", "legal"]
PERSON_DOCUMENTS = (
    "resident_id",
    "hk_macao_permit",
    "taiwan_permit",
    "hmt_residence_permit",
    "foreign_permanent_residence",
    "passport",
)
UNIT_DOCUMENTS = {"uscc": r"[0-9A-Z]{18}", "org_code": r"[0-9A-Z]{8}-?[0-9X]"}
_DOCUMENT_NUMBER = r"[A-Za-z0-9]{5,30}"
_PERSON_DOCUMENT = "|".join(PERSON_DOCUMENTS)


@dataclass(frozen=True)
class Party:
    """A natural person that a legal entity names: its legal representative, or its contact."""

    name: str
    document_type: str
    document_number: str | None
    phone: str | None

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read {name, document_type?, document_number?, phone?}. Raises web.Invalid."""
        return cls(
            name=web.text_field(body, "name"),
            document_type=web.optional_text_field(body, "document_type", _PERSON_DOCUMENT) or "resident_id",
            document_number=web.optional_text_field(body, "document_number", _DOCUMENT_NUMBER),
            phone=None if body.get("phone") is None else web.phone_field(body),
        )

    def as_json(self) -> dict[str, str]:
        """Return what is known of them."""
        shown = {
            "name": self.name,
            "document_type": self.document_type,
            "document_number": self.document_number,
            "phone_number": self.phone,
        }
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(frozen=True)
class Account:
    """One account. `level` is `L0` … `L3`, or None where nothing was ever checked; `useridcode` never changes."""

    kind: Kind
    useridcode: str
    login: str
    password: str
    name: str
    document_type: str
    document_number: str
    phone: str | None
    level: str | None
    level_way: str | None
    level_at: datetime | None
    disabled: bool
    legal_representative: Party | None = None
    contact: Party | None = None

    @classmethod
    def person(cls, body: Mapping[str, object]) -> Self:
        """Read an object of the seed's `persons`. Raises web.Invalid."""
        return cls(
            kind="person",
            document_type=web.optional_text_field(body, "document_type", _PERSON_DOCUMENT) or "resident_id",
            document_number=web.text_field(body, "document_number", _DOCUMENT_NUMBER),
            **_common(body),
        )

    @classmethod
    def legal(cls, body: Mapping[str, object]) -> Self:
        """Read an object of the seed's `legal_entities`: with `uscc`, or with `org_code`. Raises web.Invalid."""
        document_type = "org_code" if body.get("uscc") is None else "uscc"
        return cls(
            kind="legal",
            document_type=document_type,
            document_number=web.text_field(body, document_type, UNIT_DOCUMENTS[document_type]),
            legal_representative=_party(body, "legal_representative"),
            contact=_party(body, "contact"),
            **_common(body),
        )


def _common(body: Mapping[str, object]) -> dict[str, Any]:
    """Read what both kinds have, by the names of the fields."""
    level_at = web.optional_text_field(body, "level_at", r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)")
    return {
        "useridcode": web.text_field(body, "useridcode", r"[A-Za-z0-9_-]{1,64}"),
        "login": web.text_field(body, "login", r"[^\x00\s]{1,64}"),
        "password": web.text_field(body, "password"),
        "name": web.text_field(body, "name"),
        "phone": None if body.get("phone") is None else web.phone_field(body),
        "level": web.optional_text_field(body, "level", r"L[0-3]"),
        "level_way": web.optional_text_field(body, "level_way", r"[a-z][a-z_]{0,39}"),
        "level_at": None if level_at is None else datetime.fromisoformat(level_at),
        "disabled": body.get("disabled") is True,
    }


def _party(body: Mapping[str, object], name: str) -> Party | None:
    return None if body.get(name) is None else Party.from_json(web.as_object(body[name], name))


class Accounts:
    """Accounts by their stable id, safe for parallel requests: an account is replaced whole, under a lock."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._lock = threading.Lock()

    def put(self, account: Account) -> bool:
        """Enter `account`, or replace the one of its id; return whether it is new.

        Raises web.Invalid("login") if another account of its kind signs in by that name.
        """
        with self._lock:
            for other in self._accounts.values():
                same_login = (other.kind, other.login) == (account.kind, account.login)
                if same_login and other.useridcode != account.useridcode:
                    raise web.Invalid("login")
            new = account.useridcode not in self._accounts
            self._accounts[account.useridcode] = account
            return new

    def get(self, useridcode: str) -> Account | None:
        """Return the account, or None."""
        with self._lock:
            return self._accounts.get(useridcode)

    def all(self) -> list[Account]:
        """Return every account, in the order in which they came."""
        with self._lock:
            return list(self._accounts.values())

    def sign_in(self, kind: Kind, login: str, password: str) -> Account | None:
        """Return the account of that kind with these credentials, or None."""
        claimed = (kind, login, password)
        return next((each for each in self.all() if (each.kind, each.login, each.password) == claimed), None)

    def raise_level(self, useridcode: str, level: str, way: str) -> None:
        """Let the account have `level` by `way` from now on. A level that it has already is not lowered."""
        with self._lock:
            account = self._accounts[useridcode]
            if level > (account.level or ""):
                raised = replace(account, level=level, level_way=way, level_at=datetime.now(UTC))
                self._accounts[useridcode] = raised
