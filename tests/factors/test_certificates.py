"""Digital certificates (P8, U6): whose they are, what is refused, and what they count for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask import Flask
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from idp import clock, doctor
from idp.audit.model import AuditEntry
from idp.errors import DomainError
from idp.factors import ways
from idp.factors.certificates import accounts, challenges, errors, proofs, reading, revocation, sessions, trust
from idp.factors.certificates.challenges import Asked, Door, Purpose
from idp.factors.certificates.proofs import Proven
from idp.factors.certificates.subject import (
    IDENTITY_CODE,
    ORGANISATION_CODE,
    PASSPORT_NUMBER,
    RESIDENT_NUMBER,
    SOCIAL_CREDIT_CODE,
)
from idp.factors.errors import FactorGone, FreshLoginNeeded, LastWayIn, SecondFactorNeeded
from idp.factors.model import Certificate
from idp.persons.model import AccountKind, AccountStatus, Person, PersonProofing
from idp.rules.levels import Acr
from idp.sessions import browser_sessions, throttle
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.freshness import FRESH_FOR
from idp.sessions.levels import acr_of_session
from idp.sessions.sign_in import AccountLocked
from idp.store.db import db, release, transaction
from sandbox.certificates.authority import Authority
from tests.factors.sessions import BROWSER, signed_in, who
from tests.support import certificates, codes, fictional, rows
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority
from tests.support.certificates import Token, usage
from tests.support.clocks import MovedClock, moved_clock
from tests.support.parallel import all_at_once

__all__ = ["moved_clock"]

HERE = "browser"
ASKED = Asked(Purpose.SIGN_IN, HERE)
PERSON, UNIT = AccountKind.PERSON, AccountKind.UNIT
Text = certificates.text


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str, ca: RunningAuthority) -> Iterator[Flask]:
    application = make_app(migrated_sqlite_url, **ca.settings)
    with application.app_context():
        yield application


@pytest.fixture
def person_id(app: Flask) -> str:
    return rows.person()


def prove(token: Token, asked: Asked = ASKED) -> Proven:
    """Sign a challenge with the token."""
    challenge = challenges.begin(asked, Door.SIGN)
    signature = token.signature(challenges.to_sign(asked.purpose, challenge))
    return proofs.by_signature(asked, challenge, reading.from_text(token.pem), signature)


def sign_in(token: Token, tab: AccountKind = PERSON, here: SignedIn | None = None) -> SignedIn:
    return who(accounts.sign_in_by(prove(token), tab, BROWSER, here))


def refused(token: Token, error: type[DomainError]) -> None:
    with pytest.raises(error):
        sign_in(token)
    assert db.session.scalars(select(func.count()).select_from(Certificate)).one() == 0


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


# What is refused of a certificate


def self_signed(ca: RunningAuthority) -> Token:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = ca.person().certificate.subject
    return ca.person(key=key, issuer_key=key, issuer=subject)


REFUSED: list[tuple[Callable[[RunningAuthority], Token], type[DomainError]]] = [
    (lambda ca: ca.person(begins=timedelta(days=-9), ends=timedelta(seconds=-1)), errors.CertificateExpired),
    (lambda ca: ca.person(begins=timedelta(minutes=5)), errors.CertificateNotYetValid),
    (self_signed, errors.CertificateSelfSigned),
    (lambda ca: certificates.token(Authority.new("别的机构"), ca.crl_url), errors.IssuerUnknown),
    # another key under the name of the authority that is trusted
    (lambda ca: ca.person(issuer_key=Authority.new().key), errors.IssuerUnknown),
    (lambda ca: ca.person(critical=b"\x05\x00"), errors.IssuerUnknown),
    (lambda ca: ca.person(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]), errors.UsageWrong),
    (lambda ca: ca.person(usage=usage("key_encipherment", "data_encipherment")), errors.UsageWrong),
    (lambda ca: ca.person(ca=True, usage=usage("digital_signature", "key_cert_sign")), errors.UsageWrong),
    (lambda ca: ca.person(key=rsa.generate_private_key(65537, 1024)), errors.CertificateWeak),  # noqa: S505
    (lambda ca: ca.person(key=ec.generate_private_key(ec.SECP192R1())), errors.CertificateWeak),
    (lambda ca: ca.person(digest=hashes.SHA224()), errors.CertificateWeak),
    (lambda ca: certificates.token(ca.authority, None), errors.RevocationUnknown),
    (lambda ca: certificates.token(ca.authority, "ldap://ca.example/crl"), errors.RevocationUnknown),
    (lambda ca: certificates.token(ca.authority, ca.operator.url + "/ca.pem"), errors.RevocationUnknown),
    (lambda ca: certificates.token(ca.authority, ca.operator.url + "/none"), errors.RevocationUnknown),
]


@pytest.mark.parametrize(("make", "error"), REFUSED)
def test_a_certificate_that_is_not_taken(
    ca: RunningAuthority,
    person_id: str,
    make: Callable[[RunningAuthority], Token],
    error: type[DomainError],
) -> None:
    """RFC 5280: dates, usage, strength, chain, revocation; each refusal has its own sentence."""
    refused(make(ca), error)
    why = db.session.execute(text("SELECT details FROM audit_entry WHERE action = 'certificate.refused'")).scalar()
    assert error.code in why


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_other_keys_that_hold(ca: RunningAuthority, person_id: str, key: certificates.Key) -> None:
    assert sign_in(ca.person(key=key, purposes=None)).subject_id == person_id


def test_an_authority_in_between(ca: RunningAuthority, person_id: str) -> None:
    """RFC 5280 §6: the chain is sent along, and each link of it is looked for in its issuer's list."""
    between = Authority.new("地方机构")
    signed = ca.person(
        name="地方机构", key=between.key, ca=True, places={}, purposes=None, usage=usage("key_cert_sign", "crl_sign")
    )
    token = certificates.token(between, ca.crl_url, issuer=signed.certificate.subject)
    with pytest.raises(errors.IssuerUnknown):
        prove(token)
    token.others.append(signed.certificate)
    with pytest.raises(errors.RevocationUnknown):  # the list is the root's: it says nothing about this one
        prove(token)


def test_an_authority_that_ends_is_said_in_time(app: Flask) -> None:
    """`jingban doctor` asks for those that end within two months."""
    assert list(trust.expiring(clock.now() + doctor.CERTIFICATES_WARN)) == []
    assert list(trust.expiring(clock.now() + timedelta(days=3700))) == ["CN=演示电子认证机构,C=CN"]


# Revocation


def test_what_was_revoked(ca: RunningAuthority, person_id: str) -> None:
    token = ca.person()
    sign_in(token)
    ca.authority.revoke(token.certificate.serial_number)
    assert sign_in(token).subject_id == person_id, "the list of a moment ago is still at hand"
    revocation.forget()
    with pytest.raises(errors.CertificateRevoked):
        sign_in(token)


def test_a_list_is_fetched_again_after_some_minutes(
    ca: RunningAuthority,
    person_id: str,
    moved_clock: MovedClock,
) -> None:
    token = ca.person()
    sign_in(token)
    ca.authority.revoke(token.certificate.serial_number)
    moved_clock.advance(revocation.KEEP + timedelta(seconds=1))
    with pytest.raises(errors.CertificateRevoked):
        sign_in(token)


@pytest.mark.parametrize("fault", ["stale_crl", "foreign_crl", "down", "error", "garbage", "refuse"])
def test_who_cannot_ask_does_not_guess(ca: RunningAuthority, person_id: str, fault: str) -> None:
    """Fail closed: unreachable, out of date, wrongly signed, no list at all."""
    ca.fault(fault)
    refused(ca.person(), errors.RevocationUnknown)


def test_lists_are_called_by_the_guarded_way_out(
    make_app: MakeApp, migrated_sqlite_url: str, ca: RunningAuthority
) -> None:
    """DESIGN 3: not on this machine unless a setting says so, whatever the certificate names."""
    app = make_app(migrated_sqlite_url, **(ca.settings | {"fetch_allow_loopback": False}))
    with app.app_context():
        rows.person()
        with pytest.raises(errors.RevocationUnknown) as failed:
            prove(ca.person())
        assert failed.value.reason == "address_forbidden"


# The challenge


@pytest.mark.parametrize(
    "changes",
    [
        {"browser_id": "another"},
        {"purpose": Purpose.STEP_UP},
        {"owner_id": "p_somebody"},
        {"interaction_id": "another"},
    ],
)
def test_a_challenge_is_bound(ca: RunningAuthority, person_id: str, changes: dict[str, Any]) -> None:
    """To browser, purpose, account and interaction."""
    other = replace(ASKED, **changes)
    challenge = challenges.begin(other, Door.SIGN)
    token = ca.person()
    signature = token.signature(challenges.to_sign(Purpose.SIGN_IN, challenge))
    with pytest.raises(errors.ChallengeGone):
        proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), signature)


def test_a_challenge_expires(ca: RunningAuthority, person_id: str, moved_clock: MovedClock) -> None:
    challenge = challenges.begin(ASKED, Door.SIGN)
    moved_clock.advance(challenges.LIFETIME + timedelta(seconds=1))
    with pytest.raises(errors.ChallengeGone):
        challenges.claim(challenge, ASKED)


@pytest.mark.parametrize("challenge", ["", "unknown", "é", "x" * 5000])
def test_a_challenge_that_was_never_given(app: Flask, challenge: str) -> None:
    with pytest.raises(errors.ChallengeGone):
        challenges.claim(challenge, ASKED)
    with pytest.raises(errors.ChallengeGone):
        challenges.present(challenge, "")
    with pytest.raises(errors.ChallengeGone):
        challenges.claim_presented(challenge, HERE)


def test_a_wrong_signature_uses_it_up(ca: RunningAuthority, person_id: str) -> None:
    """… and the signature of another key, over another line, or none."""
    token, other = ca.person(), ca.person()
    challenge = challenges.begin(ASKED, Door.SIGN)
    line = challenges.to_sign(Purpose.SIGN_IN, challenge)
    for signature in (other.signature(line), token.signature("x" + line), b"", b"\x30\x00"):
        challenge = challenges.begin(ASKED, Door.SIGN)
        line = challenges.to_sign(Purpose.SIGN_IN, challenge)
        with pytest.raises(errors.SignatureWrong):
            proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), signature)
        with pytest.raises(errors.ChallengeGone):
            proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), token.signature(line))


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_what_an_editor_leaves_at_the_end(ca: RunningAuthority, person_id: str, ending: str) -> None:
    token, challenge = ca.person(), challenges.begin(ASKED, Door.SIGN)
    signature = token.signature(challenges.to_sign(Purpose.SIGN_IN, challenge) + ending)
    assert proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), signature)


def test_a_signature_names_who_asked_and_what_for(app: Flask) -> None:
    """One that another site obtained, or one for another purpose, serves nowhere else."""
    assert challenges.to_sign(Purpose.ENROL, "abc") == "jingban-certificate http://localhost:8000 enrol abc"


def test_of_parallel_requests_with_one_signature_one_gets_through(
    make_app: MakeApp, migrated_postgres_url: str, ca: RunningAuthority
) -> None:
    """One conditional UPDATE decides, on PostgreSQL; and of parallel first uses one adds the certificate."""
    app = make_app(migrated_postgres_url, **ca.settings)
    with app.app_context():
        rows.person()
        token = ca.person()
        challenge = challenges.begin(ASKED, Door.SIGN)
        signature = token.signature(challenges.to_sign(Purpose.SIGN_IN, challenge))
        presented = reading.from_text(token.pem)
        results = all_at_once(app, [partial(proofs.by_signature, ASKED, challenge, presented, signature)] * 4)
        [proven] = [each for each in results if isinstance(each, Proven)]
        assert sum(isinstance(each, errors.ChallengeGone) for each in results) == 3
        tokens = all_at_once(app, [partial(accounts.sign_in_by, proven, PERSON, BROWSER, None)] * 4)
        assert all(isinstance(each, str) for each in tokens), tokens
        assert db.session.scalars(select(func.count()).select_from(Certificate)).one() == 1


def test_what_was_presented_is_taken_once_and_by_its_browser(ca: RunningAuthority, app: Flask) -> None:
    """Who lures another's browser to the address for certificates gets nothing by it."""
    challenge = challenges.begin(ASKED, Door.PRESENT)
    code = challenges.present(challenge, ca.person().pem)
    with pytest.raises(errors.ChallengeGone):
        challenges.present(challenge, ca.person().pem)
    with pytest.raises(errors.ChallengeGone):
        challenges.claim(challenge, ASKED)
    with pytest.raises(errors.ChallengeGone):
        challenges.claim_presented(code, "another")
    assert challenges.claim_presented(code, HERE).asked == ASKED
    with pytest.raises(errors.ChallengeGone):
        challenges.claim_presented(code, HERE)


def test_what_waits_is_encrypted(ca: RunningAuthority, app: Flask) -> None:
    challenges.present(challenges.begin(ASKED, Door.PRESENT), ca.person().pem)
    kept = db.session.execute(text("SELECT chain FROM certificate_challenge")).scalar_one()
    assert b"BEGIN CERTIFICATE" not in kept


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


def test_a_number_that_went_to_a_new_account_takes_its_certificate_along(ca: RunningAuthority, person_id: str) -> None:
    token = ca.person()
    sign_in(token)
    with transaction() as session:
        person = session.get_one(Person, person_id)
        person.status, person.document_claim, person.phone_claim = AccountStatus.CANCELLED, None, None
    fresh = rows.person(login_name="begun_anew")
    assert sign_in(token).subject_id == fresh


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
