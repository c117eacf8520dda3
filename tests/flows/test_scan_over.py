"""扫码登录 that comes to nothing (P7): expired, unknown, too early, locked or signed out meanwhile, too often."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import jobs
from idp.factors.model import ScanTicket
from idp.persons.model import AccountStatus, Person
from idp.sessions import browser_sessions, interactions
from idp.store.db import db, transaction
from tests.flows.authorizing import Acting
from tests.flows.inside import forgetful
from tests.flows.scanning import GONE, Desktop, Phone, confirmed, desktop, migrated_url
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock

__all__ = ["desktop", "migrated_url", "moved_clock"]


def test_it_expires(app: Flask, desktop: Desktop, moved_clock: MovedClock) -> None:
    """Three minutes to be scanned, as much again to be confirmed, one minute to go on."""
    person_id = rows.person()
    desktop.begin()
    moved_clock.advance(timedelta(seconds=181))
    assert desktop.state() == "expired"
    late = Phone(app, "late").as_person(person_id)
    late.get(desktop.address)
    assert (late.status, GONE in late.text) == (404, True)
    assert GONE in desktop.get(desktop.url).text

    desktop.begin()
    phone = Phone(app).as_person(person_id)
    moved_clock.advance(timedelta(seconds=175))
    phone.get(desktop.address)
    moved_clock.advance(timedelta(seconds=175))
    number = desktop.number()
    moved_clock.advance(timedelta(seconds=10))
    phone.confirm(number)
    assert (phone.status, GONE in phone.text) == (404, True)

    desktop.begin()
    confirmed(app, desktop, person_id)
    moved_clock.advance(timedelta(seconds=61))
    assert GONE in desktop.go_on().text
    assert desktop.who() is None
    jobs.forget_what_expired()
    assert db.session.scalars(select(ScanTicket)).all() == []


@pytest.mark.parametrize("ticket_id", ["BCDFGHJKLM", "BCDFG-HJKLM", "x", "％", "b" * 300])
def test_unknown_codes(app: Flask, ticket_id: str) -> None:
    desktop, phone = Desktop(app), Phone(app).as_person(rows.person())
    for visitor, path in ((desktop, "/sign-in/scan/"), (phone, "/scan/"), (Phone(app), "/scan/")):
        visitor.get(path + ticket_id)
        assert (visitor.status, GONE in visitor.text) == (404, True)
    assert desktop.client.get("/sign-in/scan-state", query_string={"ticket": ticket_id}).get_json() == {
        "state": "expired"
    }


def test_the_button_before_the_phone_confirmed(desktop: Desktop) -> None:
    """Without JavaScript the button asks, as often as one likes."""
    desktop.begin().go_on()
    assert desktop.status == 200
    assert "手机上还没有确认" in desktop.text
    assert desktop.who() is None


def test_an_account_that_was_locked_meanwhile(app: Flask, desktop: Desktop) -> None:
    """P9: and the script does not try again for ever."""
    person_id = rows.person()
    desktop.begin()
    confirmed(app, desktop, person_id)
    with transaction() as session:
        session.get_one(Person, person_id).status = AccountStatus.LOCKED
    desktop.go_on()
    assert desktop.status == 403
    assert "data-scan=" not in desktop.text
    assert desktop.who() is None


def test_a_phone_that_was_signed_out_meanwhile(app: Flask, desktop: Desktop) -> None:
    """Whoever ends all sessions ends what they confirmed."""
    person_id = rows.person()
    desktop.begin()
    confirmed(app, desktop, person_id)
    with transaction() as session:
        browser_sessions.end_all_of(session, person_id, why="password_changed")
    assert desktop.go_on().status == 404
    assert desktop.who() is None


def test_whoever_is_signed_in_needs_no_code(app: Flask, desktop: Desktop) -> None:
    desktop.sign_in(rows.person())
    assert desktop.begin().url == "http://localhost/account"
    assert desktop.begin(again="1").state() == "waiting"


def test_the_interaction_may_be_over(app: Flask, desktop: Desktop) -> None:
    """It took too long at the portal's side: signed in all the same. Another browser's is refused at once."""
    acting = Acting(app)
    acting.visitor = desktop
    acting.ask("openid")
    interaction_id = acting.interaction().id
    assert Desktop(app, "other").begin(interaction=interaction_id).status == 400
    desktop.begin(interaction=interaction_id)
    confirmed(app, desktop, acting.person_id)
    ticket_id = desktop.ticket_id
    interactions.finish(db.session(), interaction_id)
    db.session.commit()
    desktop.get(f"/sign-in/scan/{ticket_id}").submit("csrf_token")
    assert desktop.url == "http://localhost/account"


def test_limits_for_one_address(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = forgetful(make_app(migrated_sqlite_url, limit_authorize="1/minute", limit_sign_in="1/minute"))
    with app.app_context():
        desktop = Desktop(app).begin()
        assert desktop.status == 200
        path = desktop.address
        assert desktop.begin().status == 429
        assert Phone(app).get(path).status == 200
        assert Phone(app).get(path).status == 429
