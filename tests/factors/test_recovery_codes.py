"""Recovery codes: ten, each good once, of one person, kept as hashes."""

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import text

from idp import clock
from idp.factors import recovery_codes, totp, ways
from idp.factors.errors import CodeWrong, FactorGone, FactorLocked, RecoveryCodeWrong
from idp.factors.model import Totp
from idp.factors.recovery_codes import HOW_MANY
from idp.rules.levels import Acr
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.levels import acr_of_session
from idp.store.db import db, transaction
from tests.factors.sessions import signed_in, who
from tests.support import codes, fictional, rows
from tests.support.parallel import all_at_once


def owner(n: int = 0) -> SignedIn:
    """Return person `n` at 三级实名, signed in by password and SMS, with an authenticator app."""
    found = signed_in(rows.person(n, real_name_level=3), "pwd", "sms")
    with transaction() as session:
        session.add(Totp(person_id=found.subject_id, secret="A" * 32, last_step=0, created_at=clock.now()))
    return found


def made(person: SignedIn) -> list[str]:
    return recovery_codes.renew(person)


def test_ten_different_codes_of_which_hashes_are_kept(app: Flask) -> None:
    """DESIGN 8: no secret in clear."""
    person = owner()
    fresh = made(person)
    assert len(set(fresh)) == HOW_MANY
    stored = str(db.session.execute(text("SELECT * FROM recovery_code")).all())
    assert not [code for code in fresh if code in stored or code.replace("-", "") in stored]


def test_a_code_raises_the_session_once_and_the_owner_is_told(app: Flask) -> None:
    """F6."""
    person = owner()
    code = made(person)[3]
    after = who(recovery_codes.step_up(signed_in(person.subject_id), code.lower().replace("-", " ")))
    assert (after.amr, acr_of_session(after)) == (("pwd", "otp"), Acr.L2)
    assert ways.recovery_codes_left(db.session(), person.subject_id) == HOW_MANY - 1
    assert codes.changes_told(fictional.mobile()) == ["recovery_codes_renewed", "recovery_code_used"]
    with pytest.raises(RecoveryCodeWrong):
        recovery_codes.step_up(signed_in(person.subject_id), code)


def test_of_parallel_requests_with_one_code_one_gets_through(app: Flask) -> None:
    person = owner()
    code = made(person)[0]
    results = all_at_once(app, [partial(recovery_codes.step_up, person, code)] * 4)
    assert sum(isinstance(result, str) for result in results) == 1


def test_the_codes_of_another_are_no_codes(app: Flask) -> None:
    code = made(owner(1))[0]
    with pytest.raises(RecoveryCodeWrong):
        recovery_codes.step_up(owner(0), code)


def test_new_codes_end_the_old_ones(app: Flask) -> None:
    person = owner()
    old = made(person)
    made(person)
    with pytest.raises(RecoveryCodeWrong):
        recovery_codes.step_up(person, old[0])


def test_without_an_app_there_are_none(app: Flask) -> None:
    with pytest.raises(FactorGone):
        made(signed_in(rows.person(), "pwd", "sms"))


def test_guesses_count_with_those_of_the_app(app: Flask) -> None:
    """DESIGN 8: two doors, one count."""
    person = owner()
    for _ in range(2):
        with pytest.raises(CodeWrong):
            totp.step_up(person, "no")
        with pytest.raises(RecoveryCodeWrong):
            recovery_codes.step_up(person, "no")
    with pytest.raises(FactorLocked):
        recovery_codes.step_up(person, "no")
