"""Token revocation: RFC 7009."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.sessions.model import OpaqueToken, RevokedToken
from idp.store.db import db
from tests.oidc.portal import (
    Portal,
    assert_dead,
    assert_refused,
    audited,
    is_alive,
    logouts_queued,
    portal_session_alive,
    stored,
)
from tests.support import rows


@pytest.fixture(params=["jwt", "opaque"])
def either(request: pytest.FixtureRequest, app: Flask, portal: Portal) -> Portal:
    """A portal with JWT access tokens, and one with opaque ones."""
    return Portal.registered(app, "either", access_token_format=request.param)


def test_an_access_token_goes_alone(either: Portal) -> None:
    grant_id = either.granted(rows.person())
    tokens = either.tokens(grant_id)
    response = either.revoke(tokens["access_token"])
    assert (response.status_code, response.data) == (200, b"")
    assert either.introspect(tokens["access_token"]) == {"active": False}
    assert either.userinfo(tokens["access_token"]).status_code == 401
    again = either.refreshed(tokens["refresh_token"])
    assert either.introspect(again["access_token"])["active"] is True
    (entry,) = audited("token.revoked")
    assert entry.details == {"authorization": grant_id, "kind": "access_token"}


def test_a_refresh_token_takes_its_grant_with_it(either: Portal) -> None:
    """RFC 7009 §2.1: SHOULD also invalidate all access tokens based on the same grant."""
    grant_id = either.granted(rows.person())
    tokens = either.tokens(grant_id)
    assert either.revoke(tokens["refresh_token"]).status_code == 200
    assert_dead(either, tokens)
    assert stored(grant_id).ended_why == "revoked"


def test_the_portal_is_not_told_what_it_did_itself(either: Portal) -> None:
    grant_id = either.granted(rows.person())
    either.revoke(either.tokens(grant_id)["refresh_token"])
    assert portal_session_alive(grant_id)
    assert logouts_queued() == 0


def test_a_used_refresh_token_revokes_too(portal: Portal) -> None:
    """A portal that lost the answer to a refresh has only the old one."""
    tokens = portal.tokens(portal.granted(rows.person()))
    again = portal.refreshed(tokens["refresh_token"])
    assert portal.revoke(tokens["refresh_token"]).status_code == 200
    assert_dead(portal, again)


@pytest.mark.parametrize("token", ["x", "x.y.z", "é", "a" * 5000])
def test_an_unknown_token_is_fine(portal: Portal, token: str) -> None:
    """RFC 7009 §2.2: the client wanted it gone, and it is."""
    assert portal.revoke(token).status_code == 200


def test_revoking_twice_is_fine(either: Portal) -> None:
    tokens = either.tokens(either.granted(rows.person()))
    for name in ("access_token", "access_token", "refresh_token", "refresh_token"):
        assert either.revoke(tokens[name]).status_code == 200


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard_of"])
def test_the_hint_is_only_a_hint(portal: Portal, hint: str) -> None:
    tokens = portal.tokens(portal.granted(rows.person()))
    for name in ("access_token", "refresh_token"):
        assert portal.revoke(tokens[name], token_type_hint=hint).status_code == 200
    assert_dead(portal, tokens)


def test_an_id_token_cannot_be_revoked(portal: Portal) -> None:
    tokens = portal.tokens(portal.granted(rows.person()))
    assert portal.revoke(tokens["id_token"]).status_code == 200
    assert portal.introspect(tokens["access_token"])["active"] is True


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_another_clients_token_is_refused_and_lives(app: Flask, either: Portal, name: str) -> None:
    """RFC 7009 §2.1: if it was not issued to the client, the request is refused and the client informed."""
    other = Portal.registered(app, "other")
    grant_id = either.granted(rows.person())
    tokens = either.tokens(grant_id)
    assert_refused(other.revoke(tokens[name]), "invalid_grant")
    assert either.introspect(tokens[name])["active"] is True
    assert is_alive(grant_id)
    assert audited("token.revoked") == []


def test_a_public_client_revokes_its_own(app: Flask, portal: Portal) -> None:
    public = Portal.registered(app, "app", public=True)
    grant_id = public.granted(rows.person())
    assert public.revoke(public.tokens(grant_id)["refresh_token"]).status_code == 200
    assert not is_alive(grant_id)


def test_what_is_kept_of_it_bounds_itself(either: Portal) -> None:
    """DESIGN 7: a revoked jti is forgotten once its token would have expired; an opaque token is gone."""
    tokens = either.tokens(either.granted(rows.person()))
    either.revoke(tokens["access_token"])
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(OpaqueToken)) == 0
    kept = db.session.scalars(select(RevokedToken)).all()
    assert len(kept) == (1 if "." in tokens["access_token"] else 0)
    assert all(each.expires_at is not None for each in kept)
