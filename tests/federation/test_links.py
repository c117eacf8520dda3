"""Taking a link to an upstream away (F2): what counts no more, and never the last way in."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.factors import passkeys, ways
from idp.factors.errors import FreshLoginNeeded, LastWayIn
from idp.federation import arrival, links
from idp.federation.arrival import Step
from idp.federation.errors import LinkGone
from idp.persons.model import Person, PersonProofing
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.freshness import FRESH_FOR
from idp.store.db import db, release, transaction
from tests.factors.sessions import signed_in
from tests.factors.test_passkeys import enrol
from tests.federation import vouching
from tests.federation.vouching import BROWSER, entered
from tests.support import codes, fictional
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
