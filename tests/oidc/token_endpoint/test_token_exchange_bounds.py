"""Token exchange: RFC 8693, DESIGN 4; never more than the token presented and what is granted now."""

from datetime import timedelta

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp import clock, jobs
from idp.clients import consents
from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN, GRANT_TYPE
from idp.sessions.model import Authorization
from idp.settings import settings
from idp.store.db import db, transaction
from tests.oidc.portal import (
    API,
    VERIFIER,
    Portal,
    assert_refused,
    basic,
    body_of,
    claims_in,
    is_alive,
)
from tests.oidc.proofs import Key
from tests.oidc.token_endpoint.exchanging import (
    OTHER_API,
    SWITCHER,
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
from tests.support.clocks import MovedClock

__all__ = ["own", "person", "switcher", "unit"]


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
    unit_id = bound_unit(person, 7, "rec.high")
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
