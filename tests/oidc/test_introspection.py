"""Token introspection: RFC 7662; whatever is not good right now is inactive (U13)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from idp import clock
from idp.clients.model import Client
from idp.delegation.model import Binding, Business, BusinessGrant
from idp.oidc.tokens import jws
from idp.persons.model import Person
from idp.sessions.model import Authorization
from idp.settings import settings
from idp.store.base import Base
from idp.store.db import transaction
from idp.units.model import Unit
from tests.oidc.portal import API, Portal, claims_in
from tests.support import rows
from tests.support.clocks import MovedClock

INACTIVE = {"active": False}


@pytest.fixture(params=["jwt", "opaque"])
def either(request: pytest.FixtureRequest, app: Flask, portal: Portal) -> Portal:
    """A portal with JWT access tokens, and one with opaque ones."""
    return Portal.registered(app, "either", access_token_format=request.param)


@pytest.fixture
def for_unit(either: Portal) -> str:
    """An access token of person 0 for unit 1, with one business."""
    person_id, unit_id = rows.person(), rows.unit(verified_at=clock.now())
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    return str(either.tokens(either.granted(person_id, unit_id, "rec.position"))["access_token"])


def test_an_access_token(either: Portal) -> None:
    person_id = rows.person()
    answer = either.introspect(either.tokens(either.granted(person_id, scope="openid profile"))["access_token"])
    assert answer["active"] is True
    assert answer["token_type"] == "Bearer"
    assert answer["sub"] == person_id
    assert answer["scope"] == "openid profile"
    assert answer["client_id"] == "either"
    assert answer["aud"] == API
    assert answer["iss"] == settings().issuer
    assert answer["exp"] - answer["iat"] == settings().access_token_lifetime


def test_acting_for_a_unit(either: Portal, for_unit: str) -> None:
    """DESIGN 4: an API that asks sees the unit first, and who acts."""
    answer = either.introspect(for_unit)
    assert answer["sub"].startswith("u_")
    assert answer["act"]["sub"].startswith("p_")
    assert answer["authorization_details"][0]["actions"] == ["rec.position"]


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard_of", "pem"])
def test_the_hint_is_only_a_hint(portal: Portal, hint: str) -> None:
    """RFC 7662 §2.1: if the server cannot find the token by the hint it must look further."""
    tokens = portal.tokens(portal.granted(rows.person()))
    for name in ("access_token", "refresh_token"):
        assert portal.introspect(tokens[name], token_type_hint=hint)["active"] is True


def test_a_refresh_token_of_ones_own(portal: Portal) -> None:
    person_id = rows.person()
    token = portal.tokens(portal.granted(person_id))["refresh_token"]
    answer = portal.introspect(token)
    assert answer.pop("exp") > clock.timestamp()
    assert answer == {
        "active": True,
        "iss": settings().issuer,
        "client_id": "portal",
        "scope": "openid",
        "sub": person_id,
    }


def test_a_used_refresh_token_is_inactive(portal: Portal) -> None:
    token = portal.tokens(portal.granted(rows.person()))["refresh_token"]
    portal.refreshed(token)
    assert portal.introspect(token) == INACTIVE


def test_other_things_are_inactive(portal: Portal) -> None:
    tokens = portal.tokens(portal.granted(rows.person()))
    for token in ("x", "x.y.z", "é", "a" * 5000, tokens["id_token"]):
        assert portal.introspect(token) == INACTIVE
    foreign = claims_in(tokens["access_token"]) | {"iss": "https://other.example"}
    assert portal.introspect(jws.sign(foreign, alg="ES256", typ="at+jwt")) == INACTIVE


# --- who may ask --------------------------------------------------------------------------------------------------


def test_the_api_that_a_token_is_for_may_ask(app: Flask, either: Portal, for_unit: str) -> None:
    api = Portal.registered(app, "api", grant_types=[], resource=API)
    assert api.introspect(for_unit)["active"] is True


@pytest.mark.parametrize("resource", ["https://other.example", None])
def test_others_see_nothing(app: Flask, either: Portal, for_unit: str, resource: str | None) -> None:
    """RFC 7662 §2.2, §4: inactive, as if it did not exist."""
    other = Portal.registered(app, "other", resource=resource)
    assert other.introspect(for_unit) == INACTIVE


def test_a_refresh_token_is_for_its_client_alone(app: Flask, portal: Portal) -> None:
    api = Portal.registered(app, "api", resource=API)
    assert api.introspect(portal.tokens(portal.granted(rows.person()))["refresh_token"]) == INACTIVE


# --- no longer good (U13) -----------------------------------------------------------------------------------------


LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
LOSSES: dict[str, list[tuple[type[Base], dict[str, Any]]]] = {
    "unbound": [(Binding, {"status": "ended", "ended_at": LONG_AGO})],
    "withdrawn": [(BusinessGrant, {"ended_at": LONG_AGO, "ended_why": "withdrawn"})],
    "put off": [(BusinessGrant, {"valid_from": FAR_AHEAD})],
    "person locked": [(Person, {"status": "locked"})],
    "person cancelled": [(Person, {"status": "cancelled"})],
    "unit locked": [(Unit, {"status": "locked"})],
    "unit cancelled": [(Unit, {"status": "cancelled"})],
    "business retired": [(Business, {"retired_at": LONG_AGO})],
    "business wants a verified unit": [(Business, {"needs_verified_unit": True}), (Unit, {"verified_at": None})],
    "business wants a higher level": [(Business, {"min_person_level": 3})],
    "grant ended": [(Authorization, {"ended_at": LONG_AGO, "ended_why": "signed_out"})],
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_shows_at_once(either: Portal, for_unit: str, loss: str) -> None:
    assert either.introspect(for_unit)["active"] is True
    with transaction() as session:
        for table, values in LOSSES[loss]:
            session.execute(update(table).values(**values))
    assert either.introspect(for_unit) == INACTIVE


def test_a_window_that_closes(either: Portal, moved_clock: MovedClock) -> None:
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business(), clock.now() + timedelta(seconds=100))
    token = either.tokens(either.granted(person_id, unit_id, "rec.position"))["access_token"]
    assert either.introspect(token)["active"] is True
    moved_clock.advance(timedelta(seconds=101))
    assert either.introspect(token) == INACTIVE


def test_expiry(either: Portal, for_unit: str, moved_clock: MovedClock) -> None:
    moved_clock.advance(timedelta(seconds=settings().access_token_lifetime))
    assert either.introspect(for_unit) == INACTIVE


def test_revocation(either: Portal, for_unit: str) -> None:
    either.revoke(for_unit)
    assert either.introspect(for_unit) == INACTIVE


def test_a_client_that_was_disabled(app: Flask, either: Portal, for_unit: str, moved_clock: MovedClock) -> None:
    api = Portal.registered(app, "api", resource=API)
    assert api.introspect(for_unit)["active"] is True
    with transaction() as session:
        session.execute(update(Client).where(Client.client_id == "either").values(disabled_at=clock.now()))
    moved_clock.advance(timedelta(seconds=3))
    assert api.introspect(for_unit) == INACTIVE
