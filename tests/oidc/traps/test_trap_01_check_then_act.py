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
from idp.clients import registry
from idp.clients.model import Client
from idp.oidc import statements
from idp.sessions.model import AuthorizationCode, RefreshToken
from idp.store import hot
from idp.store.db import db, transaction
from idp.store.keyring import NoSigningKey
from tests.oidc.portal import Portal, audited
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
