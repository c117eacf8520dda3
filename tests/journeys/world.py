"""The fiction of the journeys: people whom the bank knows, units that the register knows, and faults outside.

Everything is numbered like `tests.support.rows`, so that somebody whom a test needs at a later stage of life can be
put straight into the database and then uses the pages like everybody else.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import requests
from sqlalchemy import select

from idp.delegation import grants
from idp.persons.model import AccountKind, LoginName, Person
from idp.rules.login_names import login_name_key
from idp.sessions import passwords
from idp.store.base import vault
from idp.store.db import db
from tests.support import codes, fictional, rows
from tests.support.stack import Stack

CARDS_PHONE = 400_000  # the phone known to the bank is another one than that of the account
PATIENCE = 10.0

Found = TypeVar("Found")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Someone:
    """A person, as they would fill in a form. Phones are typed without the country's code."""

    n: int
    document_type: str = "resident_id"

    @property
    def name(self) -> str:
        return fictional.person_name(self.n)

    @property
    def document(self) -> str:
        return fictional.resident_id(self.n)

    @property
    def phone(self) -> str:
        return fictional.mobile(self.n).removeprefix("+86")

    @property
    def login(self) -> str:
        return fictional.login_name(self.n)

    @property
    def password(self) -> str:
        return fictional.password(self.n)

    @property
    def card(self) -> str:
        return fictional.bank_card(self.n)

    @property
    def card_phone(self) -> str:
        return fictional.mobile(self.n + CARDS_PHONE).removeprefix("+86")

    @property
    def masked_document(self) -> str:
        return f"{self.document[:3]}***********{self.document[-4:]}"


@dataclass(frozen=True, slots=True)
class Company:
    """A unit, as its agent would fill in the form; its seat is 广东省江门市蓬江区."""

    n: int
    region: tuple[str, ...] = ("广东省", "江门市", "蓬江区")

    @property
    def uscc(self) -> str:
        return fictional.uscc(self.n)

    @property
    def name(self) -> str:
        return fictional.unit_name(self.n)

    @property
    def legal_representative(self) -> str:
        return fictional.person_name(self.n + 5)

    @property
    def login(self) -> str:
        return f"unit_{self.n:04d}"

    @property
    def password(self) -> str:
        return fictional.password(self.n)


class World:
    """Everything outside of the pages: who exists, what reaches their phones, what is broken."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    # --- who exists ------------------------------------------------------------------------------------------------

    def someone(self) -> Someone:
        """Return a person without an account, whom the bank knows."""
        who = Someone(next(_numbers))
        holder = {
            "name": who.name,
            "document_type": who.document_type,
            "document_number": who.document,
            "card_number": who.card,
            "phone": who.card_phone,
        }
        requests.post(f"{self.stack.addresses.unionpay}/unionpay/cards", json=holder, timeout=5).raise_for_status()
        return who

    def company(self) -> Company:
        """Return a unit without an account, which the register knows."""
        unit = Company(next(_numbers))
        entry = {"name": unit.name, "legal_representative": unit.legal_representative, "district": rows.SEAT}
        address = f"{self.stack.addresses.company_register}/companies/{unit.uscc}"
        requests.put(address, json=entry, timeout=5).raise_for_status()
        return unit

    def registered(self, **changes: Any) -> Someone:
        """Return a person with an account, at 二级实名 unless said otherwise."""
        who = self.someone()
        self.within(lambda: rows.person(who.n, password_hash=passwords.hash_password(who.password), **changes))
        return who

    def hold(self, who: Someone, kind: str, number: str) -> None:
        """Let an account be that of a holder of another kind of document."""

        def change() -> None:
            person = db.session.get_one(Person, self._owner(AccountKind.PERSON, who.login))
            lookup = vault().lookup("document", f"{kind}:{number}")
            person.document_type, person.document_number = kind, number
            person.document_lookup = person.document_claim = lookup
            db.session.commit()

        self.within(change)

    def unit_of(self, *agents: Someone, granting: tuple[str, ...] = (), **changes: Any) -> Company:
        """Return a unit with an account that has bound `agents` and grants them these businesses without end."""
        unit = self.company()
        person_ids = [self.person_id(agent) for agent in agents]

        def bind() -> None:
            unit_id = rows.unit(unit.n, password_hash=passwords.hash_password(unit.password), **changes)
            for person_id in person_ids:
                binding_id = rows.binding(unit_id, person_id)
                for business in granting:
                    grants.grant(unit_id, binding_id, business, grants.window(None, None))

        self.within(bind)
        return unit

    def person_id(self, who: Someone) -> str:
        return self.within(lambda: self._owner(AccountKind.PERSON, who.login))

    def unit_id(self, unit: Company) -> str:
        return self.within(lambda: self._owner(AccountKind.UNIT, unit.login))

    @staticmethod
    def _owner(kind: AccountKind, login: str) -> str:
        found = select(LoginName.owner_id).where(LoginName.kind == kind, LoginName.key == login_name_key(login))
        return db.session.scalars(found).one()

    def within(self, work: Callable[[], Found]) -> Found:
        """Do `work` on the stack's database, and leave no transaction open."""
        with self.stack.app.app_context():
            try:
                return work()
            finally:
                db.session.remove()

    # --- phones ----------------------------------------------------------------------------------------------------

    def sent_to(self, phone: str) -> list[dict[str, Any]]:
        """Return the SMS that reached a phone, newest first."""
        return self.stack.messages(f"+86{phone}")

    def next_sms(self, phone: str, known: int) -> dict[str, Any]:
        """Wait for the SMS that follows the first `known` ones."""
        return self.stack.next_message(f"+86{phone}", known)

    def a_minute_passes(self) -> None:
        """Let every phone ask for another code."""
        self.within(codes.forget_waits)

    # --- what is broken --------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def fault(self, system: str, mode: str, seconds: float = 10.0) -> Iterator[None]:
        """Let a system of the sandbox fail while the block runs (sandbox/faults.py)."""
        self.set_fault(system, mode, seconds)
        try:
            yield
        finally:
            self.set_fault(system, "none")

    def set_fault(self, system: str, mode: str, seconds: float = 10.0) -> None:
        address = f"{getattr(self.stack.addresses, system)}/faults"
        requests.post(address, json={"mode": mode, "seconds": seconds}, timeout=5).raise_for_status()


def seconds_until(reached: Callable[[], bool], since: float) -> float:
    """Ask until `reached` and return how long it took since the moment `since` (time.monotonic)."""
    while not reached():
        assert time.monotonic() - since < PATIENCE, "it never came"
        time.sleep(0.05)
    return time.monotonic() - since
