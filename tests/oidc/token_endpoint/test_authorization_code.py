"""Redeeming an authorization code: RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 9700 §4.5."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp import clock
from idp.clients.model import Client
from idp.delegation.model import Binding, BusinessGrant
from idp.persons.model import Person
from idp.sessions.model import Authorization, AuthorizationCode, RefreshToken
from idp.settings import settings
from idp.store.db import db, transaction
from tests.oidc.portal import (
    API,
    VERIFIER,
    Portal,
    assert_dead,
    assert_refused,
    audited,
    body_of,
    claims_in,
    header_of,
    is_alive,
    logouts_queued,
    portal_session_alive,
    stored,
)
from tests.support import rows
from tests.support.clocks import MovedClock


def _used_at(code_grant: str) -> object:
    db.session.rollback()
    return db.session.scalars(
        select(AuthorizationCode.used_at).where(AuthorizationCode.authorization_id == code_grant)
    ).one()


def test_a_code_gives_access_refresh_and_id_token(portal: Portal) -> None:
    """RFC 6749 §5.1, OpenID Connect Core §3.1.3.3."""
    grant_id = portal.granted(rows.person(), scope="openid profile")
    response = portal.redeem(portal.code_for(grant_id))
    assert response.status_code == 200
    body = body_of(response)
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == settings().access_token_lifetime
    assert body["scope"] == "openid profile"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/json"


def test_the_issue_is_audited(portal: Portal) -> None:
    """A4: who got tokens, for whom, through which client, from where."""
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    grant_id = portal.granted(person_id, unit_id, "rec.position")
    portal.tokens(grant_id)
    (entry,) = audited("token.issued")
    assert (entry.actor_id, entry.unit_id, entry.client_id) == (person_id, unit_id, "portal")
    assert entry.address == "127.0.0.1"
    assert entry.details == {
        "authorization": grant_id,
        "grant_type": "authorization_code",
        "scope": "openid rec.position",
    }


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(app: Flask, portal: Portal) -> None:
    other = Portal.registered(app, "once", grant_types=["authorization_code"])
    assert "refresh_token" not in other.tokens(other.granted(rows.person()))


def test_without_openid_there_is_no_id_token(portal: Portal) -> None:
    assert "id_token" not in portal.tokens(portal.granted(rows.person(), scope="profile"))


def test_a_replayed_code_is_refused_and_what_it_issued_is_dead(portal: Portal) -> None:
    """RFC 6749 §4.1.2, RFC 9700 §4.5: tokens, portal session, and the portal's own session by back-channel logout."""
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id)
    tokens = body_of(portal.redeem(code))
    assert_refused(portal.redeem(code), "invalid_grant")
    assert_dead(portal, tokens)
    assert stored(grant_id).ended_why == "code_replayed"
    assert not portal_session_alive(grant_id)
    assert logouts_queued() == 1
    (entry,) = audited("code.replayed")
    assert (entry.outcome, entry.client_id) == ("refused", "portal")


def test_a_replay_with_a_wrong_verifier_is_a_replay_too(portal: Portal) -> None:
    code = portal.code_for(portal.granted(rows.person()))
    tokens = body_of(portal.redeem(code))
    assert_refused(portal.redeem(code, code_verifier="b" * 43), "invalid_grant")
    assert_dead(portal, tokens)


def test_a_replay_is_known_long_after_the_code_expired(portal: Portal, moved_clock: MovedClock) -> None:
    code = portal.code_for(portal.granted(rows.person()))
    tokens = body_of(portal.redeem(code))
    moved_clock.advance(timedelta(seconds=4 * settings().code_lifetime))
    assert_refused(portal.redeem(code), "invalid_grant")
    assert_dead(portal, tokens)


def test_an_expired_code_is_refused(portal: Portal, moved_clock: MovedClock) -> None:
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id)
    moved_clock.advance(timedelta(seconds=settings().code_lifetime))
    assert_refused(portal.redeem(code), "invalid_grant")
    assert is_alive(grant_id)


def test_an_unknown_code_is_refused(portal: Portal) -> None:
    assert_refused(portal.redeem("never-issued"), "invalid_grant")


def test_a_code_of_another_client_is_refused_and_stays_good(app: Flask, portal: Portal) -> None:
    """RFC 6749 §4.1.3: ensure that the code was issued to the authenticated client."""
    thief = Portal.registered(app, "thief")
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id)
    assert_refused(thief.redeem(code, redirect_uri=portal.redirect_uri), "invalid_grant")
    tokens = body_of(portal.redeem(code))
    assert_refused(thief.redeem(code, redirect_uri=portal.redirect_uri), "invalid_grant")
    assert portal.introspect(tokens["access_token"])["active"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://portal.example/other"},
        {"redirect_uri": "https://portal.example/callback/"},
        {"code_verifier": "b" * 43},
        {"code_verifier": VERIFIER[:-1]},
        {"code_verifier": "a" * 42},
        {"code_verifier": "é" * 43},
        {"code_verifier": ""},
    ],
)
def test_a_wrong_redirect_uri_or_verifier_burns_the_code(portal: Portal, wrong: dict[str, str]) -> None:
    """RFC 6749 §4.1.3, RFC 7636 §4.6. Whoever guesses has one guess."""
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id)
    assert_refused(portal.redeem(code, **wrong), "invalid_grant")
    assert_refused(portal.redeem(code), "invalid_grant")
    assert db.session.scalars(select(RefreshToken.token_hash)).all() == []
    assert stored(grant_id).ended_why == "code_burnt"
    assert len(audited("code.burnt")) == 1


def test_the_challenge_itself_is_no_verifier(portal: Portal) -> None:
    """RFC 7636 §4.2: S256 only; plain would take the challenge that every browser has seen."""
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id, code_challenge=VERIFIER)
    assert_refused(portal.redeem(code), "invalid_grant")


def test_a_code_without_challenge_is_worth_nothing(portal: Portal) -> None:
    """DESIGN 3, trap 4: no code is issued without a challenge; one that has none never gets by."""
    grant_id = portal.granted(rows.person())
    assert_refused(portal.redeem(portal.code_for(grant_id, code_challenge=None), code_verifier=""), "invalid_grant")
    assert_refused(portal.redeem(portal.code_for(grant_id, code_challenge=None)), "invalid_grant")


def test_a_client_registered_without_pkce_gets_by_without_a_verifier_only(app: Flask, portal: Portal) -> None:
    """RFC 9700 §4.8.2: a verifier that comes although no challenge did says that somebody took the challenge out."""
    plain = Portal.registered(app, "plain", more={"require_pkce": False})
    grant_id = plain.granted(rows.person())
    assert_refused(plain.redeem(plain.code_for(grant_id, code_challenge=None)), "invalid_grant")
    form = {"grant_type": "authorization_code", "redirect_uri": plain.redirect_uri}
    code = plain.code_for(plain.granted(rows.person(1)), code_challenge=None)
    assert plain.post("/oidc/token", form | {"code": code}).status_code == 200
    assert_refused(plain.post("/oidc/token", form | {"code": plain.code_for(grant_id)}), "invalid_grant")


@pytest.mark.parametrize("missing", ["code", "redirect_uri"])
def test_what_is_missing_is_invalid_and_leaves_the_code_alone(portal: Portal, missing: str) -> None:
    """RFC 6749 §5.2 invalid_request. DESIGN 3, trap 6: a missing redirect_uri does not pass."""
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id)
    assert_refused(portal.redeem(code, **{missing: ""}), "invalid_request")
    assert _used_at(grant_id) is None
    assert portal.redeem(code).status_code == 200


def test_another_resource_is_refused(portal: Portal) -> None:
    """RFC 8707 §2.2."""
    code = portal.code_for(portal.granted(rows.person()))
    assert_refused(portal.redeem(code, resource="https://other.example"), "invalid_target")


def test_the_grants_own_resource_may_be_named(portal: Portal) -> None:
    tokens = body_of(portal.redeem(portal.code_for(portal.granted(rows.person())), resource=API))
    assert claims_in(tokens["access_token"])["aud"] == API


def test_a_public_client_redeems_with_its_verifier_alone(app: Flask, portal: Portal) -> None:
    public = Portal.registered(app, "app", public=True)
    assert public.redeem(public.code_for(public.granted(rows.person()))).status_code == 200


def test_a_client_that_may_not_use_the_grant_type_is_refused(app: Flask, portal: Portal) -> None:
    other = Portal.registered(app, "nothing", grant_types=["refresh_token"])
    assert_refused(other.redeem("anything"), "unauthorized_client")


# --- acting for a unit: asked afresh between authorization and redemption (U13) -------------------------------------


@pytest.fixture
def acting(portal: Portal) -> tuple[str, str, str]:
    """Return the ids of a person, of a binding to a unit with one grant, and of the authorization."""
    person_id, unit_id = rows.person(), rows.unit(verified_at=clock.now())
    binding_id = rows.binding(unit_id, person_id)
    rows.grant(binding_id, rows.business())
    return person_id, binding_id, portal.granted(person_id, unit_id, "rec.position")


def _lose(kind: str, person_id: str, binding_id: str) -> None:
    now = clock.now()
    with transaction() as session:
        if kind == "unbound":
            session.execute(update(Binding).values(status="ended", ended_at=now))
        elif kind == "withdrawn":
            session.execute(update(BusinessGrant).values(ended_at=now, ended_why="withdrawn"))
        elif kind == "person_locked":
            session.execute(update(Person).where(Person.id == person_id).values(status="locked"))
        else:
            session.execute(update(Client).values(min_person_level=3, version=2))


@pytest.mark.parametrize("kind", ["unbound", "withdrawn", "person_locked", "level_raised"])
def test_a_delegation_lost_since_is_refused(portal: Portal, acting: tuple[str, str, str], kind: str) -> None:
    """U13: the next token for that pair is refused, and the portal is told. F3: the client's own level counts."""
    person_id, binding_id, grant_id = acting
    code = portal.code_for(grant_id)
    _lose(kind, person_id, binding_id)
    assert_refused(portal.redeem(code), "invalid_grant")
    assert not is_alive(grant_id)
    assert not portal_session_alive(grant_id)
    assert logouts_queued() == 1
    assert audited("token.issued") == []
    assert len(audited("grant.lost")) == 1


def test_a_grant_that_ended_since_is_refused(portal: Portal, acting: tuple[str, str, str]) -> None:
    *_, grant_id = acting
    code = portal.code_for(grant_id)
    with transaction() as session:
        session.execute(update(Authorization).values(ended_at=clock.now(), ended_why="signed_out"))
    assert_refused(portal.redeem(code), "invalid_grant")
    assert stored(grant_id).ended_why == "signed_out"


def test_an_unlocked_account_is_needed_for_ones_own_tokens_too(portal: Portal) -> None:
    person_id = rows.person()
    code = portal.code_for(portal.granted(person_id))
    with transaction() as session:
        session.execute(update(Person).values(status="locked"))
    assert_refused(portal.redeem(code), "invalid_grant")


def test_tokens_never_outlive_the_delegation(portal: Portal) -> None:
    """DESIGN 4: `exp` is never later than the grant's end."""
    person_id, unit_id = rows.person(), rows.unit()
    ends = clock.now() + timedelta(seconds=90)
    rows.grant(rows.binding(unit_id, person_id), rows.business(), ends)
    tokens = portal.tokens(portal.granted(person_id, unit_id, "rec.position"))
    last = int(ends.timestamp())
    assert claims_in(tokens["access_token"])["exp"] == last
    assert claims_in(tokens["id_token"])["exp"] == last
    assert tokens["expires_in"] <= 90
    assert claims_in(tokens["id_token"])["acting_for"]["expires_at"] == last


def test_per_client_algorithms(app: Flask, portal: Portal) -> None:
    other = Portal.registered(app, "eddsa", id_token_alg="EdDSA", access_token_alg="PS256")
    tokens = other.tokens(other.granted(rows.person()))
    assert header_of(tokens["id_token"])["alg"] == "EdDSA"
    assert header_of(tokens["access_token"])["alg"] == "PS256"
