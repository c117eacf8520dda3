"""Asking for less than was granted: resource indicators (RFC 8707) and authorization details (RFC 9396)."""

import json
from typing import Any

import pytest

from idp import clock
from tests.oidc.portal import API, Portal, assert_refused, body_of, claims_in, is_alive
from tests.support import rows

OTHER_API = "https://other-api.example"


# --- for which API ------------------------------------------------------------------------------------------------


@pytest.fixture
def two_apis(sqlite_portal: Portal) -> str:
    """A refresh token of a grant for two APIs."""
    grant_id = sqlite_portal.granted(rows.person(), resource=f"{API} {OTHER_API}")
    return str(sqlite_portal.tokens(grant_id)["refresh_token"])


def test_one_of_the_granted_resources_at_a_time(sqlite_portal: Portal) -> None:
    """RFC 8707 §2.2: the first granted is the usual one; a narrow token says nothing about the next."""
    grant_id = sqlite_portal.granted(rows.person(), resource=f"{API} {OTHER_API}")
    answer = body_of(sqlite_portal.redeem(sqlite_portal.code_for(grant_id), resource=OTHER_API))
    assert claims_in(answer["access_token"])["aud"] == OTHER_API
    answer = sqlite_portal.refreshed(answer["refresh_token"])
    assert claims_in(answer["access_token"])["aud"] == API
    answer = sqlite_portal.refreshed(answer["refresh_token"], resource=OTHER_API)
    assert sqlite_portal.introspect(answer["access_token"])["aud"] == OTHER_API


def test_several_at_once_or_another(sqlite_portal: Portal, two_apis: str) -> None:
    """RFC 8707 §2: a token of ours has one audience. The refresh token is not used up by asking wrongly."""
    several: Any = [API, OTHER_API]
    assert_refused(sqlite_portal.refresh(two_apis, resource=several), "invalid_target")
    assert_refused(sqlite_portal.refresh(two_apis, resource="https://third.example"), "invalid_target")
    assert sqlite_portal.refresh(two_apis).status_code == 200


# --- which businesses ---------------------------------------------------------------------------------------------


def details(**members: Any) -> str:
    """Return `authorization_details` of our type."""
    return json.dumps([{"type": "unit_delegation", **members}])


@pytest.fixture
def person(sqlite_portal: Portal) -> str:
    """Person 0."""
    del sqlite_portal
    return rows.person()


@pytest.fixture
def unit(person: str) -> str:
    """A unit that lets the person do both businesses."""
    unit_id = rows.unit(verified_at=clock.now())
    binding = rows.binding(unit_id, person)
    for business in ("rec.position", "rec.fair"):
        rows.grant(binding, rows.business(business))
    return unit_id


@pytest.fixture
def grant_id(sqlite_portal: Portal, person: str, unit: str) -> str:
    """What the person was granted for the unit."""
    return sqlite_portal.granted(person, unit, "rec.position", "rec.fair")


def test_the_answer_says_what_was_granted(sqlite_portal: Portal, grant_id: str, unit: str) -> None:
    """RFC 9396 §7, §9.1, §9.2: in the answer, in the token, in introspection, for the refresh token too."""
    granted = [{"type": "unit_delegation", "identifier": unit, "actions": ["rec.position", "rec.fair"]}]
    answer = sqlite_portal.tokens(grant_id)
    assert answer["authorization_details"] == granted
    assert claims_in(answer["access_token"])["authorization_details"] == granted
    for name in ("access_token", "refresh_token"):
        assert sqlite_portal.introspect(answer[name])["authorization_details"] == granted


def test_a_code_for_less(sqlite_portal: Portal, grant_id: str, unit: str) -> None:
    """RFC 9396 §6."""
    less = details(actions=["rec.fair"], identifier=unit)
    answer = body_of(sqlite_portal.redeem(sqlite_portal.code_for(grant_id), authorization_details=less))
    assert answer["authorization_details"][0]["actions"] == ["rec.fair"]
    assert answer["scope"] == "openid rec.fair"


def test_a_refresh_for_less_and_then_for_all(sqlite_portal: Portal, grant_id: str) -> None:
    """RFC 9396 §6.1: as with `scope`, the grant itself does not shrink."""
    answer = sqlite_portal.tokens(grant_id)
    less = sqlite_portal.refreshed(answer["refresh_token"], authorization_details=details(actions=["rec.fair"]))
    assert sqlite_portal.introspect(less["access_token"])["scope"] == "openid rec.fair"
    both = sqlite_portal.refreshed(less["refresh_token"], authorization_details=details(), scope="openid rec.fair")
    assert both["scope"] == "openid rec.fair"
    assert sqlite_portal.refreshed(both["refresh_token"])["scope"] == "openid rec.position rec.fair"


@pytest.mark.parametrize(
    "wrong",
    [
        details(identifier="u_other"),
        details(actions=["rec.unheard_of"]),
        details(actions="rec.fair"),
        details(more=1),
        '[{"type":"payment"}]',
        "[]",
        "[1]",
        "{}",
        "[",
        "[[" * 2000,
        json.dumps([{"type": "unit_delegation"}] * 2),
    ],
)
def test_wrong_details(sqlite_portal: Portal, grant_id: str, wrong: str) -> None:
    """RFC 9396 §5: refused, and the refresh token is not used up by it."""
    token = sqlite_portal.tokens(grant_id)["refresh_token"]
    refused = sqlite_portal.refresh(token, authorization_details=wrong)
    assert_refused(refused, "invalid_authorization_details")
    assert is_alive(grant_id)
    assert sqlite_portal.refresh(token).status_code == 200


def test_more_than_was_granted(sqlite_portal: Portal, person: str, unit: str) -> None:
    """Although the unit would let the person, and the client may ask."""
    token = sqlite_portal.tokens(sqlite_portal.granted(person, unit, "rec.fair"))["refresh_token"]
    refused = sqlite_portal.refresh(token, authorization_details=details(actions=["rec.position"]))
    assert_refused(refused, "invalid_authorization_details")


def test_nobody_is_acted_for(sqlite_portal: Portal) -> None:
    answer = sqlite_portal.tokens(sqlite_portal.granted(rows.person()))
    assert "authorization_details" not in answer
    refused = sqlite_portal.refresh(answer["refresh_token"], authorization_details=details())
    assert_refused(refused, "invalid_authorization_details")
