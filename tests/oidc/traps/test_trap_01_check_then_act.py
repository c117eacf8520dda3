"""DESIGN 3, trap 1: Authlib looks a code up, then issues, then deletes it; meanwhile others issue for it too, and who
loses gets a 500 after its tokens were stored. We claim first, and claim, issue and audit are one transaction.

Sixteen requests at once on several processes: tests/oidc/token_endpoint/test_parallel.py.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from idp import clock, ids
from idp.audit.log import INSERT_ENTRY, Entry, columns
from idp.clients import registry
from idp.clients.model import Client
from idp.oidc import grants, statements
from idp.oidc.authorize import statements as authorize_statements
from idp.oidc.grants import COLUMNS
from idp.sessions import interactions
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.model import AuthorizationCode, BrowserSession, Interaction, PortalSession, RefreshToken
from idp.store import hot
from idp.store.db import db, transaction
from idp.store.keyring import NoSigningKey
from tests.oidc.portal import Portal, audited, stored
from tests.support import rows
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

_TRUST = timedelta(milliseconds=registry.TRUST_MS)


def _sign_with(alg: str) -> None:
    """Change the algorithm of the portal's ID tokens."""
    with transaction() as session:
        session.execute(update(Client).values(id_token_alg=alg, version=Client.version + 1))


@pytest.fixture
def on_postgres(postgres_app: Flask) -> Portal:
    """A portal on PostgreSQL, where transactions really run side by side."""
    plant_keys()
    return Portal.registered(postgres_app)


def _claim(on: hot.Executor, code: str) -> Any:
    now = clock.millis()
    values = {"code_hash": ids.fingerprint(code), "client_id": "portal", "now": now, "remember_until": now + 60_000}
    return on.one(statements.CLAIM_CODE, **values)


def _lock(on: hot.Executor, token: str) -> Any:
    return on.one(statements.LOCK_FAMILY, token_hash=ids.fingerprint(token), client_id="portal", now=clock.millis())


def test_a_second_claim_waits_for_the_first_and_gets_nothing(on_postgres: Portal) -> None:
    code = on_postgres.code_for(on_postgres.granted(rows.person()))
    claimed, may_commit = threading.Event(), threading.Event()

    def first() -> Any:
        with on_postgres.app.app_context(), hot.transaction() as on:
            row = _claim(on, code)
            claimed.set()
            assert may_commit.wait(10)
        hot.close()
        return row

    def second() -> Any:
        assert claimed.wait(10)
        with on_postgres.app.app_context(), hot.transaction() as on:
            row = _claim(on, code)
        hot.close()
        return row

    with ThreadPoolExecutor(2) as pool:
        winner, loser = pool.submit(first), pool.submit(second)
        assert claimed.wait(10)
        with pytest.raises(TimeoutError):
            loser.result(0.3)  # it waits: it can neither win nor know yet that it lost
        may_commit.set()
        assert winner.result(10) is not None
        assert loser.result(10) is None


def test_a_claim_that_is_undone_leaves_the_code_to_the_next(on_postgres: Portal) -> None:
    code = on_postgres.code_for(on_postgres.granted(rows.person()))

    def claim_and_die() -> None:
        with hot.transaction() as on:
            assert _claim(on, code) is not None
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        claim_and_die()
    with hot.transaction() as on:
        assert _claim(on, code) is not None


def test_a_family_refreshes_one_at_a_time(on_postgres: Portal) -> None:
    token = on_postgres.tokens(on_postgres.granted(rows.person()))["refresh_token"]
    locked, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with on_postgres.app.app_context(), hot.transaction() as on:
            assert _lock(on, token) is not None
            locked.set()
            assert may_commit.wait(10)
        hot.close()

    def second() -> None:
        assert locked.wait(10)
        with on_postgres.app.app_context(), hot.transaction() as on:
            assert _lock(on, token) is not None
        hot.close()

    with ThreadPoolExecutor(2) as pool:
        holder, waiter = pool.submit(first), pool.submit(second)
        assert locked.wait(10)
        with pytest.raises(TimeoutError):
            waiter.result(0.3)
        may_commit.set()
        holder.result(10)
        waiter.result(10)


def test_when_issuing_fails_nothing_happened(portal: Portal, moved_clock: MovedClock) -> None:
    """The claim, the tokens and the audit stand or fall together; here the signature of the ID token fails."""
    _sign_with("ES512")
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id)
    with pytest.raises(NoSigningKey):
        portal.redeem(code)
    db.session.rollback()
    assert db.session.scalars(select(AuthorizationCode.used_at)).one() is None
    assert db.session.scalar(select(func.count()).select_from(RefreshToken)) == 0
    assert audited("token.issued") == []
    _sign_with("RS256")
    moved_clock.advance(_TRUST)
    assert portal.redeem(code).status_code == 200


def test_when_refreshing_fails_nothing_happened(portal: Portal, moved_clock: MovedClock) -> None:
    tokens = portal.tokens(portal.granted(rows.person()))
    _sign_with("ES512")
    moved_clock.advance(_TRUST)
    with pytest.raises(NoSigningKey):
        portal.refresh(tokens["refresh_token"])
    db.session.rollback()
    assert db.session.scalars(select(RefreshToken.used_at)).one() is None
    assert len(audited("token.issued")) == 1
    _sign_with("RS256")
    moved_clock.advance(_TRUST)
    assert portal.refresh(tokens["refresh_token"]).status_code == 200


def _first_refresh(token: str, grant_id: str, seen: int) -> bool:
    """Claim the first use of `token` in a family that was `seen`, and store a successor."""
    return hot.claim_and_write(
        statements.FIRST_REFRESH,
        (statements.INSERT_REFRESH,),
        parent_hash=ids.fingerprint(token),
        authorization_id=grant_id,
        seen=seen,
        now=clock.millis(),
        refresh_hash=ids.fingerprint(ids.new_secret()),
        client_id="portal",
        jkt=None,
        refresh_expires_at=clock.millis() + 60_000,
    )


def _seen(token: str) -> int:
    row = hot.reader().one(statements.FIND_REFRESH, token_hash=ids.fingerprint(token), client_id="portal")
    assert row is not None
    return int(row[COLUMNS])


def _refresh_tokens() -> list[bool]:
    """Which of the refresh tokens, in the order of their issue, are used."""
    db.session.rollback()
    return [
        used is not None for used in db.session.scalars(select(RefreshToken.used_at).order_by(RefreshToken.issued_at))
    ]


def test_what_was_decided_on_an_older_family_is_not_stored(portal: Portal) -> None:
    """A sibling may have been used since: only a family that is as it was seen is refreshed at once."""
    grant_id = portal.granted(rows.person())
    first = portal.tokens(grant_id)["refresh_token"]
    before = _seen(first)
    second = portal.refreshed(first)["refresh_token"]
    assert _seen(second) > before
    assert not _first_refresh(second, grant_id, before)
    assert _refresh_tokens() == [True, False]
    assert _first_refresh(second, grant_id, _seen(second))
    assert _refresh_tokens() == [True, True, False]
    assert not _first_refresh(second, grant_id, _seen(second))
    assert _refresh_tokens() == [True, True, False]


def test_a_refresh_at_once_waits_for_its_family_and_loses(on_postgres: Portal) -> None:
    grant_id = on_postgres.granted(rows.person())
    token = on_postgres.tokens(grant_id)["refresh_token"]
    before = _seen(token)
    locked, may_commit = threading.Event(), threading.Event()

    def holder() -> None:
        with on_postgres.app.app_context(), hot.transaction() as on:
            assert _lock(on, token) is not None
            locked.set()
            assert may_commit.wait(10)
        hot.close()

    def waiter() -> bool:
        assert locked.wait(10)
        with on_postgres.app.app_context():
            won = _first_refresh(token, grant_id, before)
        hot.close()
        return won

    with ThreadPoolExecutor(2) as pool:
        holds, waits = pool.submit(holder), pool.submit(waiter)
        assert locked.wait(10)
        with pytest.raises(TimeoutError):
            waits.result(0.3)
        may_commit.set()
        holds.result(10)
        assert waits.result(10) is False
    assert _refresh_tokens() == [False]


def test_a_code_whose_grant_has_ended_is_not_claimed_at_once(portal: Portal) -> None:
    grant_id = portal.granted(rows.person())
    code = portal.code_for(grant_id)
    now = clock.millis()
    values = columns(Entry("test")) | {"code_hash": ids.fingerprint(code), "client_id": "portal"}
    values |= {"authorization_id": grant_id, "now": now, "remember_until": now + 60_000}
    grants.end(hot.reader(), grant_id, "test", now)
    assert not hot.claim_and_write(statements.CODE, (INSERT_ENTRY,), **values)
    assert db.session.scalars(select(AuthorizationCode.used_at)).one() is None
    assert audited("test") == []


@pytest.mark.parametrize("ended", ["nothing", "browser session", "portal session", "client"])
def test_a_code_is_issued_at_once_only_where_all_of_it_lives(portal: Portal, ended: str) -> None:
    """U13: whoever signs out or disables a client at the same moment finds what is hung on them, or it is not hung.

    A claim that is lost leaves the interaction open: the person is asked again.
    """
    grant = stored(portal.granted(rows.person()))
    session_id = db.session.scalars(
        select(PortalSession.session_id).where(PortalSession.id == grant.portal_session_id)
    ).one()
    now = clock.now()
    with transaction() as session:
        match ended:
            case "browser session":
                session.execute(update(BrowserSession).values(ended_at=now))
            case "portal session":
                session.execute(update(PortalSession).values(ended_at=now))
            case "client":
                session.execute(update(Client).values(disabled_at=now))
    asked = AuthorizationRequest("portal", "https://portal.example/callback", "code", "query", ("openid",))
    interaction_id = interactions.begin(asked, "a browser")
    values = columns(Entry("test")) | {"session_id": session_id, "portal_session_id": grant.portal_session_id}
    values |= {"client_id": "portal", "interaction_id": interaction_id, "now": clock.millis()}
    claim = authorize_statements.in_place(joins=True, finishes=True)
    won = hot.claim_and_write(claim, (INSERT_ENTRY,), **values)
    assert won is (ended == "nothing")
    assert len(audited("test")) == won
    assert (db.session.scalars(select(Interaction.finished_at)).one() is not None) is won
    assert not hot.claim_and_write(claim, (INSERT_ENTRY,), **values)  # it ends once
