"""The stand-in for the register of legal entities (U17, U18)."""

import pytest

from sandbox.company_register import create_app
from sandbox.web import Invalid
from tests.sandbox.client import KEY, Client
from tests.support import fictional

USCC = fictional.uscc()
ENTRY: dict[str, object] = {
    "uscc": USCC,
    "name": fictional.unit_name(),
    "legal_representative": fictional.person_name(),
    "legal_representative_document": fictional.resident_id(),
    "status": "active",
    "kind": "public_institution",
    "district": "440106",
}


def test_an_entry_is_answered_as_it_was_put(register: Client) -> None:
    assert register.put(f"/companies/{USCC}", ENTRY).status_code == 201
    answer = register.get(f"/companies/{USCC}")
    assert (answer.status_code, answer.json()) == (200, ENTRY)


def test_an_entry_changes_as_a_whole(register: Client) -> None:
    register.put(f"/companies/{USCC}", ENTRY)
    changed = {"name": fictional.unit_name(2), "legal_representative": fictional.person_name(2), "district": "440103"}
    assert register.put(f"/companies/{USCC}", changed).status_code == 200
    defaults = {"uscc": USCC, "status": "active", "kind": "enterprise"}
    assert register.get(f"/companies/{USCC}").json() == changed | defaults


@pytest.mark.parametrize("uscc", [fictional.uscc(2), "short", "../health"])
def test_what_is_not_there_is_404(register: Client, uscc: str) -> None:
    register.put(f"/companies/{USCC}", ENTRY)
    answer = register.get(f"/companies/{uscc}" if uscc != "../health" else "/companies/..%2Fhealth")
    assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uscc", fictional.uscc(2)),
        ("name", ""),
        ("legal_representative", None),
        ("legal_representative_document", "?"),
        ("status", "alive"),
        ("kind", "Not A Code"),
        ("district", "4401"),
    ],
)
def test_an_entry_that_cannot_be_names_the_field(register: Client, field: str, value: object) -> None:
    answer = register.put(f"/companies/{USCC}", ENTRY | {field: value})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request", "reason": field})
    assert register.get(f"/companies/{USCC}").status_code == 404


def test_asking_needs_the_key(register: Client) -> None:
    register.put(f"/companies/{USCC}", ENTRY)
    assert register.get(f"/companies/{USCC}", key=None).status_code == 401


def test_entries_from_a_file() -> None:
    app = create_app(KEY, [ENTRY])
    assert app.test_client().get(f"/companies/{USCC}", headers={"X-API-Key": KEY}).json == ENTRY
    with pytest.raises(Invalid, match="district"):
        create_app(KEY, [ENTRY | {"district": None}])
    with pytest.raises(Invalid, match="company-register-data"):
        create_app(KEY, {"companies": [ENTRY]})
