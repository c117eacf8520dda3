"""Telling portals (OpenID Connect Back-Channel Logout 1.0): the token, its delivery, retries."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import func, select, update

from idp import clock, jobs
from idp.clients.model import Client
from idp.delegation import bindings, closing
from idp.delegation.closing import Order
from idp.gateways import fetch
from idp.notify import worker
from idp.notify.model import OutboxMessage
from idp.oidc import backchannel_logout
from idp.sessions import browser_sessions, devices
from idp.sessions.model import PortalSession
from idp.settings import settings
from idp.store import hot, keyring
from idp.store.db import db, transaction
from tests.oidc.authorize.browser import CALLBACK, Browser, answer_in, authorization_of
from tests.oidc.portal import header_of
from tests.oidc.servers import Portal as Listening
from tests.oidc.servers import portal, raw_server
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys


@pytest.fixture
def calling_app(make_app: MakeApp, migrated_url: str) -> Iterator[Flask]:
    """An application that may call this machine; once on SQLite and once on PostgreSQL."""
    app = make_app(migrated_url, fetch_allow_loopback=True)
    with app.app_context():
        plant_keys()
        jobs.register_handlers()
        yield app


@pytest.fixture
def listening() -> Iterator[Listening]:
    with portal() as server:
        yield server


def address(server: Listening, path: str = "/logout") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def add_client(client_id: str, uri: str | None, **changes: Any) -> str:
    values = {"redirect_uris": [CALLBACK], "consent_required": False, "backchannel_logout_uri": uri} | changes
    return rows.client(client_id, **values)


def signed_in_at(app: Flask, *client_ids: str) -> tuple[str, str, dict[str, str]]:
    """Sign a person in at clients; return person, browser session, and the `sid` at each client."""
    person, browser = rows.person(), Browser(app)
    session_id = browser.sign_in(person)
    sids = {each: str(authorization_of(browser.authorize(client_id=each)).portal_session_id) for each in client_ids}
    return person, session_id, sids


def end(session_id: str) -> None:
    with transaction() as session:
        browser_sessions.end(session, session_id, why="signed_out")


def deliver_all() -> None:
    while worker.deliver_one():
        pass


def tokens_at(server: Listening) -> list[str]:
    found = []
    for method, path, headers, body in server.received:
        assert (method, path) == ("POST", "/logout")
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        form = parse_qs(body.decode(), strict_parsing=True)
        assert set(form) == {"logout_token"}
        found += form["logout_token"]
    return found


def states() -> dict[str, int]:
    db.session.rollback()
    kind = OutboxMessage.kind == "backchannel_logout"
    counted = db.session.execute(select(OutboxMessage.state, func.count()).where(kind).group_by(OutboxMessage.state))
    return {row[0]: row[1] for row in counted}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # joserfc's advice to portals; ours is in tokens/jws.py
@pytest.mark.parametrize("alg", keyring.ALGORITHMS)
def test_the_logout_token(calling_app: Flask, listening: Listening, alg: str) -> None:
    """§2.4, §2.5: what stands in it, and that a portal can verify it with our JWKS."""
    add_client("portal", address(listening), id_token_alg=alg)
    person, session_id, sids = signed_in_at(calling_app, "portal")
    end(session_id)
    deliver_all()
    (token,) = tokens_at(listening)
    keys = KeySet.import_key_set(json.loads(calling_app.test_client().get("/oidc/jwks").get_data()))
    decoded = jwt.decode(token, keys, algorithms=[alg, "Ed25519"])
    assert (decoded.header["typ"], decoded.header["alg"]) == ("logout+jwt", alg)
    claims = decoded.claims
    now = clock.timestamp()
    assert claims["iss"] == settings().issuer
    assert claims["aud"] == "portal"
    assert (claims["sub"], claims["sid"]) == (person, sids["portal"])
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert now - 10 <= claims["iat"] <= now
    assert claims["exp"] - claims["iat"] <= 120
    assert claims["jti"] == db.session.scalars(select(OutboxMessage.id)).one()
    assert "nonce" not in claims  # §2.4 MUST NOT: it could pass for an ID token
    assert states() == {"delivered": 1}


def test_every_portal_of_the_session_is_told_its_own_sid(calling_app: Flask, listening: Listening) -> None:
    with portal() as second:
        add_client("one", address(listening))
        add_client("two", address(second))
        add_client("silent", None)
        add_client("unvisited", address(listening))
        _, session_id, sids = signed_in_at(calling_app, "one", "two", "silent")
        end(session_id)
        deliver_all()
        told = [_claims(token) for server in (listening, second) for token in tokens_at(server)]
    assert {each["aud"]: each["sid"] for each in told} == {"one": sids["one"], "two": sids["two"]}
    assert states() == {"delivered": 2}


WAYS_TO_END: dict[str, Callable[[str, str], object]] = {
    "signed out here": lambda _person, session_id: devices.sign_out(session_id),
    "ended on the devices page": devices.end,
    "all others ended": lambda person, _session_id: devices.end_others(person, "s_another"),
    "the account locked": lambda person, _session_id: closing.lock_person(person, Order("adm_1", "test")),
}


@pytest.mark.parametrize("way", WAYS_TO_END)
def test_however_a_session_ends_its_portals_are_told(calling_app: Flask, listening: Listening, way: str) -> None:
    """§2.1: with or without the browser. `sid` is always there, so backchannel_logout_session_required is met."""
    for client_id in ("one", "two"):
        add_client(client_id, address(listening), more={"backchannel_logout_session_required": client_id == "one"})
    person, session_id, sids = signed_in_at(calling_app, "one", "two")
    WAYS_TO_END[way](person, session_id)
    deliver_all()
    assert {each["aud"]: each["sid"] for each in map(_claims, tokens_at(listening))} == sids


def test_a_session_that_expires_is_no_logout(
    calling_app: Flask, listening: Listening, moved_clock: MovedClock
) -> None:
    """Nobody decided anything: portals have idle times of their own (docs/integrate/logout.md)."""
    add_client("portal", address(listening))
    signed_in_at(calling_app, "portal")
    moved_clock.advance(timedelta(hours=13))
    jobs.forget_what_expired()
    deliver_all()
    assert listening.received == []


def test_only_the_pair_that_was_unbound_is_logged_out(calling_app: Flask, listening: Listening) -> None:
    """U13: the personal session, and another unit's, go on."""
    add_client("portal", address(listening))
    person, first, second = rows.person(), rows.unit(1), rows.unit(2)
    binding = rows.binding(first, person)
    rows.binding(second, person)
    browser = Browser(calling_app)
    browser.sign_in(person)
    sids = {
        number: authorization_of(browser.authorize(org_hint=number)).portal_session_id
        for number in (fictional.uscc(1), fictional.uscc(2), None)
    }
    bindings.unbind(first, binding)
    deliver_all()
    (claims,) = [_claims(token) for token in tokens_at(listening)]
    assert (claims["sub"], claims["sid"]) == (person, sids[fictional.uscc(1)])
    alive = set(db.session.scalars(select(PortalSession.id).where(PortalSession.ended_at.is_(None))))
    assert alive == {sids[fictional.uscc(2)], sids[None]}
    assert "code" in answer_in(browser.authorize())


@pytest.mark.parametrize("status", [200, 201, 204])
def test_2xx_is_done(calling_app: Flask, listening: Listening, status: int) -> None:
    """§2.8."""
    listening.answer = lambda _path: (status, {}, b"")
    add_client("portal", address(listening))
    end(signed_in_at(calling_app, "portal")[1])
    deliver_all()
    assert states() == {"delivered": 1}


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_anything_else_is_tried_again_with_the_same_jti(
    calling_app: Flask, listening: Listening, moved_clock: MovedClock, status: int
) -> None:
    """§2.8; a portal that got the first one after all knows the second by its `jti`."""
    listening.answer = lambda _path: (status, {"Location": "/elsewhere"}, b"")
    add_client("portal", address(listening))
    end(signed_in_at(calling_app, "portal")[1])
    deliver_all()
    assert states() == {"waiting": 1}
    listening.answer = lambda _path: (200, {}, b"")
    moved_clock.advance(timedelta(minutes=11))
    deliver_all()
    assert states() == {"delivered": 1}
    first, second = (_claims(token) for token in tokens_at(listening))
    assert first["jti"] == second["jti"]
    assert second["iat"] - first["iat"] >= 600  # fresh, or it would have expired on the way


def test_a_portal_that_never_answers_is_given_up_after_a_day(calling_app: Flask, moved_clock: MovedClock) -> None:
    with portal() as gone:
        uri = address(gone)
    add_client("portal", uri)
    end(signed_in_at(calling_app, "portal")[1])
    for _ in range(400):
        moved_clock.advance(timedelta(minutes=10))
        deliver_all()
        if states() == {"given_up": 1}:
            return
    pytest.fail(str(states()))


@pytest.mark.parametrize("what", ["disabled", "no address any more"])
def test_a_portal_that_is_gone_needs_no_telling(
    calling_app: Flask, listening: Listening, moved_clock: MovedClock, what: str
) -> None:
    add_client("portal", address(listening))
    end(signed_in_at(calling_app, "portal")[1])
    values = {"disabled_at": clock.now()} if what == "disabled" else {"backchannel_logout_uri": None}
    with transaction() as session:
        session.execute(update(Client).values(**values, version=Client.version + 1))
    moved_clock.advance(timedelta(seconds=3))
    deliver_all()
    assert listening.received == []
    assert states() == {"delivered": 1}


def test_private_addresses_are_not_called(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """DESIGN 3: whoever registers a client must not make us call our own network."""
    app = make_app(migrated_sqlite_url)
    with app.app_context(), portal() as server:
        plant_keys()
        jobs.register_handlers()
        for number, uri in enumerate((address(server), "https://10.0.0.1/logout", "https://169.254.169.254/")):
            add_client(f"inside{number}", uri)
        end(signed_in_at(app, "inside0", "inside1", "inside2")[1])
        deliver_all()
        assert server.received == []
        assert states() == {"waiting": 3}
        reasons = []
        for number in range(3):
            payload = {"client_id": f"inside{number}", "subject_id": "p_x", "sid": "ps_x"}
            with pytest.raises(fetch.FetchFailed) as failed:
                backchannel_logout.deliver("m_x", payload)
            reasons.append(failed.value.reason)
        assert reasons == ["not_https", "address_forbidden", "address_forbidden"]


def test_a_dead_portal_delays_nobody(calling_app: Flask, listening: Listening) -> None:
    """Three portals hang; the worker's other hands reach the fourth at once."""
    with ExitStack() as stack:
        names = []
        for number in range(jobs.DELIVERERS - 1):
            port = stack.enter_context(raw_server(lambda _connection, over: over.wait(30)))
            names.append(add_client(f"dead{number}", f"http://127.0.0.1:{port}/logout"))
        add_client("alive", address(listening))
        end(signed_in_at(calling_app, *names, "alive")[1])
        hands = [threading.Thread(target=_deliver, args=(calling_app,)) for _ in range(jobs.DELIVERERS)]
        for hand in hands:
            hand.start()
        give_up = time.monotonic() + 30
        while not listening.received and time.monotonic() < give_up:
            time.sleep(0.01)
        still_hanging = sum(hand.is_alive() for hand in hands)
        for hand in hands:
            hand.join()
        assert listening.received
        assert still_hanging  # nobody waited until the dead ones were given up
    assert states() == {"delivered": 1, "waiting": jobs.DELIVERERS - 1}


def _deliver(app: Flask) -> None:
    with app.app_context():
        worker.deliver_one()
        db.session.remove()
        hot.close()


def _claims(token: str) -> dict[str, Any]:
    verifier = keyring.verifier(header_of(token)["kid"])
    assert verifier is not None
    return dict(jwt.decode(token, verifier.key, algorithms=[verifier.alg]).claims)
