"""Trips to an upstream: for one browser, one upstream, one return (F1)."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from idp.federation import trips
from idp.federation.errors import TripGone
from idp.federation.model import Purpose, UpstreamTrip
from idp.federation.trips import Destination
from idp.jobs import forget_what_expired
from idp.store.db import db
from tests.support.clocks import MovedClock, moved_clock
from tests.support.parallel import all_at_once

__all__ = ["moved_clock"]

WHERE = Destination("unit", "an-interaction", "/unit")


def test_a_return_finds_where_it_was_going(app: Flask) -> None:
    secrets = trips.begin("province", "browser", WHERE)
    claimed = trips.claim("province", "browser", secrets.state)
    assert (claimed.secrets, claimed.destination) == (secrets, WHERE)


def test_neither_state_nor_secrets_are_stored_in_clear(app: Flask) -> None:
    secrets = trips.begin("province", "browser", WHERE)
    row = db.session.execute(text("SELECT * FROM upstream_trip")).one()
    for secret in (secrets.state, secrets.nonce, secrets.code_verifier):
        assert secret not in str(row)


@pytest.mark.parametrize(
    ("upstream", "browser", "purpose"),
    [
        ("social-card", "browser", Purpose.SIGN_IN),
        ("province", "another", Purpose.SIGN_IN),
        ("province", "browser", Purpose.UPGRADE),
    ],
)
def test_what_it_is_bound_to(app: Flask, upstream: str, browser: str, purpose: Purpose) -> None:
    """A state that was swapped, or carried into another browser, opens nothing and spoils nothing."""
    secrets = trips.begin("province", "browser", WHERE)
    with pytest.raises(TripGone):
        trips.claim(upstream, browser, secrets.state, purpose)
    trips.claim("province", "browser", secrets.state)


@pytest.mark.parametrize("state", ["", "x", "é", "x" * 5000, "\x00"])
def test_states_that_were_never_given(app: Flask, state: str) -> None:
    with pytest.raises(TripGone):
        trips.claim("province", "browser", state)


def test_it_expires_and_is_forgotten(app: Flask, moved_clock: MovedClock) -> None:
    secrets = trips.begin("province", "browser", WHERE)
    moved_clock.advance(trips.LIFETIME + timedelta(seconds=1))
    with pytest.raises(TripGone):
        trips.claim("province", "browser", secrets.state)
    forget_what_expired()
    assert db.session.query(UpstreamTrip).count() == 0


def test_of_parallel_returns_one_is_taken(app: Flask) -> None:
    secrets = trips.begin("province", "browser", WHERE)
    results = all_at_once(app, [lambda: trips.claim("province", "browser", secrets.state)] * 6)
    assert sum(isinstance(result, TripGone) for result in results) == 5
