"""DESIGN 3, trap 3: Authlib counts a code's expiry from auth_time, so that whoever signed in an hour ago (SSO) gets
invalid_grant; and a refreshed ID token gets a new auth_time.
"""

from datetime import timedelta

from idp import clock
from idp.settings import settings
from tests.oidc.portal import Portal, assert_refused, claims_in
from tests.support import rows
from tests.support.clocks import MovedClock


def test_a_code_of_an_old_sign_in_is_good(portal: Portal) -> None:
    signed_in_at = clock.now() - timedelta(hours=3)
    tokens = portal.tokens(portal.granted(rows.person(), auth_time=signed_in_at))
    for name in ("id_token", "access_token"):
        assert claims_in(tokens[name])["auth_time"] == int(signed_in_at.timestamp())


def test_a_codes_life_is_counted_from_the_code(portal: Portal, moved_clock: MovedClock) -> None:
    code = portal.code_for(portal.granted(rows.person()))
    moved_clock.advance(timedelta(seconds=settings().code_lifetime - 5))
    assert portal.redeem(code).status_code == 200
    late = portal.code_for(portal.granted(rows.person(1)))
    moved_clock.advance(timedelta(seconds=settings().code_lifetime))
    assert_refused(portal.redeem(late), "invalid_grant")


def test_auth_time_stays_through_refreshes(portal: Portal, moved_clock: MovedClock) -> None:
    """OpenID Connect Core §12.2: "the time of the original authentication"."""
    tokens = portal.tokens(portal.granted(rows.person()))
    auth_time = claims_in(tokens["id_token"])["auth_time"]
    for _ in range(2):
        moved_clock.advance(timedelta(minutes=4))
        tokens = portal.refreshed(tokens["refresh_token"])
        assert claims_in(tokens["id_token"])["auth_time"] == auth_time
        assert claims_in(tokens["access_token"])["auth_time"] == auth_time
