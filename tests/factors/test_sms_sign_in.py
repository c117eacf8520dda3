"""短信登录 (P8): whoever holds the phone of an account signs in; nobody else learns whether there is one."""

import pytest
from flask import Flask

from idp.factors import sms
from idp.factors.errors import NobodyWithPhone
from idp.notify.sms_codes import Asked, SmsCodeInvalid
from idp.persons.model import AccountStatus
from idp.rules.levels import Acr
from idp.sessions import throttle
from idp.sessions.levels import acr_of_session
from idp.sessions.sign_in import AccountLocked
from tests.factors.sessions import BROWSER, who
from tests.support import codes, fictional, rows

ASKED = Asked("sign_in", fictional.mobile(), "browser")


def sign_in(asked: Asked = ASKED) -> str:
    return sms.sign_in_by_code(asked, codes.send(asked), BROWSER)


def test_the_holder_of_the_phone_is_signed_in(app: Flask) -> None:
    person_id = rows.person(real_name_level=3)
    found = who(sign_in())
    assert (found.subject_id, found.amr) == (person_id, ("sms",))
    assert acr_of_session(found) is Acr.L1  # DESIGN 5: one factor


def test_a_code_signs_in_once(app: Flask) -> None:
    rows.person()
    code = codes.send(ASKED)
    sms.sign_in_by_code(ASKED, code, BROWSER)
    with pytest.raises(SmsCodeInvalid):
        sms.sign_in_by_code(ASKED, code, BROWSER)


def test_a_code_is_bound_to_browser_and_purpose(app: Flask) -> None:
    """DESIGN 8."""
    rows.person()
    code = codes.send(ASKED)
    for other in (Asked("sign_in", ASKED.phone, "another"), Asked("step_up", ASKED.phone, "browser")):
        with pytest.raises(SmsCodeInvalid):
            sms.sign_in_by_code(other, code, BROWSER)


def test_a_phone_without_an_account_is_sent_a_code_too(app: Flask) -> None:
    """DESIGN 8: the same answer for known and unknown; only the holder of the phone learns more."""
    with pytest.raises(NobodyWithPhone):
        sign_in()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"status": AccountStatus.LOCKED}, AccountLocked),
        ({"status": AccountStatus.CANCELLED}, NobodyWithPhone),
        ({"phone_claim": None}, NobodyWithPhone),  # P13: shared by imported accounts
    ],
)
def test_accounts_that_cannot_be_used(app: Flask, changes: dict[str, str | None], refusal: type[Exception]) -> None:
    rows.person(**changes)
    with pytest.raises(refusal):
        sign_in()


def test_an_account_locked_by_wrong_passwords_is_locked_here_too(app: Flask) -> None:
    """P9: the account is locked for an hour, whichever way is tried."""
    person_id = rows.person()
    for _ in range(throttle.LIMIT):
        throttle.count(f"person:{person_id}")
    with pytest.raises(throttle.TooManyFailures):
        sign_in()
