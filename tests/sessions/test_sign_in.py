"""Sign-in with a password (P8, P9, U6): by any name of an account, one answer to all that is wrong, one throttle."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from argon2 import extract_parameters
from flask import Flask
from sqlalchemy import select, text

from idp.audit.model import AuditEntry
from idp.persons.model import Person
from idp.sessions import browser_sessions, passwords, sign_in, throttle
from idp.sessions.model import Attempts, BrowserSession
from idp.sessions.sign_in import AccountLocked, Browser, WrongCredentials
from idp.sessions.throttle import TooManyFailures
from idp.store.db import db, release, transaction
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture
from tests.support.parallel import all_at_once

PASSWORD = fictional.password()
WRONG = "Wrong-Owl0000"
BROWSER = Browser("192.0.2.1", "Mozilla/5.0")


def add_person(n: int = 0, **changes: object) -> str:
    return rows.person(n, **({"password_hash": passwords.hash_password(PASSWORD)} | changes))


def add_unit(n: int = 1, **changes: object) -> str:
    return rows.unit(n, **({"password_hash": passwords.hash_password(PASSWORD)} | changes))


def who(token: str) -> str:
    found = browser_sessions.find(token)
    assert found is not None
    return found.subject_id


def left(identifier: str, password: str = WRONG) -> int:
    with pytest.raises(WrongCredentials) as caught:
        sign_in.person(identifier, password, BROWSER)
    return int(caught.value.facts["left"])


@pytest.mark.parametrize(
    "identifier",
    [
        "user_0000",
        " USER_0000 ",
        "13800138000",
        "138 0013 8000",
        "+8613800138000",
        fictional.resident_id(),
        fictional.resident_id().lower(),
    ],
)
def test_a_person_signs_in_by_any_of_their_names(app: Flask, identifier: str) -> None:
    """P8."""
    person_id = add_person()
    assert who(sign_in.person(identifier, PASSWORD, BROWSER)) == person_id


@pytest.mark.parametrize("identifier", ["unit_0001", "UNIT_0001", fictional.uscc(1), fictional.uscc(1).lower()])
def test_a_unit_signs_in_by_name_or_number(app: Flask, identifier: str) -> None:
    """U6."""
    unit_id = add_unit()
    assert who(sign_in.unit(identifier, PASSWORD, BROWSER)) == unit_id


def test_each_tab_knows_its_own_accounts_only(app: Flask) -> None:
    add_person()
    add_unit()
    with pytest.raises(WrongCredentials):
        sign_in.unit("user_0000", PASSWORD, BROWSER)
    with pytest.raises(WrongCredentials):
        sign_in.person("unit_0001", PASSWORD, BROWSER)


def test_the_session_says_how_and_when(app: Flask) -> None:
    """amr is pwd; the audit has the session."""
    person_id = add_person()
    sign_in.person("user_0000", PASSWORD, BROWSER)
    row = db.session.scalars(select(BrowserSession)).one()
    assert (row.subject_id, row.kind, row.amr, row.address) == (person_id, "person", "pwd", "192.0.2.1")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "session.started")).one()
    assert entry.actor_id == person_id


def test_a_login_name_comes_before_a_number_that_looks_like_it(app: Flask) -> None:
    """A passport number can be somebody else's login name: names are unique, so the name's owner is meant."""
    named = add_person(0, login_name="UT0000001")
    add_person(
        1,
        document_type="passport",
        document_number=fictional.passport(1),
        document_lookup=(claim := db_lookup("passport", fictional.passport(1))),
        document_claim=claim,
    )
    assert fictional.passport(1) == "UT0000001"
    assert who(sign_in.person("ut0000001", PASSWORD, BROWSER)) == named


def db_lookup(kind: str, number: str) -> str:
    from idp.store.base import vault  # noqa: PLC0415 - used here only

    return vault().lookup("document", f"{kind}:{number}")


def test_one_number_under_two_kinds_means_the_first_kind(app: Flask) -> None:
    """Eight digits are a Taiwan permit before they are a passport; a chosen passport number shuts nobody out."""
    number = "12345678"
    permit, passport = db_lookup("taiwan_permit", number), db_lookup("passport", number)
    add_person(0, document_number=number, document_type="passport", document_lookup=passport, document_claim=passport)
    holder = add_person(
        1, document_number=number, document_type="taiwan_permit", document_lookup=permit, document_claim=permit
    )
    assert who(sign_in.person(number, PASSWORD, BROWSER)) == holder


def test_wrong_name_and_wrong_password_are_answered_alike(app: Flask) -> None:
    """P9, S0 6.3: the same refusal with the same tries left, try by try, then the same lock."""
    add_person()
    for expected in (4, 3, 2, 1):
        assert left("user_0000") == expected
        assert left("nobody_here") == expected
    for identifier in ("user_0000", "nobody_here"):
        for _ in range(2):
            with pytest.raises(TooManyFailures) as caught:
                sign_in.person(identifier, WRONG, BROWSER)
            assert caught.value.facts == {"minutes": 60}


def test_unknown_names_are_counted_by_hash(app: Flask) -> None:
    """P9: spellings of one number count as one, and what was typed is not kept."""
    assert left("13800138000") == 4
    assert left("+86 138 0013 8000") == 3
    assert left("Nobody") == 4
    assert left(" nobody") == 3
    stored = str(db.session.execute(text("SELECT * FROM attempts")).all())
    assert "nobody" not in stored.lower()
    assert "13800138000" not in stored
    assert re.search("unknown:[0-9a-f]{64}", stored)


def test_all_names_of_an_account_share_its_tries(app: Flask) -> None:
    """P9: five are five, not five for each name."""
    add_person()
    assert [left(each) for each in ("user_0000", "13800138000", fictional.resident_id(), "USER_0000")] == [4, 3, 2, 1]
    with pytest.raises(TooManyFailures):
        sign_in.person("13800138000", WRONG, BROWSER)


def test_the_right_password_is_refused_while_locked_and_taken_after_the_hour(
    app: Flask,
    moved_clock: MovedClock,  # noqa: F811
) -> None:
    """P9."""
    person_id = add_person()
    for _ in range(4):
        left("user_0000")
    with pytest.raises(TooManyFailures):
        sign_in.person("user_0000", WRONG, BROWSER)
    with pytest.raises(TooManyFailures):
        sign_in.person("user_0000", PASSWORD, BROWSER)
    moved_clock.advance(timedelta(minutes=60, seconds=1))
    assert who(sign_in.person("user_0000", PASSWORD, BROWSER)) == person_id


def test_success_ends_the_row_of_failures(app: Flask) -> None:
    """P9: in a row."""
    add_person()
    for _ in range(4):
        left("user_0000")
    sign_in.person("user_0000", PASSWORD, BROWSER)
    assert left("user_0000") == 4


def test_units_have_the_same_lock(app: Flask) -> None:
    """U6 with P9's lock."""
    add_unit()
    for expected in (4, 3, 2, 1):
        with pytest.raises(WrongCredentials) as caught:
            sign_in.unit(fictional.uscc(1), WRONG, BROWSER)
        assert caught.value.facts["left"] == expected
    with pytest.raises(TooManyFailures):
        sign_in.unit("unit_0001", WRONG, BROWSER)


def test_an_account_that_an_administrator_locked(app: Flask) -> None:
    """Only who has the password is told; everybody else gets the common answer."""
    add_person(status="locked")
    assert left("user_0000") == 4
    with pytest.raises(AccountLocked):
        sign_in.person("user_0000", PASSWORD, BROWSER)
    assert db.session.scalars(select(BrowserSession)).all() == []


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Let something happen after the password was looked at, and before the session begins."""
    check = passwords.check

    def and_then(stored: str | None, password: str) -> passwords.Checked:
        checked = check(stored, password)
        happens()
        return checked

    monkeypatch.setattr(passwords, "check", and_then)


def test_an_account_that_is_locked_at_this_very_moment(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session begins, and the try stays counted."""
    person_id = add_person()

    def lock() -> None:
        with transaction() as session:
            session.get_one(Person, person_id).status = "locked"

    meanwhile(monkeypatch, lock)
    with pytest.raises(AccountLocked):
        sign_in.person("user_0000", PASSWORD, BROWSER)
    assert db.session.scalars(select(BrowserSession)).all() == []
    assert db.session.scalars(select(Attempts.failures)).all() == [1]


def test_two_right_passwords_at_once_both_sign_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one ended the row of wrong ones first."""
    person_id = add_person()

    def forget() -> None:
        with transaction() as session:
            throttle.forget(session, f"person:{person_id}")

    meanwhile(monkeypatch, forget)
    assert who(sign_in.person("user_0000", PASSWORD, BROWSER)) == person_id
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "session.started")).all()) == 1


def test_a_cancelled_account_is_no_account(app: Flask) -> None:
    add_person(status="cancelled")
    assert left("user_0000", PASSWORD) == 4


def test_an_account_without_password_is_no_way_in(app: Flask) -> None:
    add_person(password_hash=None)
    for password in ("", "None", PASSWORD):
        with pytest.raises(WrongCredentials):
            sign_in.person("user_0000", password, BROWSER)


def test_accounts_imported_twice_sign_in_by_login_name(app: Flask) -> None:
    """P13: a number that two share stands for neither."""
    first = add_person(0, document_claim=None, phone_claim=None)
    assert who(sign_in.person("user_0000", PASSWORD, BROWSER)) == first
    with pytest.raises(WrongCredentials):
        sign_in.person(fictional.resident_id(), PASSWORD, BROWSER)


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        " ",
        "\0",
        "user_0000\0",
        "a" * 50_000,
        "用户",
        "\u212aelvin",
        "user_0000' OR 1=1 --",
        "%",
        "9" * 5000,
        "\ud7ff\ue000",
    ],
)
def test_hostile_names_are_just_wrong(app: Flask, identifier: str) -> None:
    add_person()
    assert left(identifier, PASSWORD) == 4


def test_a_login_name_is_never_cut_to_one_that_exists(app: Flask) -> None:
    add_person(login_name="a2345678901234567890")
    assert left("a23456789012345678901", PASSWORD) == 4


def test_parallel_guesses_are_looked_at_five_times(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 8: parallel guesses never exceed the limit, whichever name they use."""
    add_person()
    looked_at: list[str] = []
    check = passwords.check

    def watched(stored: str | None, password: str) -> passwords.Checked:
        looked_at.append(password)
        return check(stored, password)

    monkeypatch.setattr(passwords, "check", watched)
    names = ("user_0000", "13800138000", fictional.resident_id())
    guesses = [partial(sign_in.person, names[n % 3], f"Wrong-Owl{n:04}", BROWSER) for n in range(30)]
    results = all_at_once(app, guesses)
    assert len(looked_at) == 5
    lefts = sorted(result.facts["left"] for result in results if isinstance(result, WrongCredentials))
    assert lefts == [1, 2, 3, 4]
    assert sum(isinstance(result, TooManyFailures) for result in results) == 26


def test_a_session_is_renewed_and_the_old_secret_dies(app: Flask) -> None:
    """DESIGN 8: no session fixation; signing in again as oneself ends the session before."""
    add_person()
    first = sign_in.person("user_0000", PASSWORD, BROWSER)
    found = browser_sessions.find(first)
    assert found is not None
    second = sign_in.person("user_0000", PASSWORD, Browser("192.0.2.1", "x", replaces=found.session_id))
    assert second != first
    assert browser_sessions.find(first) is None
    assert browser_sessions.find(second) is not None


def test_a_weaker_hash_is_renewed_on_the_way(make_app: MakeApp, migrated_url: str) -> None:
    with make_app(migrated_url, argon2_time_cost=1).app_context():
        person_id = add_person()
    with make_app(migrated_url, argon2_time_cost=2).app_context():
        sign_in.person("user_0000", PASSWORD, BROWSER)
        stored = db.session.get_one(Person, person_id).password_hash
        assert stored is not None
        assert extract_parameters(stored).time_cost == 2
        sign_in.person("user_0000", PASSWORD, BROWSER)


def test_refusals_are_audited_without_what_was_typed(app: Flask) -> None:
    person_id = add_person()
    left("user_0000")
    left("nobody_here")
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "sign_in.refused")).all()
    assert [(entry.subject_id, entry.outcome) for entry in entries] == [(person_id, "failed"), (None, "failed")]
    assert "nobody_here" not in str([entry.details for entry in entries])


def milliseconds(identifier: str) -> float:
    """Return the processor time of a refusal that is the first for this name: a busy machine does not change it."""
    with transaction() as session:
        for row in session.scalars(select(Attempts)):
            session.delete(row)
    release()
    begun = time.thread_time()
    with pytest.raises(WrongCredentials):
        sign_in.person(identifier, WRONG, BROWSER)
    return (time.thread_time() - begun) * 1000


def test_unknown_names_cost_the_same_time(make_app: MakeApp, migrated_postgres_url: str) -> None:
    """P9: wrong name and wrong password cost the same time, under the settings of production.

    Measured in turns; the median of many is compared.
    """
    with make_app(migrated_postgres_url, argon2_memory_kib=19456, argon2_time_cost=2).app_context():
        add_person()
        pairs = [(milliseconds("user_0000"), milliseconds("nobody_here")) for _ in range(15)]
    known, unknown = (sorted(column)[7] for column in zip(*pairs, strict=True))
    assert known > 5
    assert 0.6 < unknown / known < 1.6
