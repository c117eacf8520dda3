"""The first password of an account that was made without one (P7), and the login name that goes with it (P2, P3).

A password is a way in beside the phone, and the two together are two kinds of factor: whoever took over the phone
number alone must not be able to set one.
"""

from dataclasses import dataclass, field

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from idp import clock
from idp.errors import Refusals
from idp.factors import freshness, notice
from idp.factors.errors import PasswordThere
from idp.persons import login_names, records
from idp.persons.errors import PersonDataRefused
from idp.persons.model import AccountKind, LoginName, Person
from idp.rules.login_names import check_login_name, login_name_key
from idp.rules.passwords import check_password
from idp.sessions import passwords
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import transaction


@dataclass(frozen=True, slots=True)
class _Checked:
    """Login name and password that passed the rules."""

    login_name: str
    password: str = field(repr=False)


def set_first(who: SignedIn, login_name: str, password: str) -> None:
    """Give the account its first password, and this login name in place of the one that it has.

    The owner is told by SMS. Raises FreshLoginNeeded, SecondFactorNeeded, PasswordThere; PersonDataRefused with all
    that is wrong: LoginNameFormat, LoginNameTaken, PasswordRefused.
    """
    freshness.demand_for_password(who)
    person = records.person(who.subject_id)
    if person.password_hash is not None:
        raise PasswordThere
    new = _check(person, login_name, password)
    password_hash = passwords.hash_password(new.password)
    with transaction() as session:
        renamed = _rename(session, who.subject_id, new.login_name)
        first = session.execute(
            update(Person)
            .where(Person.id == who.subject_id, Person.password_hash.is_(None))
            .values(password_hash=password_hash, password_changed_at=clock.now(), login_name=new.login_name)
            .returning(Person.id)
        ).one_or_none()
        if first is None:
            raise PasswordThere
        notice.tell(session, who.subject_id, "password_set", renamed=renamed)


def _check(person: Person, login_name: str, password: str) -> _Checked:
    refusals = Refusals()
    name = refusals.tried(lambda: check_login_name(login_name))
    prepared = refusals.tried(
        lambda: check_password(
            password,
            policy=passwords.policy(),
            login_name=name,
            phone=person.phone,
            document_number=person.document_number,
        )
    )
    if refusals or name is None or prepared is None:
        raise PersonDataRefused(tuple(refusals))
    return _Checked(name, prepared)


def _rename(session: Session, person_id: str, login_name: str) -> bool:
    """Claim the name unless it is the person's own, and give up the old one: nobody ever signed in with that.

    Return whether it is another one now. Raises PersonDataRefused.
    """
    own = session.get(LoginName, login_name_key(login_name))
    if own is not None and own.owner_id == person_id:
        return False
    try:
        login_names.claim(session, login_name, AccountKind.PERSON, person_id)
    except login_names.LoginNameTaken as error:
        raise PersonDataRefused((error,)) from None
    others = (LoginName.owner_id == person_id, LoginName.key != login_name_key(login_name))
    session.execute(delete(LoginName).where(*others))
    return True
