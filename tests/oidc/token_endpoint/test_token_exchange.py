"""Token exchange: RFC 8693, DESIGN 4, C4; what one asks, what is answered, what is refused."""

import pytest
from sqlalchemy import select

from idp.delegation import grants as unit_grants
from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN
from idp.sessions import browser_sessions
from idp.sessions.model import Authorization, PortalSession
from idp.store.db import transaction
from tests.oidc.portal import (
    API,
    Portal,
    assert_refused,
    audited,
    body_of,
    claims_in,
    logouts_queued,
)
from tests.oidc.token_endpoint.exchanging import (
    OTHER_API,
    SWITCHER,
    binding_of,
    bound_unit,
    delegation,
    exchange,
    exchanged,
    own,
    person,
    switcher,
    unit,
)
from tests.support import rows

__all__ = ["own", "person", "switcher", "unit"]


# --- the story (C4) -------------------------------------------------------------------------------------------------


def test_an_agent_of_two_units_switches_without_a_new_login(portal: Portal) -> None:
    """C4, DESIGN 4, U13: one sign-in; unit A, unit B, oneself; and what a unit withdraws ends for that unit only."""
    for business in ("rec.position", "rec.fair"):
        rows.business(business)
    recruitment = Portal.registered(portal.app, "recruitment", **SWITCHER)
    agent = rows.person()
    unit_a, unit_b = bound_unit(agent, 1, "rec.position"), bound_unit(agent, 2, "rec.position", "rec.fair")

    # The agent signs in at the portal, once, as a person.
    own_grant = recruitment.granted(agent, scope="openid profile")
    own = recruitment.tokens(own_grant)["access_token"]

    # The portal lets them choose unit A, then unit B in another tab.
    for_a = exchanged(recruitment, own, authorization_details=delegation(unit_a, "rec.position"))
    for_b = exchanged(recruitment, own, authorization_details=delegation(unit_b, "rec.position", "rec.fair"))

    # Each token acts for its own unit: the API sees the unit, and who acts.
    said_a, said_b = (recruitment.introspect(each["access_token"]) for each in (for_a, for_b))
    assert (said_a["sub"], said_a["act"]["sub"]) == (unit_a, agent)
    assert (said_b["sub"], said_b["act"]["sub"]) == (unit_b, agent)
    assert said_a["scope"].split() == ["openid", "profile", "rec.position"]
    assert said_b["authorization_details"][0]["actions"] == ["rec.position", "rec.fair"]
    assert len({said_a["sid"], said_b["sid"], recruitment.introspect(own)["sid"]}) == 3

    # UserInfo is about the person, and says for whom.
    for token, acted_for in ((for_a, unit_a), (for_b, unit_b)):
        answer = body_of(recruitment.userinfo(token["access_token"]))
        assert (answer["sub"], answer["acting_for"]["sub"]) == (agent, acted_for)

    # Back to oneself is the person's own token, which never changed.
    assert "acting_for" not in body_of(recruitment.userinfo(own))

    # Unit A withdraws: its token is dead at once and the portal is told of that pair; all else goes on.
    unit_grants.withdraw(unit_a, binding_of(unit_a), "rec.position")
    assert recruitment.introspect(for_a["access_token"]) == {"active": False}
    assert logouts_queued() == 1
    assert recruitment.introspect(for_b["access_token"])["active"] is True
    assert recruitment.introspect(own)["active"] is True
    refused = exchange(recruitment, own, authorization_details=delegation(unit_a, "rec.position"))
    assert_refused(refused, "invalid_target")
    assert "not_granted" in body_of(refused)["error_description"]

    # The agent signs out, and everything is over.
    with transaction() as session:
        sid = session.scalars(
            select(PortalSession.session_id)
            .join(Authorization, Authorization.portal_session_id == PortalSession.id)
            .where(Authorization.id == own_grant)
        ).one()
        browser_sessions.end(session, sid, why="signed_out")
    assert recruitment.introspect(for_b["access_token"]) == {"active": False}
    assert_refused(exchange(recruitment, own, authorization_details=delegation(unit_b, "rec.fair")), "invalid_request")


# --- what the answer holds ------------------------------------------------------------------------------------------


def test_the_answer(switcher: Portal, own: str, unit: str) -> None:
    """RFC 8693 §2.2.1; no refresh token and no ID token; RFC 9396 §7; DESIGN 4."""
    answer = exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair"))
    details = [{"type": "unit_delegation", "identifier": unit, "actions": ["rec.fair"]}]
    assert set(answer) == {
        *("access_token", "issued_token_type", "token_type", "expires_in", "scope", "authorization_details"),
    }
    assert (answer["issued_token_type"], answer["token_type"]) == (ACCESS_TOKEN, "Bearer")
    assert (answer["scope"], answer["authorization_details"]) == ("openid profile rec.fair", details)
    claims, before = claims_in(answer["access_token"]), claims_in(own)
    assert (claims["sub"], claims["act"]["sub"]) == (unit, before["sub"])
    assert claims["authorization_details"] == details
    assert claims["client_id"] == "switcher"
    for same in ("iss", "aud", "acr", "amr", "auth_time"):
        assert claims[same] == before[same]


def test_opaque_tokens_are_exchanged_alike(switcher: Portal) -> None:
    opaque = Portal.registered(switcher.app, "opaque", **SWITCHER, access_token_format="opaque")
    person = rows.person()
    unit = bound_unit(person, 1, "rec.fair")
    own = opaque.tokens(opaque.granted(person))["access_token"]
    answer = exchanged(opaque, own, authorization_details=delegation(unit, "rec.fair"))
    assert opaque.introspect(answer["access_token"])["sub"] == unit


def test_the_businesses_may_stand_in_the_scope(switcher: Portal, own: str, unit: str) -> None:
    answer = exchanged(switcher, own, authorization_details=delegation(unit), scope="openid rec.position")
    assert answer["scope"] == "openid rec.position"


def test_one_gets_what_is_granted_of_what_one_asks(switcher: Portal, own: str, person: str) -> None:
    """C3: as at the authorization endpoint."""
    unit = bound_unit(person, 2, "rec.fair")
    answer = exchanged(switcher, own, authorization_details=delegation(unit, "rec.position", "rec.fair"))
    assert answer["authorization_details"][0]["actions"] == ["rec.fair"]


def test_it_is_audited(switcher: Portal, own: str, person: str, unit: str) -> None:
    exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair"))
    exchange(switcher, own, authorization_details=delegation("u_unheard_of"))
    done, refused = audited("token.exchanged")
    assert (done.actor_id, done.unit_id, done.client_id, done.outcome) == (person, unit, "switcher", "ok")
    assert done.details["scope"] == "openid profile rec.fair"
    assert (refused.outcome, refused.unit_id, refused.details) == ("refused", "u_unheard_of", {"why": "not_bound"})


# --- never more -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"authorization_details": delegation(None, "rec.fair")}, "invalid_authorization_details"),
        ({"authorization_details": delegation("u_unheard_of")}, "invalid_target"),
        ({"authorization_details": delegation("p_no_unit")}, "invalid_authorization_details"),
        ({"authorization_details": delegation("u_x", "rec.unheard_of")}, "invalid_authorization_details"),
        ({"authorization_details": delegation("u_x", more=1)}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"payment"}]'}, "invalid_authorization_details"),
        ({"authorization_details": "{"}, "invalid_authorization_details"),
        ({"authorization_details": delegation("u_x"), "scope": "openid phone"}, "invalid_scope"),
        ({"authorization_details": delegation("u_x"), "scope": "openid offline_access"}, "invalid_scope"),
        ({"scope": "openid phone"}, "invalid_scope"),
        ({"scope": "rec.fair"}, "invalid_scope"),
        ({"audience": "https://unknown.example"}, "invalid_target"),
        ({"resource": OTHER_API, "audience": API}, "invalid_target"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"subject_token": "x"}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
    ],
)
def test_refused(switcher: Portal, own: str, form: dict[str, str], error: str) -> None:
    """RFC 8693 §2.2.2, RFC 8707 §2, RFC 9396 §5, RFC 6749 §5.2."""
    assert_refused(exchange(switcher, own, **form), error)


def test_a_unit_s_token_never_becomes_another_unit_s(switcher: Portal, own: str, person: str, unit: str) -> None:
    """Whoever holds a token for one unit holds nothing of another; the person's own token does that."""
    other = bound_unit(person, 2, "rec.fair")
    for_unit = exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair"))["access_token"]
    response = exchange(switcher, for_unit, authorization_details=delegation(other, "rec.fair"))
    assert_refused(response, "invalid_authorization_details")
    wider = exchange(switcher, for_unit, authorization_details=delegation(unit, "rec.fair", "rec.position"))
    assert_refused(wider, "invalid_authorization_details")
