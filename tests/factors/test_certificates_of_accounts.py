"""The digital certificates of an account (F6, U6): a further factor, added, removed, revoked; what ends so."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from structlog.testing import capture_logs

from idp.audit.model import AuditEntry
from idp.factors import ways
from idp.factors.certificates import accounts, errors, revocation, sessions
from idp.factors.certificates.challenges import Asked, Purpose
from idp.factors.certificates.subject import (
    IDENTITY_CODE,
)
from idp.factors.errors import FactorGone, FreshLoginNeeded, LastWayIn, SecondFactorNeeded
from idp.persons.model import Person
from idp.rules.levels import Acr
from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.levels import acr_of_session
from idp.store.db import db, release
from tests.factors.certifying import ASKED, HERE, UNIT, Text, app, person_id, prove, sign_in
from tests.factors.sessions import signed_in, who
from tests.support import codes, fictional, rows
from tests.support.authorities import RunningAuthority

__all__ = ["app", "person_id"]


# A further factor, adding and removing


def test_a_further_factor(ca: RunningAuthority, person_id: str) -> None:
    """F6: `pwd` and a certificate are L3, under a new secret."""
    token = ca.person()
    sign_in(token)
    session = signed_in(person_id, ago=timedelta(hours=1))
    assert ways.Way.CERTIFICATE in ways.that_lift(db.session(), session, Acr.L3)
    asked = Asked(Purpose.STEP_UP, HERE, owner_id=person_id)
    after = who(accounts.step_up(session, prove(token, asked)))
    assert (after.session_id, after.amr, acr_of_session(after)) == (session.session_id, ("pwd", "pop"), Acr.L3)
    assert after.auth_time > session.auth_time


def test_anothers_certificate_is_no_factor_here(ca: RunningAuthority, person_id: str) -> None:
    rows.person(1)
    theirs = ca.person(name=fictional.person_name(1), places={IDENTITY_CODE: Text(fictional.resident_id(1))})
    with pytest.raises(errors.CertificateOfAnother):
        accounts.step_up(signed_in(person_id), prove(theirs))
    with pytest.raises(errors.CertificateOfAnother):
        accounts.enrol(signed_in(person_id, "pwd", "sms"), prove(theirs))
    assert accounts.of_account(person_id) == []


def test_adding_takes_a_fresh_and_strong_login(ca: RunningAuthority, person_id: str) -> None:
    """NIST SP 800-63B-4 §4.1.2."""
    proven = prove(ca.person())
    with pytest.raises(FreshLoginNeeded):
        accounts.enrol(signed_in(person_id, "pwd", "sms", ago=timedelta(minutes=6)), proven)
    with pytest.raises(SecondFactorNeeded):
        accounts.enrol(signed_in(person_id), proven)
    accounts.enrol(signed_in(person_id, "pwd", "sms"), proven)
    assert len(accounts.of_account(person_id)) == 1


def test_removed_stays_removed_until_it_is_added_again(ca: RunningAuthority, person_id: str) -> None:
    token = ca.person()
    sign_in(token)
    [owned] = accounts.of_account(person_id)
    with pytest.raises(FactorGone):
        accounts.remove(signed_in(rows.person(1)), owned.id)
    with pytest.raises(FreshLoginNeeded):
        accounts.remove(signed_in(person_id, ago=timedelta(minutes=6)), owned.id)
    accounts.remove(signed_in(person_id), owned.id)
    assert ways.Way.CERTIFICATE not in ways.of(db.session(), db.session.get_one(Person, person_id))
    with pytest.raises(errors.CertificateRemoved):
        sign_in(token)
    accounts.enrol(signed_in(person_id, "pwd", "sms"), prove(token))
    assert sign_in(token).subject_id == person_id
    told = codes.changes_told(fictional.mobile())
    assert told == ["certificate_added", "certificate_removed", "certificate_added"]


def test_the_last_way_in_stays(ca: RunningAuthority, app: Flask) -> None:
    person_id = rows.person(phone_claim=None)
    unit_id = rows.unit(trust_level=1)
    for session in (sign_in(ca.person()), sign_in(ca.unit(), UNIT)):
        [owned] = accounts.of_account(session.subject_id)
        with pytest.raises(LastWayIn):
            accounts.remove(session, owned.id)
    assert (len(accounts.of_account(person_id)), len(accounts.of_account(unit_id))) == (1, 1)


def test_there_is_an_end_to_them(ca: RunningAuthority, person_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST", 1)
    sign_in(ca.person())
    with pytest.raises(errors.TooManyCertificates):
        sign_in(ca.person())


# What rests on it


def lives(session: SignedIn) -> bool:
    release()
    return browser_sessions.lives(db.session(), session.session_id)


def test_a_revoked_certificate_ends_its_sessions(ca: RunningAuthority, person_id: str) -> None:
    """U13: those that it opened and those that it raised, when the worker looks; others of the account go on."""
    token, other, asked = ca.person(), ca.person(), replace(ASKED, purpose=Purpose.STEP_UP)
    opened, by_another, by_password = sign_in(token), sign_in(other), signed_in(person_id)
    raised = who(accounts.step_up(signed_in(person_id), prove(token, asked)))
    all_of_them = (opened, raised, by_another, by_password)
    sessions.end_of_revoked()
    assert [lives(each) for each in all_of_them] == [True] * 4
    ca.authority.revoke(token.certificate.serial_number)
    revocation.forget()
    sessions.end_of_revoked()
    assert [lives(each) for each in all_of_them] == [False, False, True, True]
    entry = db.session.query(AuditEntry).filter_by(action="certificate.revoked").one()
    assert entry.subject_id == person_id
    sessions.end_of_revoked()
    assert db.session.query(AuditEntry).filter_by(action="certificate.revoked").count() == 1


def test_who_cannot_ask_ends_nothing(ca: RunningAuthority, person_id: str) -> None:
    """Sessions are not the price of an authority's bad hour; it is waited for once, not for each certificate."""
    found = [sign_in(ca.person()), sign_in(ca.person())]
    revocation.forget()
    ca.fault("down")
    with capture_logs() as logs:
        sessions.end_of_revoked()
    assert [each["event"] for each in logs] == ["certificate.revocation_unknown"]
    assert [lives(each) for each in found] == [True, True]


def test_a_removed_certificate_ends_its_sessions(ca: RunningAuthority, person_id: str) -> None:
    found, by_password = sign_in(ca.person()), signed_in(person_id)
    [owned] = accounts.of_account(person_id)
    accounts.remove(found, owned.id)
    assert (lives(found), lives(by_password)) == (False, True)


def test_the_chain_that_is_kept_is_encrypted(ca: RunningAuthority, person_id: str) -> None:
    sign_in(ca.person())
    stored = db.session.execute(text("SELECT chain FROM certificate")).scalar_one()
    assert b"CERTIFICATE" not in bytes(stored)


def test_what_becomes_of_a_units_is_told_to_its_contact(ca: RunningAuthority, app: Flask) -> None:
    """It has no phone of its own: the common contact gets the SMS, not the other agents."""
    unit_id = rows.unit(trust_level=1, password_hash="x")
    rows.binding(unit_id, rows.person(2))
    rows.binding(unit_id, rows.person(3), kind="common_contact")
    found = sign_in(ca.unit(), UNIT)
    [owned] = accounts.of_account(unit_id)
    accounts.remove(found, owned.id)
    assert codes.changes_told(fictional.mobile(3)) == ["certificate_added", "certificate_removed"]
    assert codes.changes_told(fictional.mobile(2)) == []
    entries = db.session.query(AuditEntry).filter(AuditEntry.action.startswith("factor.certificate")).all()
    assert [(entry.unit_id, entry.details["told"]) for entry in entries] == [(unit_id, 1)] * 2
