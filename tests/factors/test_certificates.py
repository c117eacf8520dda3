"""Digital certificates (P8, U6): who their holder is, and whose account that is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from flask import Flask
from sqlalchemy import select, text

from idp.factors.certificates import accounts, errors
from idp.factors.certificates.subject import (
    IDENTITY_CODE,
    ORGANISATION_CODE,
    PASSPORT_NUMBER,
    RESIDENT_NUMBER,
    SOCIAL_CREDIT_CODE,
)
from idp.persons.model import AccountStatus, Person, PersonProofing
from idp.rules.levels import Acr
from idp.sessions import throttle
from idp.sessions.freshness import FRESH_FOR
from idp.sessions.levels import acr_of_session
from idp.sessions.sign_in import AccountLocked
from idp.store.db import db, transaction
from tests.factors.certifying import PERSON, UNIT, Text, app, person_id, refused, sign_in
from tests.factors.sessions import signed_in, who
from tests.support import certificates, codes, fictional, rows
from tests.support.authorities import RunningAuthority

__all__ = ["app", "person_id"]


# Who it is


def test_the_first_use_adds_it_and_tells(ca: RunningAuthority, person_id: str) -> None:
    """P8: an equal number, where somebody checked it and the name, is enough; 三级实名 by certificate (DESIGN 5)."""
    token = ca.person()
    found = sign_in(token)
    assert (found.kind, found.subject_id, found.amr, acr_of_session(found)) == (PERSON, person_id, ("pop",), Acr.L3)
    [owned] = accounts.of_account(person_id)
    assert owned.serial == f"{token.certificate.serial_number:x}"
    assert codes.changes_told(fictional.mobile()) == ["certificate_added"]
    person = db.session.get_one(Person, person_id, populate_existing=True)
    assert person.real_name_level == 3
    sign_in(token)
    assert len(accounts.of_account(person_id)) == 1
    assert db.session.scalars(select(PersonProofing.method)).all() == ["certificate"]
    assert codes.changes_told(fictional.mobile()) == ["certificate_added"]


def test_a_unit_signs_in(ca: RunningAuthority, app: Flask) -> None:
    """U6; the certificate stands for L3 in this session and leaves the unit's own level as it is (F2)."""
    unit_id = rows.unit(trust_level=1)
    found = sign_in(ca.unit(), UNIT)
    assert (found.kind, found.subject_id, acr_of_session(found)) == (UNIT, unit_id, Acr.L3)
    by_password = replace(found, amr=("pwd",), trust_level=1)
    assert acr_of_session(by_password) == Acr.L1
    assert db.session.execute(text("SELECT trust_level FROM unit")).scalar() == 1


def test_the_authority_says_what_is_hardware(ca: RunningAuthority, person_id: str) -> None:
    """RFC 8176 §2: `sc` only where the certificate was issued under a policy that the settings name."""
    assert sign_in(ca.person(policies=["1.2.3.4"])).amr == ("pop",)
    assert sign_in(ca.person(policies=["1.2.3.4", certificates.HARDWARE])).amr == ("sc",)
    assert [each.in_hardware for each in accounts.of_account(person_id)] == [False, True]


NUMBER = fictional.resident_id()


@pytest.mark.parametrize(
    "places",
    [
        {IDENTITY_CODE: Text(NUMBER)},
        {IDENTITY_CODE: Text(NUMBER, 0x0C)},
        {IDENTITY_CODE: Text(NUMBER.lower(), 0x16)},
        {IDENTITY_CODE: b"\x31\x14\x80\x12" + NUMBER.encode()},  # SET { residenterCardNumber [0] IMPLICIT }
        {IDENTITY_CODE: b"\x31\x16\xa0\x14" + Text(NUMBER)},  # … EXPLICIT
        {RESIDENT_NUMBER: Text(NUMBER)},
        {IDENTITY_CODE: Text(NUMBER), RESIDENT_NUMBER: Text(NUMBER)},
    ],
)
def test_where_authorities_put_a_persons_number(
    ca: RunningAuthority, person_id: str, places: dict[x509.ObjectIdentifier, bytes]
) -> None:
    """GM/T 0015."""
    assert sign_in(ca.person(places=places)).subject_id == person_id


@pytest.mark.parametrize("place", [ORGANISATION_CODE, SOCIAL_CREDIT_CODE])
def test_where_authorities_put_a_units_number(ca: RunningAuthority, app: Flask, place: x509.ObjectIdentifier) -> None:
    unit_id = rows.unit(trust_level=1)
    assert sign_in(ca.unit(places={place: Text(fictional.uscc(1))}), UNIT).subject_id == unit_id


def test_a_passport(ca: RunningAuthority, app: Flask) -> None:
    """P5."""
    lookup = accounts_lookup("passport", "E12345678")
    person_id = rows.person(document_type="passport", document_lookup=lookup, document_claim=lookup)
    for places in ({PASSPORT_NUMBER: Text("E12345678")}, {IDENTITY_CODE: b"\x31\x0b\x82\x09E12345678"}):
        assert sign_in(ca.person(places=places)).subject_id == person_id


def accounts_lookup(kind: str, number: str) -> str:
    from idp.store.base import vault  # noqa: PLC0415

    return vault().lookup("document", f"{kind}:{number}")


@pytest.mark.parametrize(
    "changes",
    [
        {"places": {}},
        {"places": {IDENTITY_CODE: Text("440106188001010011")}},  # check digit
        {"places": {IDENTITY_CODE: b""}},
        {"places": {IDENTITY_CODE: b"\x13\x82\x00\x01a"}},
        {"places": {IDENTITY_CODE: b"\x13\x05abc"}},
        {"places": {IDENTITY_CODE: b"\x0c\x02\xff\xfe"}},
        {"places": {IDENTITY_CODE: b"\x02\x01\x05"}},
        {"places": {IDENTITY_CODE: b"\x31\x08\x31\x06\x31\x04\x31\x02\x31\x00"}},
        {"places": {IDENTITY_CODE: Text(NUMBER), ORGANISATION_CODE: Text(fictional.uscc(1))}},  # a member of a unit
        {"places": {IDENTITY_CODE: Text(NUMBER), RESIDENT_NUMBER: Text(fictional.resident_id(1))}},
        {"places": {ORGANISATION_CODE: Text("914400000000000000")}},
        {"name": ""},
        {"name": "  "},
    ],
)
def test_a_subject_that_says_nobody(ca: RunningAuthority, person_id: str, changes: dict[str, Any]) -> None:
    refused(ca.person(**changes), errors.SubjectMissing)


# Whose account it is


def test_nobody_with_this_number(ca: RunningAuthority, app: Flask) -> None:
    refused(ca.person(), errors.HolderUnknown)
    rows.person(status=AccountStatus.CANCELLED)
    refused(ca.person(), errors.HolderUnknown)


def test_an_account_that_proved_nothing_is_not_taken_over(ca: RunningAuthority, app: Flask) -> None:
    """DESIGN 6: somebody may have registered the number first. Who can sign in to it adds the certificate."""
    person_id = rows.person(real_name_level=1, full_name="别人")
    refused(ca.person(), errors.ControlUnproven)
    stale = signed_in(person_id, ago=FRESH_FOR + timedelta(milliseconds=1))
    with pytest.raises(errors.ControlUnproven):
        sign_in(ca.person(), here=stale)
    with pytest.raises(errors.ControlUnproven):
        sign_in(ca.person(), here=signed_in(rows.person(1)))
    found = sign_in(ca.person(), here=signed_in(person_id))
    assert found.subject_id == person_id
    person = db.session.get_one(Person, person_id, populate_existing=True)
    assert (person.full_name, person.real_name_level) == (fictional.person_name(), 3)


def test_a_unit_that_nobody_checked(ca: RunningAuthority, app: Flask) -> None:
    unit_id = rows.unit()
    with pytest.raises(errors.ControlUnproven):
        sign_in(ca.unit(), UNIT)
    here = who(rows.signed_in(unit_id, UNIT))
    assert sign_in(ca.unit(), UNIT, here).subject_id == unit_id


def test_another_name(ca: RunningAuthority, person_id: str) -> None:
    refused(ca.person(name="别人"), errors.NameDiffers)
    rows.unit(trust_level=2)
    with pytest.raises(errors.NameDiffers):
        sign_in(ca.unit(organisation="别的单位"), UNIT)


def test_two_accounts_of_one_person(ca: RunningAuthority, person_id: str) -> None:
    """P13."""
    rows.person(login_name="second", document_claim=None, phone_claim=None)
    refused(ca.person(), errors.SeveralAccounts)


def test_the_other_tab(ca: RunningAuthority, person_id: str) -> None:
    with pytest.raises(errors.KindWrong):
        sign_in(ca.person(), UNIT)
    rows.unit(trust_level=1)
    with pytest.raises(errors.KindWrong):
        sign_in(ca.unit(), PERSON)


def test_a_locked_account_stays_so(ca: RunningAuthority, person_id: str) -> None:
    """P9, and an administrator's lock."""
    for _ in range(throttle.LIMIT):
        throttle.count(f"person:{person_id}")
    with pytest.raises(throttle.TooManyFailures):
        sign_in(ca.person())
    rows.person(1, status=AccountStatus.LOCKED)
    places = {IDENTITY_CODE: Text(fictional.resident_id(1))}
    with pytest.raises(AccountLocked):
        sign_in(ca.person(name=fictional.person_name(1), places=places))


def test_a_number_that_went_to_a_new_account_takes_its_certificate_along(ca: RunningAuthority, person_id: str) -> None:
    token = ca.person()
    sign_in(token)
    with transaction() as session:
        person = session.get_one(Person, person_id)
        person.status, person.document_claim, person.phone_claim = AccountStatus.CANCELLED, None, None
    fresh = rows.person(login_name="begun_anew")
    assert sign_in(token).subject_id == fresh
