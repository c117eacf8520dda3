"""A client that an administrator disables (A2): at once nothing of it works, and nothing of it comes back (U13)."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import update

from idp import clock
from idp.clients.model import Client
from idp.clients.registry import TRUST_MS
from idp.sessions import client_removal
from idp.store.db import transaction
from tests.oidc.conftest import moved_clock
from tests.oidc.portal import API, Portal, assert_dead, assert_refused, audited, is_alive, portal_session_alive
from tests.support import rows
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

__all__ = ["moved_clock"]


def enabled_again(client_id: str, clock_of_tests: MovedClock) -> None:
    """There is no command for it: an operator mends the row by hand."""
    with transaction() as session:
        session.execute(
            update(Client).where(Client.client_id == client_id).values(disabled_at=None, version=Client.version + 1)
        )
    clock_of_tests.advance(timedelta(milliseconds=TRUST_MS))


def offline(portal: Portal, person_id: str) -> tuple[str, dict[str, Any]]:
    grant = portal.granted(person_id, scope="openid offline_access")
    return grant, portal.tokens(grant)


def test_everything_ends_at_once(app: Flask) -> None:
    """Also while other processes still trust their copy of the client: what hangs on it is over in the database."""
    plant_keys()
    portal, api, other = Portal.registered(app), Portal.registered(app, "api"), Portal.registered(app, "other")
    person = rows.person()
    grant, tokens = offline(portal, person)
    others, _ = offline(other, person)
    assert api.introspect(tokens["access_token"])["active"] is True
    assert client_removal.disable("portal") is True
    assert api.introspect(tokens["access_token"]) == {"active": False}
    assert api.userinfo(tokens["access_token"]).status_code == 401
    assert_refused(portal.refresh(tokens["refresh_token"]), "invalid_grant")
    assert not is_alive(grant)
    assert not portal_session_alive(grant)
    assert is_alive(others)
    assert portal_session_alive(others)
    [ended] = audited("portal_session.ended")
    assert (ended.client_id, ended.details["why"]) == ("portal", "client_disabled")


def test_enabling_again_revives_nothing(app: Flask, moved_clock: MovedClock) -> None:
    plant_keys()
    portal = Portal.registered(app)
    person = rows.person()
    grant, tokens = offline(portal, person)
    code = portal.code_for(portal.granted(person))
    client_removal.disable("portal")
    enabled_again("portal", moved_clock)
    assert_dead(portal, tokens)
    assert_refused(portal.redeem(code), "invalid_grant")
    assert not is_alive(grant)
    assert is_alive(offline(portal, person)[0]), "who signs in anew is served"


def test_exchanged_grants_end_too(app: Flask) -> None:
    """RFC 8693: a grant that the client got for another audience hangs on no code."""
    plant_keys()
    portal = Portal.registered(app)
    first = portal.granted(rows.person())
    second = portal.granted(rows.person(1), parent_id=first, portal_session_id=None, resource=API)
    client_removal.disable("portal")
    assert not is_alive(second)


def test_whom_there_is_not(app: Flask) -> None:
    assert client_removal.disable("nobody") is False
    rows.client("portal", disabled_at=clock.now())
    assert client_removal.disable("portal") is False
    assert audited("client.disabled") == []
