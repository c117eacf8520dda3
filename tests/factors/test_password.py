"""The first password of an account that an upstream made (P2, P3, P7)."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.factors import password
from idp.factors.errors import FreshLoginNeeded, PasswordThere, SecondFactorNeeded
from idp.persons.errors import PersonDataRefused
from idp.persons.login_names import LoginNameTaken
from idp.persons.model import LoginName
from idp.rules.login_names import LoginNameFormat
from idp.rules.passwords import PasswordRefused
from idp.sessions import sign_in
from idp.sessions.freshness import FRESH_FOR
from idp.sessions.sign_in import WrongCredentials
from idp.store.db import db, release
from tests.factors.sessions import BROWSER, signed_in
from tests.support import codes, fictional, rows

PASSWORD = fictional.password()
GIVEN = fictional.login_name()


@pytest.fixture
def person_id(sqlite_app: Flask) -> str:
    """A person without a password, as a first login makes one."""
    return rows.person(real_name_level=3)


def set_it(person_id: str, *amr: str, login_name: str = "my_own_name", typed: str = PASSWORD) -> None:
    password.set_first(signed_in(person_id, *(amr or ("fed",))), login_name, typed)


def enter(login_name: str) -> None:
    sign_in.person(login_name, PASSWORD, BROWSER)


def names() -> set[str]:
    release()
    return set(db.session.scalars(select(LoginName.key)))


def test_name_and_password_sign_in_from_now_on(person_id: str) -> None:
    with pytest.raises(WrongCredentials):
        enter(GIVEN)
    set_it(person_id)
    enter("My_Own_Name")
    with pytest.raises(WrongCredentials):
        enter(GIVEN)
    assert names() == {"my_own_name"}, "the name that was suggested is free again"
    assert codes.changes_told(fictional.mobile()) == ["password_set"]


@pytest.mark.parametrize("login_name", [GIVEN, GIVEN.upper()])
def test_the_name_may_stay(person_id: str, login_name: str) -> None:
    set_it(person_id, login_name=login_name)
    enter(GIVEN)
    assert names() == {GIVEN}


def test_it_is_set_once(person_id: str) -> None:
    set_it(person_id)
    with pytest.raises(PasswordThere):
        set_it(person_id, login_name="another_name", typed=fictional.password() + "x")
    enter("my_own_name")
    assert len(codes.changes_told(fictional.mobile())) == 1


def test_the_rules_are_those_of_registration(person_id: str) -> None:
    """P2, P3: all that is wrong at once; not the login name, phone or number either."""
    with pytest.raises(PersonDataRefused) as caught:
        set_it(person_id, login_name="1st", typed="short")
    assert [type(each) for each in caught.value.errors] == [LoginNameFormat, PasswordRefused]
    for typed in ("My_own_name9", "Aa" + fictional.mobile().removeprefix("+86"), "Aa12345678"):
        with pytest.raises(PersonDataRefused):
            set_it(person_id, typed=typed)


def test_a_name_that_is_taken(person_id: str) -> None:
    rows.unit(login_name="Taken_Name")
    with pytest.raises(PersonDataRefused) as caught:
        set_it(person_id, login_name="taken_name")
    assert [type(each) for each in caught.value.errors] == [LoginNameTaken]
    assert names() == {GIVEN, "taken_name"}


def test_the_phone_alone_sets_none(person_id: str) -> None:
    """Whoever took over the number would have two kinds of factor."""
    with pytest.raises(SecondFactorNeeded):
        set_it(person_id, "sms")
    set_it(person_id, "swk", "user")


def test_an_old_sign_in_sets_none(person_id: str) -> None:
    old = signed_in(person_id, "fed", ago=FRESH_FOR + timedelta(seconds=1))
    with pytest.raises(FreshLoginNeeded):
        password.set_first(old, "my_own_name", PASSWORD)
