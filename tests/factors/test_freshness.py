"""Changing factors asks for a fresh login, and for two factors where one is added."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp.factors import freshness, passkeys, recovery_codes, totp
from idp.factors.errors import FreshLoginNeeded, SecondFactorNeeded
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.freshness import FRESH_FOR
from tests.factors.sessions import signed_in
from tests.support import rows

STALE = FRESH_FOR + timedelta(seconds=1)
ENROLMENTS: list[Callable[[SignedIn], object]] = [
    lambda who: totp.begin(who, "browser"),
    lambda who: passkeys.begin_enrolment(who, "browser", site="site"),
    recovery_codes.renew,
]
REMOVALS: list[Callable[[SignedIn], object]] = [totp.remove, lambda who: passkeys.remove(who, "pk_none")]


@pytest.mark.parametrize("change", ENROLMENTS + REMOVALS)
def test_an_old_sign_in_changes_nothing(sqlite_app: Flask, change: Callable[[SignedIn], object]) -> None:
    with pytest.raises(FreshLoginNeeded):
        change(signed_in(rows.person(), "pwd", "sms", ago=STALE))


@pytest.mark.parametrize("amr", [("pwd",), ("sms",), ("sms", "otp")])
@pytest.mark.parametrize("enrol", ENROLMENTS)
def test_one_kind_of_factor_adds_no_other(
    sqlite_app: Flask, enrol: Callable[[SignedIn], object], amr: tuple[str, ...]
) -> None:
    """NIST SP 800-63B-4 §4.1.2: a stolen password or a taken-over phone does not grow into two factors."""
    with pytest.raises(SecondFactorNeeded):
        enrol(signed_in(rows.person(), *amr))


@pytest.mark.parametrize("amr", [("pwd", "sms"), ("swk", "user")])
def test_two_kinds_do(sqlite_app: Flask, amr: tuple[str, ...]) -> None:
    freshness.demand_for_enrolment(signed_in(rows.person(), *amr, ago=FRESH_FOR - timedelta(seconds=30)))
