"""Who must sign in (OpenID Connect Core §3.1.2.1, §3.1.2.3): prompt, max_age, hints; unit accounts (U7, F5)."""

from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.oidc.tokens import jws
from idp.persons.model import AccountKind
from idp.sessions import interactions
from idp.sessions.model import BrowserSession
from idp.settings import settings
from idp.store.db import transaction
from tests.oidc.authorize.browser import (
    CALLBACK,
    Browser,
    answer_in,
    authorization_of,
    error_in,
    interaction_in,
    interaction_row,
    page_of,
)
from tests.support import fictional, rows
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

SIGN_IN = ("/sign-in", {})


@pytest.fixture
def browser(sqlite_app: Flask) -> Browser:
    rows.client(consent_required=False)
    return Browser(sqlite_app)


def hint_for(subject_id: str, **claims: str) -> str:
    plant_keys()
    return jws.sign({"iss": settings().issuer, "aud": "portal", "sub": subject_id} | claims, alg="RS256", typ="JWT")


def test_nobody_is_signed_in(browser: Browser) -> None:
    assert page_of(browser.authorize()) == SIGN_IN
    assert error_in(browser.authorize(prompt="none")) == "login_required"


def test_single_sign_on(browser: Browser) -> None:
    browser.sign_in(rows.person())
    assert "code" in answer_in(browser.authorize())
    assert "code" in answer_in(browser.authorize(prompt="none"))


def test_an_ended_session_is_none(browser: Browser) -> None:
    session_id = browser.sign_in(rows.person())
    with transaction() as session:
        session.get_one(BrowserSession, session_id).ended_at = clock.now()
    assert page_of(browser.authorize()) == SIGN_IN
    assert error_in(browser.authorize(prompt="none")) == "login_required"


def test_prompt_login_wants_a_sign_in_of_its_own(browser: Browser, moved_clock: MovedClock) -> None:
    person = rows.person()
    browser.sign_in(person)
    moved_clock.advance(timedelta(seconds=1))
    interaction = browser.journey(prompt="login")
    assert page_of(browser.resume(interaction)) == SIGN_IN  # coming back without it does not help
    browser.sign_in(person)
    code = authorization_of(browser.resume(interaction))
    assert clock.now() - code.auth_time < timedelta(seconds=1)


@pytest.mark.parametrize(("max_age", "age", "asks"), [("60", 59, False), ("60", 61, True), ("0", 1, True)])
def test_max_age(browser: Browser, moved_clock: MovedClock, max_age: str, age: int, asks: bool) -> None:
    person = rows.person()
    browser.sign_in(person)
    moved_clock.advance(timedelta(seconds=age))
    response = browser.authorize(max_age=max_age)
    if not asks:
        assert "code" in answer_in(response)
        return
    assert page_of(response) == SIGN_IN
    assert error_in(browser.authorize(max_age=max_age, prompt="none")) == "login_required"
    browser.sign_in(person)
    moved_clock.advance(timedelta(seconds=90))  # as long as it takes: the sign-in was for this request
    assert "code" in answer_in(browser.resume(interaction_in(response)))


def test_select_account_where_nobody_acts_for_units(browser: Browser, moved_clock: MovedClock) -> None:
    """There is one session a browser: another account is selected by signing in."""
    rows.client("citizens", redirect_uris=[CALLBACK], acts_for="never", consent_required=False)
    browser.sign_in(rows.person())
    moved_clock.advance(timedelta(seconds=1))
    interaction = browser.journey(client_id="citizens", prompt="select_account")
    other = rows.person(2)
    browser.sign_in(other)
    assert authorization_of(browser.resume(interaction)).subject_id == other


# --- id_token_hint -------------------------------------------------------------------------------------------------


def test_the_hinted_person_is_signed_in(browser: Browser) -> None:
    person = rows.person()
    browser.sign_in(person)
    hint = hint_for(person)
    assert "code" in answer_in(browser.authorize(id_token_hint=hint))
    assert "code" in answer_in(browser.authorize(id_token_hint=hint, prompt="none"))


def test_another_person_is_signed_in(browser: Browser, moved_clock: MovedClock) -> None:
    """OpenID Connect Core §3.1.2.1: positive only for the hinted subject, else login_required."""
    hinted, other = rows.person(1), rows.person(2)
    browser.sign_in(other)
    hint = hint_for(hinted)
    assert error_in(browser.authorize(id_token_hint=hint, prompt="none")) == "login_required"
    moved_clock.advance(timedelta(seconds=1))
    first, second = browser.authorize(id_token_hint=hint), browser.authorize(id_token_hint=hint)
    assert page_of(first) == SIGN_IN
    browser.sign_in(other)
    assert error_in(browser.resume(interaction_in(first))) == "login_required"
    browser.sign_in(hinted)
    assert authorization_of(browser.resume(interaction_in(second))).subject_id == hinted


# --- unit accounts (U7, F5) ----------------------------------------------------------------------------------------


def test_a_client_that_takes_no_unit_accounts_says_so(browser: Browser) -> None:
    """U7."""
    browser.sign_in(rows.unit(), AccountKind.UNIT)
    response = browser.authorize()
    assert response.status_code == 403
    assert "该应用不接受单位账号登录，请用经办人的个人账号登录" in response.text
    assert "重新登录" in response.text
    assert error_in(browser.authorize(prompt="none")) == "login_required"


def test_a_unit_account_does_no_business(browser: Browser) -> None:
    """U7: `sub` is the unit, nobody is acted for, and no business is granted."""
    unit = rows.unit()
    rows.business("rec.position")
    rows.client("units", redirect_uris=[CALLBACK], allows_unit_accounts=True, consent_required=False)
    browser.sign_in(unit, AccountKind.UNIT)
    stored = authorization_of(browser.authorize(client_id="units", scope="openid profile rec.position"))
    assert (stored.kind, stored.subject_id, stored.unit_id) == ("unit", unit, None)
    assert (stored.scope, stored.businesses) == ("openid profile", "")


def test_a_unit_account_without_uscc_where_one_is_demanded(browser: Browser) -> None:
    """F5, word for word."""
    old = rows.unit(3, document_type="org_code", document_number=fictional.org_code(3))
    rows.client("strict", redirect_uris=[CALLBACK], allows_unit_accounts=True, uscc_only=True, consent_required=False)
    browser.sign_in(old, AccountKind.UNIT)
    response = browser.authorize(client_id="strict")
    assert response.status_code == 403
    assert "请使用统一社会信用代码注册的账号登录办理业务" in response.text
    assert "重新登录" in response.text
    assert error_in(browser.authorize(client_id="strict", prompt="none")) == "login_required"
    # 【重新登录】 goes on where it was.
    interaction = response.text.partition("/sign-in?interaction=")[2].partition('"')[0]
    good = rows.unit(4)
    browser.sign_in(good, AccountKind.UNIT)
    assert authorization_of(browser.resume(interaction)).subject_id == good


def test_whoever_is_refused_can_go_back_to_the_portal(browser: Browser) -> None:
    browser.sign_in(rows.unit(), AccountKind.UNIT)
    text = browser.authorize().text
    address = text.partition('<form method="post" action="')[2].partition('"')[0]
    assert address.endswith("/give-up")
    response = browser.http.post(address)
    assert error_in(browser.get(response.headers["Location"])) == "access_denied"


# --- another account in the same browser ---------------------------------------------------------------------------


def test_another_account_inherits_no_answer(browser: Browser) -> None:
    """What A chose and agreed to is not B's, although the browser is the same."""
    first, second, unit = rows.person(1), rows.person(2), rows.unit()
    rows.binding(unit, first)
    rows.binding(unit, second)
    rows.client("asks", redirect_uris=[CALLBACK], acts_for="required", consent_required=False)
    browser.sign_in(first)
    interaction = browser.journey(client_id="asks")
    interactions.choose(interaction, unit)
    browser.sign_in(second)
    assert page_of(browser.resume(interaction))[0] == "/choose-unit"
    row = interaction_row(interaction)
    assert (row.acting_for, row.consented) == (None, False)


def test_the_same_account_keeps_its_answers_through_a_new_sign_in(browser: Browser) -> None:
    """A step-up renews the session; what was chosen before it stays."""
    person, unit = rows.person(), rows.unit()
    rows.binding(unit, person)
    rows.client("asks", redirect_uris=[CALLBACK], acts_for="required", consent_required=False)
    browser.sign_in(person)
    interaction = browser.journey(client_id="asks")
    interactions.choose(interaction, unit)
    browser.sign_in(person)
    assert authorization_of(browser.resume(interaction)).unit_id == unit
