"""Refreshing: rotation in families, reuse, lost answers (RFC 6749 §6, RFC 9700 §4.14.2, OpenID Connect Core §12)."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from idp import clock
from idp.delegation.model import BusinessGrant
from idp.oidc.token_endpoint.refresh_token import Presented, Use
from idp.persons.model import Person
from idp.sessions import browser_sessions
from idp.sessions.model import BrowserSession, RefreshToken
from idp.settings import settings
from idp.store.base import to_millis
from idp.store.db import db, transaction
from tests.oidc.portal import (
    NONCE,
    Portal,
    assert_dead,
    assert_refused,
    audited,
    claims_in,
    is_alive,
    logouts_queued,
    portal_session_alive,
    stored,
)
from tests.support import rows
from tests.support.clocks import MovedClock


@pytest.fixture
def grant_id(portal: Portal) -> str:
    """The id of an authorization of person 0 for themselves."""
    return portal.granted(rows.person(), scope="openid profile phone")


def _after_grace(moved_clock: MovedClock) -> None:
    moved_clock.advance(timedelta(seconds=settings().refresh_grace, milliseconds=1))


# --- rotation --------------------------------------------------------------------------------------------------------


def test_a_refresh_gives_new_tokens_of_the_same_grant(portal: Portal, grant_id: str, moved_clock: MovedClock) -> None:
    first = portal.tokens(grant_id)
    moved_clock.advance(timedelta(seconds=60))
    second = portal.refreshed(first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    before, after = claims_in(first["access_token"]), claims_in(second["access_token"])
    assert after["jti"] != before["jti"]
    assert after["exp"] > before["exp"]
    changing = {"jti", "iat", "exp"}
    assert {name: after[name] for name in after.keys() - changing} == {
        name: before[name] for name in before.keys() - changing
    }


def test_a_refreshed_id_token_is_about_the_same_sign_in(
    portal: Portal, grant_id: str, moved_clock: MovedClock
) -> None:
    """Core §12.2: same iss, sub, aud, auth_time; a new iat; no nonce. DESIGN 3, trap 3. The same `sid`."""
    first = portal.tokens(grant_id)
    moved_clock.advance(timedelta(seconds=60))
    second = portal.refreshed(first["refresh_token"])
    before, after = claims_in(first["id_token"]), claims_in(second["id_token"])
    same = ("iss", "sub", "aud", "auth_time", "sid", "acr", "amr")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["iat"] > before["iat"]
    assert before["nonce"] == NONCE
    assert "nonce" not in after


def test_a_chain_of_refreshes_holds(portal: Portal, grant_id: str, moved_clock: MovedClock) -> None:
    tokens = portal.tokens(grant_id)
    for _ in range(4):
        _after_grace(moved_clock)
        tokens = portal.refreshed(tokens["refresh_token"])
    assert portal.userinfo(tokens["access_token"]).status_code == 200


def test_refresh_tokens_are_kept_as_hashes(portal: Portal, grant_id: str) -> None:
    """DESIGN 3, trap 8."""
    token = portal.tokens(grant_id)["refresh_token"]
    assert len(token) >= 43  # 256 bits
    stored = db.session.scalars(select(RefreshToken.token_hash)).all()
    assert token not in stored
    assert all(len(each) == 64 for each in stored)


# --- reuse -----------------------------------------------------------------------------------------------------------


def test_a_used_token_presented_again_ends_the_family(portal: Portal, grant_id: str, moved_clock: MovedClock) -> None:
    """RFC 9700 §4.14.2: one of the two who hold it is no client; all tokens die, the portal is told."""
    first = portal.tokens(grant_id)
    second = portal.refreshed(first["refresh_token"])
    _after_grace(moved_clock)
    assert_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert_dead(portal, second)
    assert not is_alive(grant_id)
    assert not portal_session_alive(grant_id)
    assert logouts_queued() == 1
    assert len(audited("refresh.reused")) == 1


def test_reuse_far_down_the_chain_is_seen(portal: Portal, grant_id: str) -> None:
    first = portal.tokens(grant_id)
    tokens = first
    for _ in range(3):
        tokens = portal.refreshed(tokens["refresh_token"])
    assert_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert_dead(portal, tokens)


def test_another_clients_presentation_changes_nothing(app: Flask, portal: Portal, grant_id: str) -> None:
    """RFC 6749 §6: bound to the client it was issued to."""
    thief = Portal.registered(app, "thief")
    tokens = portal.tokens(grant_id)
    assert_refused(thief.refresh(tokens["refresh_token"]), "invalid_grant")
    assert portal.refresh(tokens["refresh_token"]).status_code == 200


def test_an_access_token_is_no_refresh_token(portal: Portal, grant_id: str) -> None:
    assert_refused(portal.refresh(portal.tokens(grant_id)["access_token"]), "invalid_grant")


# --- lost answers ----------------------------------------------------------------------------------------------------


def test_a_lost_answer_may_be_asked_for_again(portal: Portal, grant_id: str, moved_clock: MovedClock) -> None:
    first = portal.tokens(grant_id)
    portal.refreshed(first["refresh_token"])  # never arrived
    moved_clock.advance(timedelta(seconds=settings().refresh_grace / 2))
    second = portal.refreshed(first["refresh_token"])
    _after_grace(moved_clock)
    third = portal.refreshed(second["refresh_token"])
    assert portal.userinfo(third["access_token"]).status_code == 200


def test_the_grace_counts_from_the_first_use(portal: Portal, grant_id: str, moved_clock: MovedClock) -> None:
    """Retrying does not buy time."""
    first = portal.tokens(grant_id)
    portal.refreshed(first["refresh_token"])
    moved_clock.advance(timedelta(seconds=settings().refresh_grace * 0.7))
    portal.refreshed(first["refresh_token"])
    moved_clock.advance(timedelta(seconds=settings().refresh_grace * 0.7))
    assert_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert not is_alive(grant_id)


def test_once_a_successor_was_used_the_parent_is_reuse(portal: Portal, grant_id: str) -> None:
    """The answer arrived after all: no reason to ask again."""
    first = portal.tokens(grant_id)
    second = portal.refreshed(first["refresh_token"])
    third = portal.refreshed(second["refresh_token"])
    assert_refused(portal.refresh(first["refresh_token"]), "invalid_grant")
    assert_dead(portal, third)


def test_of_siblings_one_lives(portal: Portal, grant_id: str) -> None:
    """When one is used, presenting the other is reuse."""
    first = portal.tokens(grant_id)
    lost = portal.refreshed(first["refresh_token"])
    arrived = portal.refreshed(first["refresh_token"])
    used = portal.refreshed(arrived["refresh_token"])
    assert_refused(portal.refresh(lost["refresh_token"]), "invalid_grant")
    assert_dead(portal, used)


def test_without_grace_every_second_presentation_is_reuse(
    make_app: Any, migrated_url: str, portal: Portal, grant_id: str
) -> None:
    strict_app = make_app(migrated_url, refresh_grace=0)
    tokens = portal.tokens(grant_id)
    strict = Portal(strict_app, portal.client_id, portal.secret)
    second = strict.refreshed(tokens["refresh_token"])
    assert_refused(strict.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_dead(strict, second)


moments = st.integers(0, 100)


@given(
    expires_at=moments,
    used_at=st.none() | moments,
    successor=st.booleans(),
    sibling=st.booleans(),
    now=moments,
    grace=st.integers(0, 20),
)
def test_what_a_presentation_is(
    expires_at: int, used_at: int | None, successor: bool, sibling: bool, now: int, grace: int
) -> None:
    use = Presented(expires_at, used_at, successor, sibling).use(now, grace)
    if now >= expires_at:
        assert use is Use.EXPIRED
    elif sibling or (used_at is not None and (successor or max(now, used_at) >= used_at + grace)):
        assert use is Use.REUSE
    else:
        assert use is (Use.FIRST if used_at is None else Use.RETRY)


def test_without_grace_a_clock_that_is_behind_allows_no_retry() -> None:
    """Two machines, one of them late: used in what is still the future here."""
    assert Presented(expires_at=100, used_at=50, successor_used=False, sibling_used=False).use(40, 0) is Use.REUSE


# --- scope -----------------------------------------------------------------------------------------------------------


def test_the_scope_may_narrow(portal: Portal, grant_id: str) -> None:
    tokens = portal.refreshed(portal.tokens(grant_id)["refresh_token"], scope="profile")
    assert tokens["scope"] == claims_in(tokens["access_token"])["scope"] == "profile"
    assert "id_token" not in tokens


def test_a_narrow_access_token_does_not_narrow_the_family(portal: Portal, grant_id: str) -> None:
    """RFC 6749 §6: the new refresh token's scope is that of the one presented."""
    narrow = portal.refreshed(portal.tokens(grant_id)["refresh_token"], scope="openid")
    assert portal.refreshed(narrow["refresh_token"])["scope"] == "openid profile phone"


@pytest.mark.parametrize("scope", ["openid rec.position", "unheard-of", "openid  unheard-of"])
def test_the_scope_never_widens_and_the_token_stays_unused(portal: Portal, grant_id: str, scope: str) -> None:
    """RFC 6749 §6; STACK: Authlib narrows unknown scopes silently."""
    tokens = portal.tokens(grant_id)
    assert_refused(portal.refresh(tokens["refresh_token"], scope=scope), "invalid_scope")
    assert portal.introspect(tokens["refresh_token"])["active"] is True


def test_narrowed_scope_narrows_what_may_be_done_for_the_unit(portal: Portal) -> None:
    person_id, unit_id = rows.person(), rows.unit()
    binding_id = rows.binding(unit_id, person_id)
    for code in ("rec.position", "rec.fair"):
        rows.grant(binding_id, rows.business(code))
    tokens = portal.tokens(portal.granted(person_id, unit_id, "rec.position", "rec.fair"))
    narrow = claims_in(portal.refreshed(tokens["refresh_token"], scope="rec.fair")["access_token"])
    assert narrow["scope"] == "rec.fair"
    assert narrow["authorization_details"][0]["actions"] == ["rec.fair"]
    assert narrow["sub"] == unit_id


def test_another_resource_is_refused_and_the_token_stays_unused(portal: Portal, grant_id: str) -> None:
    """RFC 8707 §2.2."""
    tokens = portal.tokens(grant_id)
    assert_refused(portal.refresh(tokens["refresh_token"], resource="https://other.example"), "invalid_target")
    assert portal.refresh(tokens["refresh_token"]).status_code == 200


# --- how long --------------------------------------------------------------------------------------------------------


def _expiry(portal: Portal, grant_id: str) -> int:
    portal.tokens(grant_id)
    db.session.rollback()
    return to_millis(db.session.scalars(select(RefreshToken.expires_at)).one())


def test_without_offline_access_it_ends_with_the_sign_in(portal: Portal, grant_id: str) -> None:
    """OpenID Connect Core §11."""
    expires_at = _expiry(portal, grant_id)
    assert expires_at == to_millis(db.session.scalars(select(BrowserSession.expires_at)).one())


def test_with_offline_access_it_lives_as_long_as_the_setting_says(portal: Portal) -> None:
    before = clock.millis()
    expires_at = _expiry(portal, portal.granted(rows.person(), scope="openid offline_access"))
    after = clock.millis()
    lifetime = settings().refresh_token_lifetime * 1000
    assert before + lifetime <= expires_at <= after + lifetime


def test_an_expired_token_is_refused_and_is_no_reuse(portal: Portal, grant_id: str, moved_clock: MovedClock) -> None:
    tokens = portal.tokens(grant_id)
    moved_clock.advance(timedelta(seconds=settings().session_absolute))
    assert_refused(portal.refresh(tokens["refresh_token"]), "invalid_grant")
    assert is_alive(grant_id)


def test_signing_out_ends_the_family(portal: Portal, grant_id: str) -> None:
    tokens = portal.tokens(grant_id)
    with transaction() as session:
        session_id = session.scalars(select(BrowserSession.id)).one()
        browser_sessions.end(session, session_id, why="signed_out")
    assert_dead(portal, tokens)


# --- delegation, asked at every refresh (U13) -----------------------------------------------------------------------


@pytest.fixture
def for_unit(portal: Portal) -> tuple[str, dict[str, Any]]:
    """An authorization with two businesses of a unit, and its tokens."""
    person_id, unit_id = rows.person(), rows.unit()
    binding_id = rows.binding(unit_id, person_id)
    for code in ("rec.position", "rec.fair"):
        rows.grant(binding_id, rows.business(code))
    grant_id = portal.granted(person_id, unit_id, "rec.position", "rec.fair")
    return grant_id, portal.tokens(grant_id)


def test_while_the_delegation_holds_it_is_refreshed(portal: Portal, for_unit: tuple[str, dict[str, Any]]) -> None:
    _, tokens = for_unit
    again = portal.refreshed(tokens["refresh_token"])
    assert claims_in(again["id_token"])["acting_for"] == claims_in(tokens["id_token"])["acting_for"]


def test_one_lost_business_ends_the_grant(portal: Portal, for_unit: tuple[str, dict[str, Any]]) -> None:
    """U13: the portal signs the person in anew and gets those that are left."""
    grant_id, tokens = for_unit
    with transaction() as session:
        session.execute(
            update(BusinessGrant)
            .where(BusinessGrant.business_code == "rec.fair")
            .values(ended_at=clock.now(), ended_why="withdrawn")
        )
    assert_refused(portal.refresh(tokens["refresh_token"]), "invalid_grant")
    assert not is_alive(grant_id)
    assert not portal_session_alive(grant_id)
    assert logouts_queued() == 1
    (entry,) = audited("grant.lost")
    assert entry.details["why"] == "not_granted"


def test_an_expired_grant_is_refused_without_any_worker(portal: Portal, moved_clock: MovedClock) -> None:
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business(), clock.now() + timedelta(seconds=30))
    tokens = portal.tokens(portal.granted(person_id, unit_id, "rec.position"))
    moved_clock.advance(timedelta(seconds=30))
    assert_refused(portal.refresh(tokens["refresh_token"]), "invalid_grant")


def test_a_locked_person_gets_nothing_more(portal: Portal, grant_id: str) -> None:
    tokens = portal.tokens(grant_id)
    with transaction() as session:
        session.execute(update(Person).values(status="locked"))
    assert_dead(portal, tokens)


def test_the_refresh_is_audited(portal: Portal, grant_id: str) -> None:
    """A4."""
    portal.refreshed(portal.tokens(grant_id)["refresh_token"])
    assert [entry.details["grant_type"] for entry in audited("token.issued")] == [
        "authorization_code",
        "refresh_token",
    ]


def test_when_it_was_refreshed_is_noted(portal: Portal, grant_id: str) -> None:
    portal.refreshed(portal.tokens(grant_id)["refresh_token"])
    assert stored(grant_id).refreshed_at is not None
