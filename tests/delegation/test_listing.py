"""What the pages list of bindings and grants, and where businesses are done (U9, U11, P14)."""

from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.delegation import bindings, catalogue, listing
from idp.delegation.errors import BindingGone
from idp.delegation.listing import GrantState
from idp.store.db import db
from tests.support import fictional, rows

ISSUER = "https://id.example"


def names(unit_id: str) -> list[tuple[str, str]]:
    found = listing.sub_accounts(db.session(), unit_id, limit=50, offset=0)
    return [(each.kind.value, each.status.value) for each in found]


def test_persons_are_masked(app: Flask) -> None:
    # DESIGN 8
    unit_id = rows.unit()
    rows.binding(unit_id, rows.person(0))
    [account] = listing.sub_accounts(db.session(), unit_id, limit=50, offset=0)
    assert account.name == "*" + fictional.person_name(0)[-1]
    assert account.document_number == "440***********001X"
    assert account.phone == "138****8000"


def test_the_order_is_contact_agents_requests_refusals(app: Flask) -> None:
    unit_id = rows.unit()
    rows.binding(unit_id, rows.person(0), status="refused")
    rows.binding(unit_id, rows.person(1), status="pending")
    rows.binding(unit_id, rows.person(2))
    rows.binding(unit_id, rows.person(3), kind="common_contact")
    rows.binding(unit_id, rows.person(4), status="ended")
    rows.binding(rows.unit(2), rows.person(5))
    expected = [("common_contact", "active"), ("agent", "active"), ("agent", "pending"), ("agent", "refused")]
    assert names(unit_id) == expected
    assert listing.count_sub_accounts(db.session(), unit_id) == len(expected)
    assert listing.count_active(db.session(), unit_id) == 2


def test_pages_hold_each_once(app: Flask) -> None:
    unit_id = rows.unit()
    for n in range(5):
        rows.binding(unit_id, rows.person(n))
    pages = [listing.sub_accounts(db.session(), unit_id, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({each.binding_id for page in pages for each in page}) == 5


def test_a_refusal_is_shown_until_asked_again_or_a_month_old(app: Flask) -> None:
    unit_id, person_id = rows.unit(), rows.person()
    old = clock.now() - timedelta(days=31)
    rows.binding(unit_id, rows.person(1), status="refused", requested_at=old, decided_at=old)
    rows.binding(unit_id, person_id, status="refused", requested_at=clock.now() - timedelta(minutes=1))
    assert names(unit_id) == [("agent", "refused")]
    again = rows.binding(unit_id, person_id, status="pending")
    assert names(unit_id) == [("agent", "pending")]
    bindings.accept(person_id, again)
    bindings.unbind(unit_id, again)
    assert names(unit_id) == []


def test_grants_are_shown_with_their_state(app: Flask) -> None:
    # U11
    unit_id, person_id = rows.unit(), rows.person()
    binding_id = rows.binding(unit_id, person_id)
    now, day = clock.now(), timedelta(days=1)
    rows.grant(binding_id, rows.business("a"))
    rows.grant(binding_id, rows.business("b"), valid_from=now + day)
    rows.grant(binding_id, rows.business("c"), now - day, valid_from=now - 2 * day)
    rows.grant(binding_id, rows.business("d"), ended_at=now)
    rows.grant(binding_id, rows.business("e", retired_at=now))
    account = listing.active_sub_account(db.session(), unit_id, binding_id)
    assert [(grant.code, grant.state) for grant in account.grants] == [
        ("a", GrantState.ACTIVE),
        ("b", GrantState.FUTURE),
        ("c", GrantState.EXPIRED),
    ]
    [parent] = listing.parent_accounts(db.session(), person_id)
    assert parent.grants == account.grants


def test_a_unit_sees_only_its_own_and_only_active_ones_where_it_must(app: Flask) -> None:
    unit_id, person_id = rows.unit(1), rows.person()
    mine = rows.binding(unit_id, person_id, status="pending")
    theirs = rows.binding(rows.unit(2), person_id)
    for binding_id in (mine, theirs, "b_none"):
        with pytest.raises(BindingGone):
            listing.active_sub_account(db.session(), unit_id, binding_id)


def test_a_person_sees_requests_and_bindings(app: Flask) -> None:
    # P14
    person_id = rows.person()
    rows.binding(rows.unit(1), person_id, status="pending")
    rows.binding(rows.unit(2, status="locked"), person_id)
    rows.binding(rows.unit(3), person_id, status="ended")
    found = listing.parent_accounts(db.session(), person_id)
    assert {(each.status.value, each.active) for each in found} == {("pending", True), ("active", False)}
    assert listing.count_requests(db.session(), person_id) == 1
    assert all("*" in each.number for each in found)


def test_a_portal_that_can_begin_a_sign_in_is_opened_that_way(app: Flask) -> None:
    # OpenID Connect Core §4: iss says who sends the user
    rows.business("rec.position")
    rows.business("rec.fair")
    rows.client("a", initiate_login_uri="https://a.example/login?from=idp", scopes=["openid", "rec.position"])
    rows.client("b", client_uri="https://b.example/", scopes=["rec.position", "rec.fair"])
    portals = catalogue.portals(db.session(), ISSUER)
    assert portals["rec.position"].url == "https://a.example/login?from=idp&iss=https%3A%2F%2Fid.example"
    assert portals["rec.fair"].url == "https://b.example/"


def test_a_business_is_done_at_its_own_portal(app: Flask) -> None:
    # U18, A3: the catalogue names the client
    rows.client("a", client_uri="https://a.example/")
    rows.client("b", client_uri="https://b.example/")
    rows.business("rec.position", client_id="b")
    assert catalogue.portals(db.session(), ISSUER)["rec.position"].url == "https://b.example/"


@pytest.mark.parametrize(
    "changes",
    [{"disabled_at": clock.now()}, {"acts_for": "never"}, {"scopes": ["openid"]}, {"client_uri": None}],
    ids=["disabled", "acts for nobody", "lacks the scope", "has no address"],
)
def test_portals_that_are_no_use_are_not_linked(app: Flask, changes: dict[str, object]) -> None:
    rows.business("rec.position")
    rows.client("a", **({"client_uri": "https://a.example/"} | changes))
    assert "rec.position" not in catalogue.portals(db.session(), ISSUER)
