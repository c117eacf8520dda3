"""What the hot requests cost in statements (DESIGN 9): one more must be a decision and not an accident."""

import pytest

from tests.oidc.counting import statements
from tests.oidc.portal import Portal
from tests.support import rows


@pytest.fixture
def for_unit(portal: Portal) -> str:
    """A grant of person 0 for unit 1; the client is known and the keys are parsed."""
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    portal.tokens(portal.granted(person_id))
    return portal.granted(person_id, unit_id, "rec.position")


def is_sqlite(portal: Portal) -> bool:
    found: bool = portal.app.extensions["jingban.settings"].database_url.startswith("sqlite")
    return found


def test_for_oneself(portal: Portal) -> None:
    """One look and one statement that claims and stores on PostgreSQL; on SQLite, where statements cost no round
    trip, one each for grant or family, code or token, new token and audit."""
    person_id = rows.person()
    portal.tokens(portal.granted(person_id))
    code = portal.code_for(portal.granted(person_id))
    with statements() as redeemed:
        answer = portal.redeem(code).get_json()
    with statements() as introspected:
        portal.introspect(answer["access_token"])
    with statements() as looked_up:
        portal.userinfo(answer["access_token"])
    with statements() as refreshed:
        portal.refresh(answer["refresh_token"])
    assert len(redeemed) == (5 if is_sqlite(portal) else 2), redeemed
    assert len(introspected) == 1, introspected
    assert len(looked_up) == 1, looked_up
    assert len(refreshed) == (5 if is_sqlite(portal) else 2), refreshed


def test_for_a_unit_it_is_one_more(portal: Portal, for_unit: str) -> None:
    """U13: `delegation/acting.py` is asked each time, with one statement."""
    code = portal.code_for(for_unit)
    with statements() as redeemed:
        answer = portal.redeem(code).get_json()
    with statements() as introspected:
        portal.introspect(answer["access_token"])
    with statements() as looked_up:
        portal.userinfo(answer["access_token"])
    assert (len(redeemed), len(introspected), len(looked_up)) == (6 if is_sqlite(portal) else 3, 2, 2)
