"""The authenticator app (RFC 6238): enrolled by a code, each code good once, guesses limited, secret encrypted."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, text

from idp import clock
from idp.audit.model import AuditEntry
from idp.factors import totp, ways
from idp.factors.errors import CodeWrong, ConfirmationWrong, FactorGone, FactorLocked, TotpEnrolled
from idp.factors.ways import Way
from idp.persons.model import Person
from idp.rules.levels import Acr
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.drafts import DraftGone
from idp.sessions.levels import acr_of_session
from idp.store.db import db
from tests.factors.sessions import signed_in, who
from tests.support import codes, fictional, rows
from tests.support.parallel import all_at_once

# The middle of a time step, so that no test stands on the border of two.
NOW = datetime(2026, 11, 21, 8, 0, 15, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def stopped_clock() -> object:
    """Let time stand still; `pass_time` moves it."""
    clock.replace(lambda: NOW)
    yield
    clock.replace(None)


def pass_time(by: timedelta) -> None:
    clock.replace(lambda: NOW + by)


class Owner:
    """Person 0 at 三级实名, signed in by password and SMS, with an authenticator app."""

    def __init__(self, n: int = 0) -> None:
        self.person_id = rows.person(n, real_name_level=3)
        self.draft = totp.begin(self.session("sms"), "browser")
        self.secret = totp.waiting_secret(self.session(), "browser", self.draft)

    def session(self, *more: str) -> SignedIn:
        return signed_in(self.person_id, "pwd", *more)

    def code(self, off: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(clock.now(), counter_offset=off)

    def enrol(self, off: int = -1) -> list[str]:
        """Enrol with the code of the step before this one, so that this one's is still good."""
        return totp.enrol(self.session("sms"), "browser", self.draft, self.code(off))


@pytest.fixture
def owner(app: Flask) -> Owner:
    return Owner()


@pytest.fixture
def owner_on_sqlite(sqlite_app: Flask) -> Owner:
    return Owner()


def test_the_algorithm_is_that_of_the_rfc() -> None:
    """RFC 6238 appendix B, SHA-1, the last six digits of the eight."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert pyotp.TOTP(secret).at(59) == "287082"
    assert pyotp.TOTP(secret).at(1111111109) == "081804"


def test_enrolled_by_a_code_and_told(owner: Owner) -> None:
    """The owner is told by SMS; the app becomes a way."""
    assert len(owner.enrol()) == 10
    assert codes.changes_told(fictional.mobile()) == ["totp_added"]
    assert Way.TOTP in ways.of(db.session(), db.session.get_one(Person, owner.person_id))


def test_a_wrong_code_enrols_nothing(owner: Owner) -> None:
    with pytest.raises(ConfirmationWrong):
        totp.enrol(owner.session("sms"), "browser", owner.draft, codes.wrong(owner.code()))
    assert totp.enrolled(db.session(), owner.person_id) is None


def test_the_secret_waits_for_its_browser_and_person_alone(owner_on_sqlite: Owner) -> None:
    with pytest.raises(DraftGone):
        totp.enrol(owner_on_sqlite.session("sms"), "another", owner_on_sqlite.draft, owner_on_sqlite.code())
    with pytest.raises(DraftGone):
        totp.enrol(signed_in(rows.person(1), "pwd", "sms"), "browser", owner_on_sqlite.draft, owner_on_sqlite.code())


def test_there_is_one_app(owner: Owner) -> None:
    second = totp.begin(owner.session("sms"), "browser")
    owner.enrol()
    with pytest.raises(TotpEnrolled):
        totp.begin(owner.session("sms"), "browser")
    code = pyotp.TOTP(totp.waiting_secret(owner.session(), "browser", second)).at(NOW)
    with pytest.raises(TotpEnrolled):
        totp.enrol(owner.session("sms"), "browser", second, code)


def test_a_code_raises_the_session_but_is_no_sign_in(owner: Owner) -> None:
    """F6; auth_time stays: a code of the app does not sign anybody in by itself (OpenID Connect Core §2)."""
    owner.enrol()
    before = signed_in(owner.person_id, ago=timedelta(minutes=20))
    after = who(totp.step_up(before, f" {owner.code()[:3]} {owner.code()[3:]} "))
    assert (after.amr, acr_of_session(after), after.auth_time) == (("pwd", "otp"), Acr.L2, before.auth_time)


def test_the_code_of_the_enrolment_is_used_up(owner: Owner) -> None:
    """RFC 6238 §5.2: "The verifier MUST NOT accept the second attempt of the OTP"."""
    owner.enrol(off=0)
    with pytest.raises(CodeWrong):
        totp.step_up(owner.session(), owner.code())


def test_a_code_works_once_and_none_before_it_afterwards(owner: Owner) -> None:
    owner.enrol()
    totp.step_up(owner.session(), owner.code(+1))
    for off in (+1, 0):
        with pytest.raises(CodeWrong):
            totp.step_up(owner.session(), owner.code(off))


def test_of_parallel_requests_with_one_code_one_gets_through(app: Flask, owner: Owner) -> None:
    """RFC 6238 §5.2, at once."""
    owner.enrol()
    session, code = owner.session(), owner.code()
    results = all_at_once(app, [partial(totp.step_up, session, code)] * 4)
    assert sum(isinstance(result, str) for result in results) == 1


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_clocks_may_be_one_step_apart(owner_on_sqlite: Owner, steps: int, *, taken: bool) -> None:
    """RFC 6238 §5.2."""
    owner_on_sqlite.enrol()
    pass_time(10 * STEP)
    try:
        totp.step_up(owner_on_sqlite.session(), owner_on_sqlite.code(steps))
    except CodeWrong:
        assert not taken
    else:
        assert taken


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "\ud800", "1" * 5000])
def test_what_is_no_code_is_refused(owner_on_sqlite: Owner, typed: str) -> None:
    owner_on_sqlite.enrol()
    with pytest.raises(CodeWrong):
        totp.step_up(owner_on_sqlite.session(), typed)


def test_five_wrong_codes_lock_for_an_hour(owner: Owner) -> None:
    """DESIGN 8: the right one too, and then not any more."""
    owner.enrol()
    for left in (4, 3, 2, 1):
        with pytest.raises(CodeWrong) as refused:
            totp.step_up(owner.session(), codes.wrong(owner.code()))
        assert refused.value.facts["left"] == left
    with pytest.raises(FactorLocked):
        totp.step_up(owner.session(), codes.wrong(owner.code()))
    with pytest.raises(FactorLocked):
        totp.step_up(owner.session(), owner.code())
    pass_time(timedelta(minutes=61))
    totp.step_up(owner.session(), owner.code())


def test_changes_and_wrong_codes_stand_in_the_audit(owner: Owner) -> None:
    """A4; without the code and the secret."""
    owner.enrol()
    with pytest.raises(CodeWrong):
        totp.step_up(owner.session(), codes.wrong(owner.code()))
    totp.remove(owner.session())
    rows_ = db.session.execute(
        select(AuditEntry.action, AuditEntry.outcome, AuditEntry.details)
        .where(AuditEntry.action.startswith("factor."), AuditEntry.subject_id == owner.person_id)
        .order_by(AuditEntry.id)
    ).all()
    assert [tuple(row)[:2] for row in rows_] == [
        ("factor.totp_added", "ok"),
        ("factor.refused", "failed"),
        ("factor.totp_removed", "ok"),
    ]
    assert owner.secret not in str(rows_)
    assert codes.wrong(owner.code()) not in str(rows_)


def test_the_secret_is_encrypted_at_rest(owner: Owner) -> None:
    """DESIGN 7."""
    owner.enrol()
    [stored] = db.session.execute(text("SELECT secret FROM totp")).scalars().all()
    assert owner.secret.encode() not in bytes(stored)


def test_removed_with_its_recovery_codes_and_told(owner: Owner) -> None:
    owner.enrol()
    totp.remove(owner.session())
    assert codes.changes_told(fictional.mobile()) == ["totp_added", "totp_removed"]
    assert ways.recovery_codes_left(db.session(), owner.person_id) == 0
    with pytest.raises(FactorGone):
        totp.remove(owner.session())
    with pytest.raises(FactorGone):
        totp.step_up(owner.session(), owner.code())
