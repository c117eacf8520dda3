"""Passkeys (WebAuthn Level 3): what a right answer does, and that no other one does anything."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.factors import challenges, passkeys
from idp.factors.errors import FactorGone, LastWayIn, PasskeyKnown, PasskeyRefused, TooManyPasskeys
from idp.factors.model import Passkey
from idp.persons.model import AccountStatus, Person
from idp.rules.levels import Acr
from idp.sessions import throttle
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.levels import acr_of_session
from idp.sessions.sign_in import AccountLocked
from idp.store.db import db, release, transaction
from tests.factors.authenticator import PRESENT, Authenticator
from tests.factors.sessions import BROWSER, signed_in, who
from tests.support import codes, fictional, rows
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture
from tests.support.parallel import all_at_once

HERE = "browser"


def strong(person_id: str) -> SignedIn:
    return signed_in(person_id, "pwd", "sms")


def enrol(person_id: str, authenticator: Authenticator | None = None, name: str = "办公室电脑") -> Authenticator:
    """Enrol a passkey for this person and return what holds it."""
    authenticator = authenticator or Authenticator()
    session = strong(person_id)
    options = passkeys.begin_enrolment(session, HERE, site="site")
    passkeys.enrol(session, HERE, authenticator.create(options), name)
    return authenticator


def sign_in(authenticator: Authenticator) -> SignedIn:
    return who(passkeys.sign_in_by_passkey(HERE, authenticator.get(passkeys.begin_sign_in(HERE)), BROWSER))


@pytest.fixture
def person_id(app: Flask) -> str:
    return rows.person(real_name_level=3)


def test_enrolled_and_told(person_id: str) -> None:
    enrol(person_id)
    [owned] = passkeys.of(db.session(), person_id)
    assert owned.name == "办公室电脑"
    assert codes.changes_told(fictional.mobile()) == ["passkey_added"]


def test_what_a_new_passkey_must_be(person_on_sqlite: str) -> None:
    """Discoverable, the user verified, for our host, and none that is there already; the handle tells no name."""
    known = enrol(person_on_sqlite)
    asked = json.loads(passkeys.begin_enrolment(strong(person_on_sqlite), HERE, site="site"))
    assert asked["rp"] == {"name": "site", "id": "localhost"}
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert [each["id"] for each in asked["excludeCredentials"]] == [json.loads(known.get('{"challenge": ""}'))["id"]]
    assert fictional.person_name() not in json.dumps(asked, ensure_ascii=False)


def test_sign_in_without_a_name(person_id: str) -> None:
    """P8; L2 by itself, since the authenticator verified its user (DESIGN 5)."""
    found = sign_in(enrol(person_id))
    assert (found.subject_id, found.amr, acr_of_session(found)) == (person_id, ("swk", "user"), Acr.L2)


def test_a_further_factor(person_id: str) -> None:
    """F6."""
    authenticator = enrol(person_id)
    session = signed_in(person_id, ago=timedelta(hours=1))
    options = passkeys.begin_step_up(session, HERE)
    after = who(passkeys.step_up(session, HERE, authenticator.get(options)))
    assert (after.session_id, acr_of_session(after)) == (session.session_id, Acr.L2)
    assert after.auth_time > session.auth_time


def test_an_answer_is_taken_once(person_id: str) -> None:
    """WebAuthn §13.4.3: a challenge is for one use."""
    answer = enrol(person_id).get(passkeys.begin_sign_in(HERE))
    passkeys.sign_in_by_passkey(HERE, answer, BROWSER)
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in_by_passkey(HERE, answer, BROWSER)


def test_of_parallel_requests_with_one_answer_one_gets_through(app: Flask, person_id: str) -> None:
    answer = enrol(person_id).get(passkeys.begin_sign_in(HERE))
    results = all_at_once(app, [partial(passkeys.sign_in_by_passkey, HERE, answer, BROWSER)] * 4)
    assert sum(isinstance(result, str) for result in results) == 1


def test_a_challenge_is_bound_to_its_browser(person_on_sqlite: str) -> None:
    answer = enrol(person_on_sqlite).get(passkeys.begin_sign_in("another"))
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in_by_passkey(HERE, answer, BROWSER)


def test_a_challenge_is_for_one_purpose(person_on_sqlite: str) -> None:
    authenticator, session = enrol(person_on_sqlite), signed_in(person_on_sqlite)
    with pytest.raises(PasskeyRefused):
        passkeys.step_up(session, HERE, authenticator.get(passkeys.begin_sign_in(HERE)))
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in_by_passkey(HERE, authenticator.get(passkeys.begin_step_up(session, HERE)), BROWSER)


def test_a_challenge_expires(person_on_sqlite: str, moved_clock: MovedClock) -> None:  # noqa: F811
    answer = enrol(person_on_sqlite).get(passkeys.begin_sign_in(HERE))
    moved_clock.advance(challenges.LIFETIME + timedelta(seconds=1))
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in_by_passkey(HERE, answer, BROWSER)


def test_a_challenge_that_was_never_given_is_refused(person_on_sqlite: str) -> None:
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in_by_passkey(HERE, enrol(person_on_sqlite).get('{"challenge": "bm9uZQ"}'), BROWSER)


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://phishing.example"},
        {"origin": "http://localhost:8001"},
        {"rp_id": "phishing.example"},
        {"flags": PRESENT},  # the user was not verified
        {"flags": 0},
        {"user_handle": "cF9zb21lYm9keV9lbHNl"},
        {"user_handle": None},
        {"credential_id": b"unknown"},
        {"key": Authenticator().key},
    ],
)
def test_an_answer_that_does_not_hold_signs_nobody_in(person_on_sqlite: str, changes: dict[str, Any]) -> None:
    """WebAuthn §7.2."""
    authenticator = enrol(person_on_sqlite)
    for name, value in changes.items():
        setattr(authenticator, name, value)
    with pytest.raises(PasskeyRefused):
        sign_in(authenticator)


@pytest.mark.parametrize("changes", [{"origin": "https://phishing.example"}, {"rp_id": "x"}, {"flags": PRESENT}])
def test_an_answer_that_does_not_hold_enrols_nothing(person_on_sqlite: str, changes: dict[str, Any]) -> None:
    """WebAuthn §7.1."""
    with pytest.raises(PasskeyRefused):
        enrol(person_on_sqlite, Authenticator(**changes))
    assert passkeys.of(db.session(), person_on_sqlite) == []


@pytest.mark.parametrize(
    "sent",
    [
        *("", "null", "[]", "{}", "[" * 20_000, '{"response": 1}', '{"response": {"clientDataJSON": "e30"}}'),
        '{"id": "a", "response": {"clientDataJSON": "%%"}}',
        '{"id": "é", "response": {"clientDataJSON": "bnVsbA"}}',
    ],
)
def test_what_is_no_answer_is_refused(person_on_sqlite: str, sent: str) -> None:
    session = strong(person_on_sqlite)
    for take in (
        lambda: passkeys.enrol(session, HERE, sent, "x"),
        lambda: passkeys.step_up(session, HERE, sent),
        lambda: passkeys.sign_in_by_passkey(HERE, sent, BROWSER),
    ):
        with pytest.raises(PasskeyRefused):
            take()


def test_a_counter_that_does_not_grow_is_a_copy(person_id: str) -> None:
    """WebAuthn §7.2 step 22."""
    authenticator = enrol(person_id, Authenticator(counts=True))
    sign_in(authenticator)
    sign_in(authenticator)
    authenticator.sign_count = 0
    with pytest.raises(PasskeyRefused):
        sign_in(authenticator)
    release()
    assert db.session.scalars(select(Passkey.sign_count)).one() == 2


def test_a_passkey_of_another_is_no_factor_here(person_on_sqlite: str) -> None:
    theirs = enrol(rows.person(1))
    enrol(person_on_sqlite)
    session = signed_in(person_on_sqlite)
    with pytest.raises(PasskeyRefused):
        passkeys.step_up(session, HERE, theirs.get(passkeys.begin_step_up(session, HERE)))


def test_one_credential_is_one_persons(person_id: str) -> None:
    """WebAuthn §7.1 step 26: a credential id that is known is not taken for another account."""
    authenticator = enrol(person_id)
    with pytest.raises(PasskeyKnown):
        enrol(rows.person(1), authenticator)


def test_an_account_that_is_locked_stays_so(person_id: str) -> None:
    """P9, and an administrator's lock."""
    authenticator, other_id = enrol(person_id), rows.person(1)
    others = enrol(other_id)
    for _ in range(throttle.LIMIT):
        throttle.count(f"person:{person_id}")
    with pytest.raises(throttle.TooManyFailures):
        sign_in(authenticator)
    with transaction() as session:
        session.get_one(Person, other_id).status = AccountStatus.LOCKED
    with pytest.raises(AccountLocked):
        sign_in(others)


def test_there_is_an_end_to_them(person_on_sqlite: str) -> None:
    for _ in range(passkeys.MOST):
        enrol(person_on_sqlite)
    with pytest.raises(TooManyPasskeys):
        enrol(person_on_sqlite)


def test_removed_and_told(person_id: str) -> None:
    authenticator = enrol(person_id)
    [owned] = passkeys.of(db.session(), person_id)
    passkeys.remove(strong(person_id), owned.id)
    assert codes.changes_told(fictional.mobile()) == ["passkey_added", "passkey_removed"]
    with pytest.raises(PasskeyRefused):
        sign_in(authenticator)
    with pytest.raises(FactorGone):
        passkeys.remove(strong(person_id), owned.id)


def test_nobody_removes_anothers(person_on_sqlite: str) -> None:
    enrol(person_on_sqlite)
    [owned] = passkeys.of(db.session(), person_on_sqlite)
    with pytest.raises(FactorGone):
        passkeys.remove(strong(rows.person(1)), owned.id)


def test_the_last_way_in_stays(app: Flask) -> None:
    """No password, and a phone that another account holds (P13): the passkey is all there is."""
    person_id = rows.person(phone_claim=None)
    enrol(person_id)
    enrol(person_id)
    first, last = passkeys.of(db.session(), person_id)
    passkeys.remove(strong(person_id), first.id)
    with pytest.raises(LastWayIn):
        passkeys.remove(strong(person_id), last.id)
    assert [each.id for each in passkeys.of(db.session(), person_id)] == [last.id]
