"""A further factor in a living session (F6, DESIGN 5 and 8)."""

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.model import AuditEntry
from idp.factors import sms, ways
from idp.factors.ways import Way
from idp.notify.sms_codes import Asked, SmsCodeInvalid, SmsCodeWrong
from idp.persons.model import Person
from idp.rules.levels import Acr
from idp.sessions import browser_sessions, passwords, sign_in, throttle
from idp.sessions.browser_sessions import SessionOver
from idp.sessions.levels import acr_of_session
from idp.sessions.sign_in import WrongCredentials
from idp.store.db import db, transaction
from tests.factors.sessions import signed_in, start, who
from tests.support import codes, fictional, rows
from tests.support.parallel import all_at_once

PHONE = fictional.mobile()
STEP_UP = Asked("step_up", PHONE, "browser")
HOUR = timedelta(hours=1)


@pytest.fixture
def person_id(app: Flask) -> str:
    return rows.person(real_name_level=3)


def test_a_code_makes_two_factors_of_one(person_id: str) -> None:
    """F6: the same session goes on at L2, under a new secret (DESIGN 8)."""
    old = start(person_id)
    before = who(old)
    assert acr_of_session(before) is Acr.L1
    after = who(sms.step_up(before, STEP_UP, codes.send(STEP_UP)))
    assert browser_sessions.find(old) is None
    assert after.session_id == before.session_id
    assert (after.amr, acr_of_session(after)) == (("pwd", "sms"), Acr.L2)


def test_what_signs_in_by_itself_is_an_authentication(person_id: str) -> None:
    """OpenID Connect Core §2: auth_time is when the person was last authenticated."""
    before = signed_in(person_id, ago=HOUR)
    after = who(sms.step_up(before, STEP_UP, codes.send(STEP_UP)))
    assert after.auth_time - before.auth_time >= HOUR / timedelta(milliseconds=1)


def test_a_code_is_used_once_and_a_wrong_one_is_none(person_id: str) -> None:
    """DESIGN 8."""
    session = signed_in(person_id)
    code = codes.send(STEP_UP)
    with pytest.raises(SmsCodeWrong):
        sms.step_up(session, STEP_UP, codes.wrong(code))
    sms.step_up(session, STEP_UP, code)
    with pytest.raises(SmsCodeInvalid):
        sms.step_up(session, STEP_UP, code)


def test_a_session_that_ended_meanwhile_is_not_raised(person_id: str) -> None:
    session = signed_in(person_id)
    code = codes.send(STEP_UP)
    with transaction() as on:
        browser_sessions.end(on, session.session_id, why="signed_out")
    with pytest.raises(SessionOver):
        sms.step_up(session, STEP_UP, code)


def test_of_two_factors_at_once_neither_is_lost(app: Flask, person_id: str) -> None:
    """Two tabs: one row, so the second reads what the first wrote."""
    session = signed_in(person_id)

    def add(method: str) -> str:
        with transaction() as on:
            return browser_sessions.add_methods(on, session.session_id, (method,), authenticates=True)

    methods = ["sms", "otp", "swk", "user"]
    tokens = all_at_once(app, [partial(add, method) for method in methods])
    [living] = [found for token in tokens if (found := browser_sessions.find(str(token))) is not None]
    assert set(living.amr) == {"pwd", *methods}


def test_only_ways_that_lead_there_are_offered(person_id: str) -> None:
    """F6: a way that does not reach the level is no way."""

    def offered(target: Acr, *amr: str) -> list[Way]:
        return ways.that_lift(db.session(), signed_in(person_id, *amr), target)

    assert offered(Acr.L2, "pwd") == [Way.SMS]
    assert offered(Acr.L3, "pwd") == []
    assert offered(Acr.L2, "sms") == []  # no password is known here, and a second phone code is the same factor


def test_nothing_is_asked_for_without_need(person_id: str) -> None:
    session = signed_in(person_id, "pwd", "sms")
    assert ways.that_lift(db.session(), session, Acr.L2) == []


def test_a_raised_session_stands_in_the_audit(person_id: str) -> None:
    """A4."""
    sms.step_up(signed_in(person_id), STEP_UP, codes.send(STEP_UP))
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "session.raised")).one()
    assert entry.actor_id == person_id
    assert entry.details["amr"] == ["pwd", "sms"]


def test_no_factor_makes_up_for_missing_proof(app: Flask) -> None:
    """DESIGN 5: acr is the lower of proofing and session."""
    session = signed_in(rows.person(real_name_level=2))
    assert ways.that_lift(db.session(), session, Acr.L2) == []
    assert ways.that_strengthen(db.session(), session) == [Way.SMS]


def test_a_number_that_two_accounts_share_proves_neither(app: Flask) -> None:
    """P13: imported accounts may share a phone; only one holds the claim to it."""
    session = signed_in(rows.person(phone_claim=None))
    assert ways.of(db.session(), db.session.get_one(Person, session.subject_id)) == []


def test_the_password_is_a_further_factor_where_sms_was_the_first(app: Flask) -> None:
    """P8, F6; its wrong tries are those of P9."""
    person_id = rows.person(real_name_level=3, password_hash=passwords.hash_password(rows.PASSWORD))
    session = signed_in(person_id, "sms")
    assert ways.that_lift(db.session(), session, Acr.L2) == [Way.PASSWORD]
    with pytest.raises(WrongCredentials) as refused:
        sign_in.add_password(session, "Wrong-1234")
    assert refused.value.facts["left"] == throttle.LIMIT - 1
    after = who(sign_in.add_password(session, rows.PASSWORD))
    assert (after.amr, acr_of_session(after)) == (("sms", "pwd"), Acr.L2)


def test_the_password_step_locks_as_signing_in_does(app: Flask) -> None:
    """P9."""
    session = signed_in(rows.person(password_hash=passwords.hash_password(rows.PASSWORD)), "sms")
    for _ in range(throttle.LIMIT - 1):
        with pytest.raises(WrongCredentials):
            sign_in.add_password(session, "Wrong-1234")
    for _ in range(2):
        with pytest.raises(throttle.TooManyFailures):
            sign_in.add_password(session, rows.PASSWORD if _ else "Wrong-1234")
