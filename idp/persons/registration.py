"""Self-registration of a person (P1–P5): what is asked of the data, and the one transaction that makes the account.

new = registration.check(typed, policy)         # every rule at once, without I/O
…the SMS code is checked and the password hashed, which is slow…
registration.register(new, password_hash, proof)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.errors import DomainError, Refusals
from idp.notify import sms_codes
from idp.notify.sms_codes import Proof
from idp.persons import login_names
from idp.persons.errors import DocumentTaken, PersonDataRefused, PhoneTaken
from idp.persons.model import AccountKind, AccountStatus, LoginName, Person, PersonProofing
from idp.rules.documents import PersonDocument, check_person_document
from idp.rules.levels import RealNameLevel
from idp.rules.login_names import check_login_name, login_name_key
from idp.rules.names import check_person_name
from idp.rules.passwords import PasswordPolicy, check_password
from idp.rules.phones import check_phone
from idp.store.base import vault
from idp.store.db import transaction

SMS_PURPOSE = "person_registration"
PROVEN_BY = "registration"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed, as it came. Nothing of it is printed."""

    document_type: PersonDocument
    document_number: str = field(repr=False)
    full_name: str = field(repr=False)
    phone: str = field(repr=False)
    login_name: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person's data in canonical forms, all of it checked. `password` is prepared for hashing."""

    document_type: PersonDocument
    document_number: str = field(repr=False)
    full_name: str = field(repr=False)
    phone: str = field(repr=False)
    login_name: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VouchedPerson:
    """A person's data in canonical forms, as an upstream vouches for it (P7), and the login name that they chose."""

    document_type: PersonDocument
    document_number: str = field(repr=False)
    full_name: str = field(repr=False)
    phone: str = field(repr=False)
    login_name: str = field(repr=False)


def document_lookup(document_type: PersonDocument, number: str) -> str:
    """Return the hash under which a person is found by their canonical number."""
    return vault().lookup("document", f"{document_type}:{number}")


def phone_lookup(phone: str) -> str:
    """Return the hash under which a person is found by their phone (E.164)."""
    return vault().lookup("phone", phone)


def check(typed: Typed, policy: PasswordPolicy) -> NewPerson:
    """Return the data in canonical forms. Raises PersonDataRefused with all that is wrong (P2, P3, P5)."""
    refusals = Refusals()
    kind = typed.document_type
    number = refusals.tried(lambda: check_person_document(kind, typed.document_number, today=clock.today()))
    full_name = refusals.tried(lambda: check_person_name(typed.full_name))
    phone = refusals.tried(lambda: check_phone(typed.phone))
    login_name = refusals.tried(lambda: check_login_name(typed.login_name))
    password = refusals.tried(
        lambda: check_password(
            typed.password, policy=policy, login_name=login_name, phone=phone, document_number=number
        )
    )
    if refusals or number is None or full_name is None or phone is None or login_name is None or password is None:
        raise PersonDataRefused(tuple(refusals))
    return NewPerson(kind, number, full_name, phone, login_name, password)


def register(new: NewPerson, password_hash: str, proof: Proof) -> str:
    """Create the person at 一级实名 and return their id. `proof` is for the person's phone.

    Raises PersonDataRefused with DocumentTaken, PhoneTaken or LoginNameTaken, also when a parallel registration was
    faster by a moment; SmsCodeInvalid when the code was used by another request.
    """
    document, phone = document_lookup(new.document_type, new.document_number), phone_lookup(new.phone)
    with _naming_what_is_taken(new, document, phone), transaction() as session:
        taken = _taken(session, new, document, phone)
        if taken:
            raise PersonDataRefused(taken)
        sms_codes.use(session, proof)
        return _add(session, new, document, phone, password_hash, phone_claim=phone)


def add_proven(session: Session, new: NewPerson, password_hash: str) -> str:
    """Add a person whose phone needs no proof (an import, the demo's people) and return their id.

    Raises PersonDataRefused when the login name is taken, IntegrityError when the document or the phone is.
    """
    document, phone = document_lookup(new.document_type, new.document_number), phone_lookup(new.phone)
    return _add(session, new, document, phone, password_hash, phone_claim=phone)


def add_vouched(session: Session, new: VouchedPerson, upstream: str) -> str:
    """Add a person for whom an upstream vouches and return their id: without a password, at 一级 until it says more.

    A phone that another account has registered is written down and claimed by nobody: that account proved it, and
    the upstream's word on phones takes nothing away. Raises PersonDataRefused when the login name is taken,
    IntegrityError when the document is, or the phone since a moment ago.
    """
    document, phone = document_lookup(new.document_type, new.document_number), phone_lookup(new.phone)
    taken = session.scalars(select(Person.id).where(Person.phone_claim == phone)).first() is not None
    return _add(session, new, document, phone, None, phone_claim=None if taken else phone, proven_by=upstream)


def _add(
    session: Session,
    new: NewPerson | VouchedPerson,
    document: str,
    phone: str,
    password_hash: str | None,
    *,
    phone_claim: str | None,
    proven_by: str = PROVEN_BY,
) -> str:
    person_id = ids.new_id(ids.PERSON)
    _claim_login_name(session, new.login_name, person_id)
    now = clock.now()
    person = Person(
        id=person_id,
        login_name=new.login_name,
        password_hash=password_hash,
        password_changed_at=None if password_hash is None else now,
        full_name=new.full_name,
        document_type=new.document_type,
        document_number=new.document_number,
        document_lookup=document,
        document_claim=document,
        phone=new.phone,
        phone_lookup=phone,
        phone_claim=phone_claim,
        real_name_level=RealNameLevel.ONE,
        created_at=now,
    )
    session.add(person)
    session.flush()
    session.add(PersonProofing(person_id=person_id, method=proven_by, level=RealNameLevel.ONE, proved_at=now))
    details = {"document_type": new.document_type, "level": int(RealNameLevel.ONE), "by": proven_by}
    record(session, Entry("person.registered", actor_id=person_id, subject_id=person_id, details=details))
    return person_id


def _claim_login_name(session: Session, login_name: str, person_id: str) -> None:
    try:
        login_names.claim(session, login_name, AccountKind.PERSON, person_id)
    except login_names.LoginNameTaken as error:
        raise PersonDataRefused((error,)) from None


def _taken(session: Session, new: NewPerson, document: str, phone: str) -> tuple[DomainError, ...]:
    """Return a refusal for everything that another account has. A cancelled one only keeps its login name."""

    def has(condition: ColumnElement[bool]) -> bool:
        living = Person.status != AccountStatus.CANCELLED
        return session.scalars(select(Person.id).where(condition, living).limit(1)).first() is not None

    errors: list[DomainError] = []
    if has(Person.document_lookup == document):
        errors.append(DocumentTaken())
    if has(Person.phone_lookup == phone):
        errors.append(PhoneTaken())
    if session.get(LoginName, login_name_key(new.login_name)) is not None:
        errors.append(login_names.LoginNameTaken())
    return tuple(errors)


@contextmanager
def _naming_what_is_taken(new: NewPerson, document: str, phone: str) -> Iterator[None]:
    """Turn a lost race for a unique column into the refusal that the check gives."""
    try:
        yield
    except IntegrityError:
        with transaction() as session:
            taken = _taken(session, new, document, phone)
        if not taken:
            raise
        raise PersonDataRefused(taken) from None
