"""The store of consents: by subject, client and unit; asked only for what is new; taken back (DESIGN 4)."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit.model import AuditEntry
from idp.clients import consents
from idp.clients.model import Consent
from idp.errors import NotFound
from idp.sessions import agreements
from idp.store.db import db, transaction
from tests.support import rows
from tests.support.parallel import all_at_once


def give(subject_id: str, unit_id: str | None, *scopes: str, client_id: str = "portal") -> None:
    with transaction() as session:
        consents.give(session, subject_id=subject_id, client_id=client_id, unit_id=unit_id, scopes=scopes)


def missing(subject_id: str, unit_id: str | None, *scopes: str, client_id: str = "portal") -> tuple[str, ...]:
    return consents.missing(db.session(), subject_id=subject_id, client_id=client_id, unit_id=unit_id, scopes=scopes)


def test_only_what_is_new_is_asked_for_in_its_order(app: Flask) -> None:
    rows.client()
    assert missing("p_1", None, "openid", "profile") == ("openid", "profile")
    give("p_1", None, "openid", "profile")
    assert missing("p_1", None, "phone", "profile", "rec.position") == ("phone", "rec.position")


def test_a_consent_says_nothing_about_another_person_client_or_unit(app: Flask) -> None:
    rows.client()
    rows.client("other")
    give("p_1", "u_1", "openid")
    assert missing("p_1", "u_1", "openid") == ()
    assert missing("p_1", None, "openid") == ("openid",)
    assert missing("p_1", "u_2", "openid") == ("openid",)
    assert missing("p_2", "u_1", "openid") == ("openid",)
    assert missing("p_1", "u_1", "openid", client_id="other") == ("openid",)


def test_what_is_given_is_added(app: Flask) -> None:
    rows.client()
    give("p_1", None, "openid")
    give("p_1", None, "profile")
    assert missing("p_1", None, "openid", "profile") == ()
    assert db.session.scalar(select(func.count()).select_from(Consent)) == 1


def test_two_tabs_at_once_lose_nothing(app: Flask) -> None:
    rows.client()
    scopes = [f"s{n}" for n in range(6)]
    works = [lambda scope=scope: give("p_1", None, scope) for scope in scopes]
    assert all_at_once(app, works) == [None] * len(scopes)
    assert missing("p_1", None, *scopes) == ()


def test_consent_and_its_withdrawal_stand_in_the_audit(app: Flask) -> None:
    # A4
    rows.client()
    person_id = rows.person()
    give(person_id, None, "openid")
    [agreement] = agreements.of(db.session(), person_id)
    agreements.withdraw(person_id, agreement.id)
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries if entry.actor_id == person_id] == ["consent.given", "consent.withdrawn"]


def test_taking_back_logs_that_portal_out_for_that_unit(app: Flask) -> None:
    rows.client()
    rows.client("other")
    person_id, unit_id = rows.person(), rows.unit()
    give(person_id, unit_id, "openid", "rec.position")
    give(person_id, None, "openid")
    for_unit = rows.at_portal(person_id, unit_id, "rec.position")
    for_myself = rows.at_portal(person_id, None)
    elsewhere = rows.at_portal(person_id, unit_id, client_id="other")
    agreement = next(each for each in agreements.of(db.session(), person_id) if each.unit_id == unit_id)
    assert agreement.scopes == ("openid", "rec.position")
    agreements.withdraw(person_id, agreement.id)
    assert [rows.is_alive(each) for each in (for_unit, for_myself, elsewhere)] == [False, True, True]
    assert missing(person_id, unit_id, "openid") == ("openid",)
    assert missing(person_id, None, "openid") == ()


def test_nobody_takes_back_what_another_gave(app: Flask) -> None:
    rows.client()
    mine, theirs = rows.person(0), rows.person(1)
    give(theirs, None, "openid")
    [agreement] = agreements.of(db.session(), theirs)
    with pytest.raises(NotFound):
        agreements.withdraw(mine, agreement.id)
    assert agreements.of(db.session(), mine) == []
    assert missing(theirs, None, "openid") == ()
