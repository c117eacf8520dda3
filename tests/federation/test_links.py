"""Taking a link to an upstream away (F2), of persons and units: what counts no more, and never the last way in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.audit.model import AuditEntry
from idp.factors import passkeys, ways
from idp.factors.errors import FreshLoginNeeded, LastWayIn
from idp.federation import arrival, links
from idp.federation.arrival import Step
from idp.federation.errors import LinkGone
from idp.notify.model import OutboxMessage
from idp.persons.model import AccountKind, Person, PersonProofing
from idp.rules.levels import TrustLevel
from idp.sessions import browser_sessions, portal_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.freshness import FRESH_FOR
from idp.sessions.model import PortalSession
from idp.store.db import db, release, transaction
from idp.units.model import Unit
from tests.factors.sessions import signed_in, who
from tests.factors.test_passkeys import enrol
from tests.federation import vouching
from tests.federation.vouching import BROWSER, entered
from tests.support import codes, fictional, rows
from tests.support.application import MakeApp

UPSTREAM = {
    "name": "province",
    "title": "省统一身份认证",
    "protocol": "province",
    "base_url": "http://127.0.0.1:1",
    "client_id": "jingban",
    "client_secret": "secret",
}


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[Flask]:
    application = make_app(migrated_sqlite_url, upstreams=(UPSTREAM,))
    with application.app_context():
        yield application


@pytest.fixture
def newcomer(app: Flask) -> SignedIn:
    """Person 0, whose account the province made a moment ago."""
    return entered(arrival.first_login(vouching.person(), "from_there", BROWSER))


def read(who: SignedIn) -> Person:
    release()
    return db.session.get_one(Person, who.subject_id, populate_existing=True)


def lose_phone(who: SignedIn) -> None:
    """Let another account hold the phone (P13)."""
    with transaction() as session:
        session.get_one(Person, who.subject_id).phone_claim = None


def test_an_unlinked_account_is_strange_again(newcomer: SignedIn) -> None:
    """Told to the owner; the number alone links nothing (DESIGN 6)."""
    assert [each.upstream for each in links.of(db.session(), newcomer.subject_id)] == ["province"]
    links.unlink(newcomer, "province")
    assert links.of(db.session(), newcomer.subject_id) == []
    assert codes.changes_told(fictional.mobile()) == ["upstream_unlinked"]
    assert arrival.arrive(vouching.person(), BROWSER, None) is Step.PROVE
    with pytest.raises(LinkGone):
        links.unlink(newcomer, "province")


def test_what_it_said_of_the_level_counts_no_more(newcomer: SignedIn) -> None:
    """F2: the highest of what still stands."""
    assert read(newcomer).real_name_level == 3
    with transaction() as session:
        proofing = {"person_id": newcomer.subject_id, "method": "unionpay", "level": 2, "proved_at": clock.now()}
        session.add(PersonProofing(**proofing))
    links.unlink(newcomer, "province")
    assert read(newcomer).real_name_level == 2


def test_another_upstream_keeps_its_word(newcomer: SignedIn) -> None:
    card = vouching.person(upstream="social-card", stable_id="c-1")
    here = entered(arrival.arrive(card, BROWSER, newcomer))
    assert codes.changes_told(fictional.mobile()) == ["upstream_linked"]
    links.unlink(here, "province")
    assert read(newcomer).real_name_level == 3
    assert [each.upstream for each in links.of(db.session(), newcomer.subject_id)] == ["social-card"]


def test_an_old_sign_in_unlinks_nothing(newcomer: SignedIn) -> None:
    old = signed_in(newcomer.subject_id, "fed", ago=FRESH_FOR + timedelta(seconds=1))
    with pytest.raises(FreshLoginNeeded):
        links.unlink(old, "province")


def test_the_last_way_in_stays_linked(newcomer: SignedIn) -> None:
    lose_phone(newcomer)
    with pytest.raises(LastWayIn):
        links.unlink(newcomer, "province")
    assert [each.upstream for each in links.of(db.session(), newcomer.subject_id)] == ["province"]
    assert read(newcomer).real_name_level == 3


def test_a_link_is_a_way_in_that_lets_a_passkey_go(newcomer: SignedIn) -> None:
    lose_phone(newcomer)
    enrol(newcomer.subject_id)
    [owned] = passkeys.of(db.session(), newcomer.subject_id)
    passkeys.remove(newcomer, owned.id)
    assert passkeys.of(db.session(), newcomer.subject_id) == []


def test_a_link_to_what_is_not_offered_any_more_is_no_way_in(newcomer: SignedIn) -> None:
    lose_phone(newcomer)
    assert ways.can_sign_in(db.session(), read(newcomer))
    card = vouching.person(upstream="social-card", stable_id="c-1")
    here = entered(arrival.arrive(card, BROWSER, newcomer))
    with pytest.raises(LastWayIn):
        links.unlink(here, "province")


# Sessions that were opened through it


def at_portal(session: SignedIn) -> str:
    """Be signed in at a portal in this session; return the `sid`."""
    with transaction() as on:
        return portal_sessions.open_or_join(
            on, session_id=session.session_id, client_id="portal", subject_id=session.subject_id, unit_id=None
        )


def ended(*sessions: SignedIn) -> list[bool]:
    """Tell of each whether it has ended."""
    release()
    return [not browser_sessions.lives(db.session(), each.session_id) for each in sessions]


def portal_ended(sid: str) -> bool:
    release()
    return db.session.get_one(PortalSession, sid, populate_existing=True).ended_at is not None


def test_sessions_opened_through_it_end_at_once(newcomer: SignedIn) -> None:
    """U13: here and at the portals, which are told; what was opened otherwise goes on."""
    rows.client()
    card = vouching.person(upstream="social-card", stable_id="c-1")
    through_card = entered(arrival.arrive(card, BROWSER, newcomer))
    through_it = entered(arrival.arrive(vouching.person(), BROWSER, None))
    by_password = signed_in(newcomer.subject_id)
    ends, goes_on = at_portal(through_it), at_portal(by_password)
    links.unlink(by_password, "province")
    assert ended(newcomer, through_it, by_password, through_card) == [True, True, False, False]
    assert (portal_ended(ends), portal_ended(goes_on)) == (True, False)
    [message] = db.session.query(OutboxMessage).filter_by(kind="backchannel_logout")
    assert ends in message.payload


def test_the_session_that_asks_is_no_exception(newcomer: SignedIn) -> None:
    links.unlink(newcomer, "province")
    assert ended(newcomer) == [True]


# Units


@pytest.fixture
def unit(app: Flask) -> SignedIn:
    """Unit 1 with a password and a common contact, linked to its account at the province."""
    unit_id = rows.unit(password_hash="x", trust_level=1, register_level=1)
    rows.binding(unit_id, rows.person(3), kind="common_contact")
    here = who(rows.signed_in(unit_id, AccountKind.UNIT))
    return entered(arrival.arrive(vouching.unit(legal_representative=None), BROWSER, here))


def trust_level(of: SignedIn) -> TrustLevel:
    release()
    return TrustLevel(db.session.get_one(Unit, of.subject_id, populate_existing=True).trust_level)


def test_a_unit_unlinks_as_a_person_does(unit: SignedIn) -> None:
    """Told to its common contact, for it has no phone; audited; what the company register said still stands (F2)."""
    assert trust_level(unit) is TrustLevel.L2
    links.unlink(unit, "province")
    assert links.of(db.session(), unit.subject_id) == []
    assert trust_level(unit) is TrustLevel.L1
    assert ended(unit) == [True]
    assert codes.changes_told(fictional.mobile(3)) == ["upstream_linked", "upstream_unlinked"]
    entry = db.session.query(AuditEntry).filter_by(action="factor.upstream_unlinked").one()
    assert (entry.actor_id, entry.unit_id) == (unit.subject_id, unit.subject_id)
    assert arrival.arrive(vouching.unit(), BROWSER, None) is Step.PROVE
    with pytest.raises(LinkGone):
        links.unlink(unit, "province")


def test_a_name_that_the_upstream_changed_is_not_what_the_register_knew(app: Flask) -> None:
    unit_id = rows.unit(password_hash="x", trust_level=1, register_level=1)
    here = who(rows.signed_in(unit_id, AccountKind.UNIT))
    linked = entered(arrival.arrive(vouching.unit(name="江门市改名有限公司"), BROWSER, here))
    links.unlink(linked, "province")
    assert trust_level(linked) is TrustLevel.L0


def test_what_another_upstream_said_of_a_unit_stands(unit: SignedIn) -> None:
    elsewhere = vouching.unit(upstream="social-card", stable_id="c-1", trust_level=TrustLevel.L3)
    both = entered(arrival.arrive(elsewhere, BROWSER, unit))
    links.unlink(both, "province")
    assert trust_level(both) is TrustLevel.L3
    assert ended(both) == [False]


def test_a_units_last_way_in_stays_linked(unit: SignedIn) -> None:
    with transaction() as session:
        session.get_one(Unit, unit.subject_id).password_hash = None
    with pytest.raises(LastWayIn):
        links.unlink(unit, "province")
    assert trust_level(unit) is TrustLevel.L2
    assert ended(unit) == [False]


def test_an_old_sign_in_of_a_unit_unlinks_nothing(unit: SignedIn) -> None:
    with pytest.raises(FreshLoginNeeded):
        links.unlink(replace(unit, auth_time=unit.auth_time - FRESH_FOR // timedelta(milliseconds=1) - 1), "province")
