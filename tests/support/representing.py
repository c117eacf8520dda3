"""A unit without agents, the register and the face check that know its legal representative, and a portal (U18)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idp.app import create_app
from idp.delegation import representing
from idp.delegation.representing import Passed
from idp.settings import Settings
from idp.store import hot
from sandbox import company_register, face_check
from sandbox.serving import Server
from tests.sandbox.client import KEY, Client
from tests.support import fictional, rows

STABILIZATION, REPORT = "hall.stabilization", "hall.report"
BUSINESS_NAME = "失业保险稳岗返还"


@dataclass(frozen=True)
class Outside:
    """The running stand-ins as their operators and a phone reach them."""

    register: Client
    face: Client

    def settings(self) -> dict[str, str]:
        """Return the provider's settings that lead here."""
        return {
            "company_register_url": self.register.url,
            "company_register_key": KEY,
            "face_check_url": self.face.url,
            "face_check_key": KEY,
        }

    def enter(self, n: int = 1, **changes: Any) -> None:
        """Let the register know unit `n` as `rows.unit` has it."""
        entry = {
            "name": fictional.unit_name(n),
            "legal_representative": fictional.person_name(n + 5),
            "legal_representative_document": fictional.resident_id(n + 5),
            "status": "active",
            "kind": "enterprise",
            "district": "440106",
        }
        answer = self.register.put(f"/companies/{fictional.uscc(n)}", entry | changes)
        assert answer.status_code in {200, 201}, answer.text

    def on_the_phone(self, page: str, result: str = "passed") -> int:
        """Open the address on a page of the provider and decide; return the status of the answer."""
        return self.face.request("POST", urlsplit(phone_address(page)).path, None, data={"result": result}).status_code

    def well(self) -> None:
        """Take all faults back."""
        for each in (self.register, self.face):
            each.fault("none")


def phone_address(page: str) -> str:
    """Return the address of the phone's page on a page of the provider, which its QR code holds too."""
    found = re.search(r'href="(http[^"]+/check/[^"]+)"', page)
    assert found, page
    return found[1]


@contextmanager
def outside() -> Iterator[Outside]:
    """Serve both stand-ins."""
    with Server(company_register.create_app(KEY)) as register, Server(face_check.create_app(KEY)) as face:
        yield Outside(Client(register.url), Client(face.url))


def catalogue() -> None:
    """Enter the business that is open to unit accounts from L2 on, and an ordinary one."""
    rows.business(STABILIZATION, name=BUSINESS_NAME, min_unit_level=2, open_to_unit_account=True)
    rows.business(REPORT, name="参保单位信息申报")


def claims_in_a_process(database_url: str, key_file: str, unit_id: str, checks: list[tuple[str, str]]) -> list[bool]:
    """Try to use each of `checks` (id, interaction) in a process of its own; return which were got."""
    app = create_app(Settings(database_url=database_url, key_file=Path(key_file)))
    with app.app_context():
        got = []
        for check_id, interaction_id in checks:
            with hot.transaction() as on:
                got.append(representing.claim(on, Passed(check_id, interaction_id, STABILIZATION), unit_id))
        hot.close()
        return got
