"""Many at once, on several worker processes: one wins, nobody gets a 500 (DESIGN 3, traps 1 and 2)."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import requests
from flask import Flask

from idp.store.db import db
from tests.oidc import client_jwt
from tests.oidc.portal import VERIFIER, Portal, assert_dead, is_alive, logouts_queued
from tests.oidc.proofs import Key
from tests.support import rows
from tests.support.ports import free_port
from tests.support.processes import spawn

AT_ONCE = 16
ROUNDS = 4

Answer = tuple[int, dict[str, Any]]


@contextmanager
def _served(app: Flask, **settings: str) -> Iterator[str]:
    """Serve the database of `app` with three worker processes; yield the address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "JINGBAN_DATABASE_URL": app.extensions["jingban.settings"].database_url,
        "JINGBAN_KEY_FILE": str(app.extensions["jingban.settings"].key_file),
        **{f"JINGBAN_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", "3", "--threads", "2"]
    with spawn(command, env=environment, health=f"{address}/oidc/jwks"):
        yield address


def _at_once(address: str, portal: Portal, form: dict[str, str], proof: str | None = None) -> list[Answer]:
    """Send the same token request, with the same DPoP proof if there is one, AT_ONCE times at the same moment."""
    credentials = None if portal.secret is None else (portal.client_id, portal.secret)
    start = threading.Barrier(AT_ONCE)

    def send() -> Answer:
        with requests.Session() as session:
            session.trust_env = False
            start.wait()
            response = session.post(
                f"{address}/oidc/token", data=form, auth=credentials, headers={"DPoP": proof}, timeout=60
            )
        return response.status_code, response.json()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(send) for _ in range(AT_ONCE)]]


def _kinds(answers: list[Answer]) -> Counter[tuple[int, str | None]]:
    return Counter((status, body.get("error")) for status, body in answers)


def test_a_code_is_paid_out_once(portal: Portal) -> None:
    """One 200, the others 400 invalid_grant; and because they are replays, what the one got is dead."""
    person_id = rows.person()
    grants = [portal.granted(person_id) for _ in range(ROUNDS)]
    codes = [portal.code_for(grant_id) for grant_id in grants]
    with _served(portal.app) as address:
        for grant_id, code in zip(grants, codes, strict=True):
            form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
            answers = _at_once(address, portal, form | {"redirect_uri": portal.redirect_uri})
            assert _kinds(answers) == {(200, None): 1, (400, "invalid_grant"): AT_ONCE - 1}
            (tokens,) = (body for status, body in answers if status == 200)
            assert not is_alive(grant_id)
            assert_dead(portal, tokens)
    assert logouts_queued() == ROUNDS


def test_without_grace_a_refresh_token_is_paid_out_once(portal: Portal) -> None:
    grants = [portal.granted(rows.person(n)) for n in range(ROUNDS)]
    presented = [portal.tokens(grant_id)["refresh_token"] for grant_id in grants]
    db.session.rollback()
    with _served(portal.app, refresh_grace="0") as address:
        for grant_id, token in zip(grants, presented, strict=True):
            answers = _at_once(address, portal, {"grant_type": "refresh_token", "refresh_token": token})
            assert _kinds(answers) == {(200, None): 1, (400, "invalid_grant"): AT_ONCE - 1}
            (tokens,) = (body for status, body in answers if status == 200)
            assert not is_alive(grant_id)
            assert_dead(portal, tokens)


def test_with_grace_all_get_siblings_and_the_second_to_be_used_ends_the_family(portal: Portal) -> None:
    """A portal whose workers refresh at the same moment goes on, with one of the answers."""
    presented = portal.tokens(portal.granted(rows.person()))["refresh_token"]
    db.session.rollback()
    with _served(portal.app, refresh_grace="60") as address:
        answers = _at_once(address, portal, {"grant_type": "refresh_token", "refresh_token": presented})
    assert _kinds(answers) == {(200, None): AT_ONCE}
    siblings = [body["refresh_token"] for _, body in answers]
    assert len(set(siblings)) == AT_ONCE
    used = portal.refreshed(siblings[7])
    assert portal.refresh(siblings[3]).status_code == 400
    assert_dead(portal, used)


def test_a_dpop_proof_works_once(portal: Portal) -> None:
    """RFC 9449 §11.1: whichever process it reaches first; the others say what is wrong."""
    service = Portal.registered(portal.app, "service", grant_types=["client_credentials"])
    issuer = portal.app.extensions["jingban.settings"].issuer
    key, form = Key(), {"grant_type": "client_credentials"}
    db.session.rollback()
    with _served(portal.app) as address:
        for _ in range(ROUNDS):
            answers = _at_once(address, service, form, key.proof(htu=f"{issuer}/oidc/token"))
            assert _kinds(answers) == {(200, None): 1, (400, "invalid_dpop_proof"): AT_ONCE - 1}


def test_a_client_assertion_works_once(portal: Portal) -> None:
    """RFC 7523 §3, 7: one `jti`, one request, whichever process it reaches first."""
    signer = Portal.registered(
        portal.app,
        "signer",
        public=True,
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        more={"jwks": client_jwt.key_set()},
    )
    form = {"grant_type": "client_credentials"}
    db.session.rollback()
    with _served(portal.app) as address:
        for _ in range(ROUNDS):
            answers = _at_once(address, signer, form | client_jwt.credentials("signer"))
            assert _kinds(answers) == {(200, None): 1, (401, "invalid_client"): AT_ONCE - 1}
