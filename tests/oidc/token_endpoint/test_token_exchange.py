"""Token exchange: RFC 8693, DESIGN 4, C4; never more than the token presented and what is granted now."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp import clock, jobs
from idp.clients import consents
from idp.delegation import grants as unit_grants
from idp.delegation.model import Binding
from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN, GRANT_TYPE
from idp.sessions import browser_sessions
from idp.sessions.model import Authorization, PortalSession
from idp.settings import settings
from idp.store.db import db, transaction
from tests.oidc.portal import (
    API,
    VERIFIER,
    Portal,
    assert_refused,
    audited,
    basic,
    body_of,
    claims_in,
    is_alive,
    logouts_queued,
)
from tests.oidc.proofs import Key
from tests.support import rows
from tests.support.clocks import MovedClock

OTHER_API = "https://other-api.example"
SWITCHER: dict[str, Any] = {
    "grant_types": ["authorization_code", "refresh_token", GRANT_TYPE],
    "consent_required": False,
    "more": {"resources": [OTHER_API]},
}


def delegation(unit_id: str | None = None, *actions: str, **members: Any) -> str:
    """Return `authorization_details` for a unit."""
    named = {} if unit_id is None else {"identifier": unit_id}
    return json.dumps([{"type": "unit_delegation", "actions": list(actions), **named, **members}])


def exchange(portal: Portal, token: str, **form: str) -> TestResponse:
    """Present `token` as the subject token."""
    usual = {"grant_type": GRANT_TYPE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
    return portal.post("/oidc/token", usual | form)


def exchanged(portal: Portal, token: str, **form: str) -> dict[str, Any]:
    """Return the answer to an exchange."""
    response = exchange(portal, token, **form)
    assert response.status_code == 200, response.text
    return body_of(response)


def _binding_of(unit_id: str) -> str:
    found = db.session.scalars(select(Binding.id).where(Binding.unit_id == unit_id)).one()
    db.session.rollback()
    return found


def _unit(person_id: str, n: int, *businesses: str) -> str:
    """Bind the person to unit `n` and grant them businesses."""
    unit_id = rows.unit(n, verified_at=clock.now())
    binding = rows.binding(unit_id, person_id)
    for business in businesses:
        rows.grant(binding, business)
    return unit_id


@pytest.fixture
def switcher(sqlite_portal: Portal) -> Portal:
    """A portal that is registered for token exchange."""
    for business in ("rec.position", "rec.fair"):
        rows.business(business)
    return Portal.registered(sqlite_portal.app, "switcher", **SWITCHER)


@pytest.fixture
def person(switcher: Portal) -> str:
    """Person 0."""
    del switcher
    return rows.person()


@pytest.fixture
def unit(person: str) -> str:
    """A unit that lets the person do both businesses."""
    return _unit(person, 1, "rec.position", "rec.fair")


@pytest.fixture
def own(switcher: Portal, person: str) -> str:
    """The person's own access token at the portal."""
    return str(switcher.tokens(switcher.granted(person, scope="openid profile offline_access"))["access_token"])


# --- the story (C4) -------------------------------------------------------------------------------------------------


def test_an_agent_of_two_units_switches_without_a_new_login(portal: Portal) -> None:
    """C4, DESIGN 4, U13: one sign-in; unit A, unit B, oneself; and what a unit withdraws ends for that unit only."""
    for business in ("rec.position", "rec.fair"):
        rows.business(business)
    recruitment = Portal.registered(portal.app, "recruitment", **SWITCHER)
    agent = rows.person()
    unit_a, unit_b = _unit(agent, 1, "rec.position"), _unit(agent, 2, "rec.position", "rec.fair")

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
    for token, unit in ((for_a, unit_a), (for_b, unit_b)):
        answer = body_of(recruitment.userinfo(token["access_token"]))
        assert (answer["sub"], answer["acting_for"]["sub"]) == (agent, unit)

    # Back to oneself is the person's own token, which never changed.
    assert "acting_for" not in body_of(recruitment.userinfo(own))

    # Unit A withdraws: its token is dead at once and the portal is told of that pair; all else goes on.
    unit_grants.withdraw(unit_a, _binding_of(unit_a), "rec.position")
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
    unit = _unit(person, 1, "rec.fair")
    own = opaque.tokens(opaque.granted(person))["access_token"]
    answer = exchanged(opaque, own, authorization_details=delegation(unit, "rec.fair"))
    assert opaque.introspect(answer["access_token"])["sub"] == unit


def test_the_businesses_may_stand_in_the_scope(switcher: Portal, own: str, unit: str) -> None:
    answer = exchanged(switcher, own, authorization_details=delegation(unit), scope="openid rec.position")
    assert answer["scope"] == "openid rec.position"


def test_one_gets_what_is_granted_of_what_one_asks(switcher: Portal, own: str, person: str) -> None:
    """C3: as at the authorization endpoint."""
    unit = _unit(person, 2, "rec.fair")
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
    other = _unit(person, 2, "rec.fair")
    for_unit = exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair"))["access_token"]
    response = exchange(switcher, for_unit, authorization_details=delegation(other, "rec.fair"))
    assert_refused(response, "invalid_authorization_details")
    wider = exchange(switcher, for_unit, authorization_details=delegation(unit, "rec.fair", "rec.position"))
    assert_refused(wider, "invalid_authorization_details")


def test_it_ends_with_the_token_presented(switcher: Portal, own: str, unit: str, moved_clock: MovedClock) -> None:
    moved_clock.advance(timedelta(seconds=100))
    answer = exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair"))
    assert claims_in(answer["access_token"])["exp"] == claims_in(own)["exp"]
    assert answer["expires_in"] <= 200


def test_it_ends_with_the_delegation(switcher: Portal, own: str, person: str) -> None:
    """DESIGN 4: `exp` is never later than the grant's end."""
    unit_id = rows.unit(3, verified_at=clock.now())
    end = clock.now() + timedelta(seconds=60)
    rows.grant(rows.binding(unit_id, person), "rec.fair", valid_to=end)
    answer = exchanged(switcher, own, authorization_details=delegation(unit_id, "rec.fair"))
    assert claims_in(answer["access_token"])["exp"] == int(end.timestamp())


def test_the_level_counts(switcher: Portal, person: str) -> None:
    """C3: what the session's level does not allow is not had by exchange; and the portal can tell the person why."""
    high = Portal.registered(
        switcher.app, "high", **SWITCHER, scopes=["openid", rows.business("rec.high", min_person_level=3)]
    )
    unit_id = _unit(person, 7, "rec.high")
    token = high.tokens(high.granted(person))["access_token"]
    refused = exchange(high, token, authorization_details=delegation(unit_id, "rec.high"))
    assert_refused(refused, "invalid_target")
    assert "person_level" in body_of(refused)["error_description"]


def test_what_the_person_has_not_agreed_to(switcher: Portal, person: str, unit: str) -> None:
    """The consent for oneself says nothing about a unit; with consent for one business, one gets that one."""
    asking = Portal.registered(switcher.app, "asking", **SWITCHER | {"consent_required": True})
    own = asking.tokens(asking.granted(person, scope="openid profile"))["access_token"]
    details = delegation(unit, "rec.fair", "rec.position")
    assert_refused(exchange(asking, own, authorization_details=details), "consent_required")
    with transaction() as session:
        consents.give(session, subject_id=person, client_id="asking", unit_id=unit, scopes=["openid", "rec.fair"])
    assert exchanged(asking, own, authorization_details=details)["scope"] == "openid rec.fair"


def test_a_bound_token_stays_bound(switcher: Portal, person: str, unit: str) -> None:
    """RFC 9449: to the same key at the client that holds it, to its own at the API that it was sent to."""
    api = Portal.registered(switcher.app, "api", **SWITCHER, resource=API)
    key, other = Key(), Key()

    def send(portal: Portal, form: dict[str, str], proof: str | None) -> TestResponse:
        headers = {"Authorization": basic(portal.client_id, portal.secret or "")}
        return portal.post("/oidc/token", form, headers=headers | ({"DPoP": proof} if proof else {}))

    form = {
        "grant_type": "authorization_code",
        "code": switcher.code_for(switcher.granted(person)),
        "redirect_uri": switcher.redirect_uri,
        "code_verifier": VERIFIER,
    }
    own = body_of(send(switcher, form, key.proof()))["access_token"]
    form = {"grant_type": GRANT_TYPE, "subject_token": own, "subject_token_type": ACCESS_TOKEN}
    switch = form | {"authorization_details": delegation(unit, "rec.fair")}
    for proof in (None, other.proof()):
        assert_refused(send(switcher, switch, proof), "invalid_request")
    answer = body_of(send(switcher, switch, key.proof()))
    assert (answer["token_type"], claims_in(answer["access_token"])["cnf"]) == ("DPoP", {"jkt": key.jkt})
    assert_refused(send(api, form, None), "invalid_request")
    passed_on = body_of(send(api, form, other.proof()))
    assert claims_in(passed_on["access_token"])["cnf"] == {"jkt": other.jkt}


# --- for another audience -------------------------------------------------------------------------------------------


def test_a_unit_s_token_for_another_api(switcher: Portal, own: str, unit: str) -> None:
    """RFC 8693 §1.1: and for less, if the client likes."""
    for_unit = exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair", "rec.position"))
    answer = exchanged(switcher, for_unit["access_token"], audience=OTHER_API, scope="rec.fair")
    said = switcher.introspect(answer["access_token"])
    assert (said["aud"], said["scope"], said["sub"]) == (OTHER_API, "rec.fair", unit)
    assert said["authorization_details"][0]["actions"] == ["rec.fair"]
    assert said["sid"] == switcher.introspect(for_unit["access_token"])["sid"]
    assert_refused(switcher.userinfo(answer["access_token"]), "insufficient_scope", 403)


def test_an_api_passes_on_what_it_was_sent(switcher: Portal, own: str, unit: str) -> None:
    """RFC 8693 §1.1: the API gets a token in its own name for the API behind it; it cannot choose a unit."""
    api = Portal.registered(
        switcher.app, "api", **SWITCHER | {"grant_types": [GRANT_TYPE]}, scopes=["rec.fair"], resource=API
    )
    for_unit = exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair", "rec.position"))
    passed_on = exchanged(api, for_unit["access_token"], resource=OTHER_API)
    said = api.introspect(passed_on["access_token"])
    assert (said["client_id"], said["aud"], said["sub"]) == ("api", OTHER_API, unit)
    assert said["scope"] == "rec.fair"
    assert_refused(exchange(api, own, authorization_details=delegation(unit, "rec.fair")), "invalid_request")


def test_the_higher_demand_of_an_api_counts(switcher: Portal, own: str) -> None:
    """F3: the client that the token comes to demands its own level."""
    api = Portal.registered(
        switcher.app, "api", **SWITCHER | {"grant_types": [GRANT_TYPE]}, resource=API, min_person_level=3
    )
    assert_refused(exchange(api, own, resource=OTHER_API), "invalid_target")


# --- who may ---------------------------------------------------------------------------------------------------------


def test_whose_token_it_is(switcher: Portal, own: str) -> None:
    """Neither issued to it nor for it: as if the token were none."""
    stranger = Portal.registered(switcher.app, "stranger", **SWITCHER, resource="https://stranger.example")
    assert_refused(exchange(stranger, own), "invalid_request")


def test_nobody_is_the_issuer(switcher: Portal, person: str) -> None:
    """Tokens of clients without an API are for UserInfo; a client that claims our address is not given them."""
    issuer = settings().issuer
    plain = Portal.registered(switcher.app, "plain", **SWITCHER, resource=None)
    token = plain.tokens(plain.granted(person, resource=issuer))["access_token"]
    pretender = Portal.registered(switcher.app, "pretender", **SWITCHER, resource=issuer)
    assert_refused(exchange(pretender, token), "invalid_request")
    assert pretender.introspect(token) == {"active": False}
    assert exchange(plain, token).status_code == 200


def test_a_client_that_is_not_registered_for_it(sqlite_portal: Portal) -> None:
    assert_refused(exchange(sqlite_portal, "x"), "unauthorized_client")


def test_a_client_whose_users_act_for_nobody(switcher: Portal, person: str, unit: str) -> None:
    never = Portal.registered(switcher.app, "never", **SWITCHER, acts_for="never")
    own = never.tokens(never.granted(person))["access_token"]
    refused = exchange(never, own, authorization_details=delegation(unit, "rec.fair"))
    assert_refused(refused, "invalid_authorization_details")


def test_a_client_whose_registration_lists_other_types(switcher: Portal, person: str, unit: str) -> None:
    """RFC 9396 §10."""
    other = Portal.registered(switcher.app, "other", **SWITCHER | {"more": {"authorization_details_types": ["x"]}})
    own = other.tokens(other.granted(person))["access_token"]
    refused = exchange(other, own, authorization_details=delegation(unit, "rec.fair"))
    assert_refused(refused, "invalid_authorization_details")


# --- what becomes of it ----------------------------------------------------------------------------------------------


def test_revoking_the_grant_ends_what_came_from_it(switcher: Portal, person: str, unit: str) -> None:
    """RFC 7009 §2.1, also through two exchanges."""
    tokens = switcher.tokens(switcher.granted(person))
    for_unit = exchanged(switcher, tokens["access_token"], authorization_details=delegation(unit, "rec.fair"))
    narrow = exchanged(switcher, for_unit["access_token"], audience=OTHER_API)
    assert switcher.revoke(tokens["refresh_token"]).status_code == 200
    for token in (for_unit, narrow):
        assert switcher.introspect(token["access_token"]) == {"active": False}
    assert_refused(exchange(switcher, for_unit["access_token"]), "invalid_request")


def test_an_exchanged_authorization_is_forgotten(
    switcher: Portal, person: str, unit: str, moved_clock: MovedClock
) -> None:
    """DESIGN 7: tables bound themselves; what the person agreed to at sign-in stays."""
    grant_id = switcher.granted(person)
    own = switcher.tokens(grant_id)["access_token"]
    exchanged(switcher, own, authorization_details=delegation(unit, "rec.fair"))
    count = select(func.count()).select_from(Authorization)
    db.session.rollback()
    assert db.session.scalar(count) == 2
    db.session.rollback()
    moved_clock.advance(timedelta(seconds=301))
    jobs.forget_what_expired()
    assert db.session.scalar(count) == 1
    assert is_alive(grant_id)
