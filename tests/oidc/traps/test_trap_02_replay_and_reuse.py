"""DESIGN 3, trap 2: in Authlib the replay of a code revokes nothing, and refresh has no families and no reuse
detection. What exactly dies: tests/oidc/token_endpoint/test_authorization_code.py and test_refresh_token.py.
"""

from datetime import timedelta

from idp.settings import settings
from tests.oidc.portal import Portal, assert_dead, assert_refused, body_of
from tests.support import rows
from tests.support.clocks import MovedClock


def test_the_replay_of_a_code_kills_what_it_issued(portal: Portal) -> None:
    code = portal.code_for(portal.granted(rows.person()))
    tokens = body_of(portal.redeem(code))
    assert_refused(portal.redeem(code), "invalid_grant")
    assert_dead(portal, tokens)


def test_the_reuse_of_a_refresh_token_kills_its_family(portal: Portal, moved_clock: MovedClock) -> None:
    first = portal.tokens(portal.granted(rows.person()))
    second = portal.refreshed(first["refresh_token"])
    moved_clock.advance(timedelta(seconds=settings().refresh_grace))
    assert_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert_dead(portal, second)


def test_another_grant_of_the_same_person_lives_on(portal: Portal) -> None:
    """A family is one authorization, in one sign-in."""
    person_id = rows.person()
    other = portal.tokens(portal.granted(person_id))
    code = portal.code_for(portal.granted(person_id))
    portal.redeem(code)
    portal.redeem(code)
    assert portal.introspect(other["access_token"])["active"] is True
    assert portal.refresh(other["refresh_token"]).status_code == 200
