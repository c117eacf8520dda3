"""The list of devices: living sessions of one's own, ended one by one or all but this one."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.errors import NotFound
from idp.notify.model import OutboxMessage
from idp.sessions import browser_sessions, devices
from idp.settings import settings
from idp.store.db import db
from tests.support import rows
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture


def session_id(token: str) -> str:
    found = browser_sessions.find(token)
    assert found is not None
    return found.session_id


def test_living_sessions_of_this_account_are_listed(app: Flask) -> None:
    mine, another = rows.person(0), rows.person(1)
    first, second = rows.signed_in(mine), rows.signed_in(mine)
    rows.signed_in(another)
    listed = devices.devices(mine)
    assert {device.session_id for device in listed} == {session_id(first), session_id(second)}
    assert listed[0].user_agent == "test"


def test_sessions_that_idled_out_are_not_listed(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    mine = rows.person(0)
    rows.signed_in(mine)
    moved_clock.advance(timedelta(seconds=settings().session_idle + 1))
    assert devices.devices(mine) == []


def test_one_session_is_ended_and_its_portals_are_told(app: Flask) -> None:
    mine = rows.person(0)
    rows.client()
    authorization = rows.at_portal(mine, None)
    [device] = devices.devices(mine)
    assert devices.portals(device.session_id) == ["门户portal"]
    devices.end(mine, device.session_id)
    assert devices.devices(mine) == []
    assert not rows.is_alive(authorization)
    assert db.session.scalars(select(OutboxMessage.kind)).all() == ["backchannel_logout"]


def test_nobody_ends_the_session_of_another(app: Flask) -> None:
    mine, another = rows.person(0), rows.person(1)
    theirs = rows.signed_in(another)
    with pytest.raises(NotFound):
        devices.end(mine, session_id(theirs))
    assert browser_sessions.find(theirs) is not None


def test_all_others_end_and_this_one_stays(app: Flask) -> None:
    mine = rows.person(0)
    here, *others = (rows.signed_in(mine) for _ in range(3))
    devices.end_others(mine, session_id(here))
    assert browser_sessions.find(here) is not None
    assert [browser_sessions.find(token) for token in others] == [None, None]


def test_a_new_secret_replaces_the_old_one(app: Flask) -> None:
    """DESIGN 8: renewed at a level change; when and how the person authenticated stays."""
    token = rows.signed_in(rows.person(0))
    before = browser_sessions.find(token)
    assert before is not None
    fresh = browser_sessions.renew(before.session_id)
    assert fresh is not None
    assert browser_sessions.find(token) is None
    assert browser_sessions.find(fresh) == before
    devices.sign_out(before.session_id)
    assert browser_sessions.renew(before.session_id) is None
