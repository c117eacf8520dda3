"""Self-registration (P1–P5): one transaction, every refusal at its field, and no document registered twice."""

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from idp import clock
from idp.audit.model import AuditEntry
from idp.notify.sms_codes import Proof, SmsCodeInvalid
from idp.persons import registration
from idp.persons.errors import DocumentTaken, PersonDataRefused, PhoneTaken
from idp.persons.login_names import LoginNameTaken
from idp.persons.model import LoginName, Person, PersonProofing
from idp.persons.registration import SMS_PURPOSE, NewPerson, Typed
from idp.rules.documents import PersonDocument
from idp.rules.documents.check_digits import mod_11_2
from idp.rules.passwords import PasswordPolicy
from idp.store.db import db
from tests.support import codes, fictional, rows
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture
from tests.support.parallel import all_at_once

POLICY = PasswordPolicy()
HASH = "$argon2id$not-looked-at-here"
MANY = 16


def typed(n: int = 0, **changes: object) -> Typed:
    values: dict[str, object] = {
        "document_type": PersonDocument.RESIDENT_ID,
        "document_number": fictional.resident_id(n),
        "full_name": fictional.person_name(n),
        "phone": fictional.mobile(n),
        "login_name": fictional.login_name(n),
        "password": fictional.password(n),
    }
    return Typed(**(values | changes))  # type: ignore[arg-type]


def new(n: int = 0, **changes: object) -> NewPerson:
    return registration.check(typed(n, **changes), POLICY)


def proof(n: int = 0) -> Proof:
    return codes.proof(SMS_PURPOSE, fictional.mobile(n))


def register(n: int = 0, **changes: object) -> str:
    return registration.register(new(n, **changes), HASH, proof(n))


def refused(n: int, **changes: object) -> tuple[type[Exception], ...]:
    with pytest.raises(PersonDataRefused) as caught:
        register(n, **changes)
    return tuple(type(error) for error in caught.value.errors)


def test_a_person_is_registered_at_level_one(app: Flask) -> None:
    """P1: person at 一级实名, with how it was proven, the login name, and the audit."""
    person_id = register()
    person = db.session.get_one(Person, person_id)
    assert (person.real_name_level, person.status) == (1, "active")
    assert person.full_name == fictional.person_name()
    proofing = db.session.scalars(select(PersonProofing)).one()
    assert (proofing.person_id, proofing.method, proofing.level) == (person_id, "registration", 1)
    name = db.session.get_one(LoginName, fictional.login_name())
    assert (name.kind, name.owner_id) == ("person", person_id)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.registered")).one()
    assert (entry.actor_id, entry.subject_id) == (person_id, person_id)
    assert "440106" not in str(entry.details)


def test_personal_data_is_not_readable_in_the_database(app: Flask) -> None:
    """DESIGN 7: names, document numbers and phones are encrypted; they are found by keyed hash."""
    register()
    row = str(db.session.execute(text("SELECT * FROM person")).one())
    for private in (fictional.resident_id(), fictional.mobile(), "13800138000", fictional.person_name()):
        assert private not in row


def test_everything_wrong_is_told_at_once(app: Flask) -> None:
    """P2, P3, P5: the form shows every field that cannot be taken."""
    wrong = typed(document_number="440106188001010011", full_name="1", phone="123", login_name="1a", password="short")
    with pytest.raises(PersonDataRefused) as caught:
        registration.check(wrong, POLICY)
    fields = {error.field for error in caught.value.errors}
    assert fields == {"document_number", "full_name", "phone", "login_name", "password"}


@pytest.mark.parametrize("own", [fictional.login_name(), fictional.mobile()[3:], fictional.resident_id()])
def test_a_password_holds_none_of_ones_own_data(app: Flask, own: str) -> None:
    """P3."""
    with pytest.raises(PersonDataRefused):
        new(password=f"Xy{own}9")


def test_a_document_that_has_an_account_is_taken(app: Flask) -> None:
    """P4: also when the number is typed otherwise."""
    register(0)
    assert refused(1, document_number=f" {fictional.resident_id(0).lower()} ") == (DocumentTaken,)


def test_a_phone_that_has_an_account_is_taken(app: Flask) -> None:
    """P4. The code is proof for the phone as typed."""
    register(0)
    codes.forget_waits()
    with pytest.raises(PersonDataRefused) as caught:
        registration.register(new(1, phone="138-0013-8000"), HASH, proof(0))
    assert [type(error) for error in caught.value.errors] == [PhoneTaken]


@pytest.mark.parametrize("name", ["user_0000", "USER_0000"])
def test_a_login_name_is_unique_without_regard_to_case(app: Flask, name: str) -> None:
    """P2."""
    register(0)
    assert refused(1, login_name=name) == (LoginNameTaken,)


def test_a_login_name_is_unique_over_persons_and_units(app: Flask) -> None:
    """P2."""
    rows.unit(1, login_name="Unit_One")
    assert refused(1, login_name="unit_one") == (LoginNameTaken,)


def test_a_cancelled_account_gives_its_document_and_phone_free(app: Flask) -> None:
    """P13, U12: whoever was cancelled may register anew, under another login name."""
    rows.person(0, status="cancelled", document_claim=None, phone_claim=None)
    assert register(0, login_name="fresh_start")


def test_accounts_imported_twice_still_take_the_document(app: Flask) -> None:
    """P13: two accounts that share a number and hold no claim."""
    rows.person(0, document_claim=None, phone_claim=None)
    assert set(refused(0, login_name="fresh_start")) == {DocumentTaken, PhoneTaken}


def test_a_refused_registration_leaves_nothing_and_spends_no_code(app: Flask) -> None:
    """P1: one transaction; the code stays good for the corrected form."""
    rows.unit(1, login_name="taken_name")
    unused = proof(0)
    with pytest.raises(PersonDataRefused):
        registration.register(new(0, login_name="taken_name"), HASH, unused)
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0
    assert registration.register(new(0), HASH, unused)


def test_a_code_registers_one_person_only(app: Flask) -> None:
    """DESIGN 8: of parallel registrations with one right code one gets through, the others leave nothing."""
    shared = proof(0)
    people = [new(n, phone=fictional.mobile(n)) for n in range(4)]
    results = all_at_once(app, [partial(registration.register, person, HASH, shared) for person in people])
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, SmsCodeInvalid) for result in results) == 3
    assert db.session.scalar(select(func.count()).select_from(LoginName)) == 1


def test_sixteen_parallel_registrations_of_one_document_make_one_person(app: Flask) -> None:
    """P4: the losers of the race get the same refusal as those who come later."""
    number = fictional.resident_id(0)
    proofs = [proof(n) for n in range(MANY)]
    people = [new(n, document_number=number, password=fictional.password(n)) for n in range(MANY)]
    works = [partial(registration.register, person, HASH, code) for person, code in zip(people, proofs, strict=True)]
    results = all_at_once(app, works)
    assert sum(isinstance(result, str) for result in results) == 1
    losers = [result for result in results if isinstance(result, PersonDataRefused)]
    assert len(losers) == MANY - 1
    assert {type(error) for loser in losers for error in loser.errors} == {DocumentTaken}
    for table in (Person, LoginName, PersonProofing):
        assert db.session.scalar(select(func.count()).select_from(table)) == 1


def test_parallel_registrations_of_one_login_name_make_one_person(app: Flask) -> None:
    """P2: the same name in different case."""
    proofs = [proof(n) for n in range(8)]
    people = [new(n, login_name="Same_Name" if n % 2 else "same_name") for n in range(8)]
    works = [partial(registration.register, person, HASH, code) for person, code in zip(people, proofs, strict=True)]
    results = all_at_once(app, works)
    assert sum(isinstance(result, str) for result in results) == 1
    errors = [error for result in results if isinstance(result, PersonDataRefused) for error in result.errors]
    assert [type(error) for error in errors] == [LoginNameTaken] * 7


def test_the_day_is_that_of_china(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    """P5: whoever was born today has a number that is valid today and not yesterday."""
    tomorrow = clock.today() + timedelta(days=1)
    born = f"440106{tomorrow:%Y%m%d}001"
    number = born + mod_11_2(born)
    with pytest.raises(PersonDataRefused):
        new(document_number=number)
    moved_clock.advance(clock.start_of(tomorrow) - clock.now() + timedelta(seconds=1))
    assert new(document_number=number).document_number == number
