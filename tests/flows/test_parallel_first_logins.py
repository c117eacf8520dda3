"""First logins with the province by many browsers at once, on several worker processes and PostgreSQL: one account.

Whoever is not the one that made it is signed in to it all the same (F4, P7).
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.app import create_app
from idp.delegation.model import Binding
from idp.factors.model import UpstreamLink
from idp.persons.model import LoginName, Person
from idp.settings import Settings
from idp.store.db import db
from idp.units.model import Unit
from tests.support import codes, fictional, rows
from tests.support.application import QUICK_HASHES, migrate
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.processes import spawn
from tests.support.upstreams import PERSON, UNIT, StandIn, sign_in_there, stand_in
from tests.support.visitor import Visitor

AT_ONCE = 6
WORKERS = 3
AGENT = 40


@dataclass
class Site:
    """The address of the workers, the province, and an application on the same database to prepare and to look."""

    url: str
    there: StandIn
    app: Flask

    def arrive(self, account: dict[str, Any], tab: str) -> Visitor:
        """Return a browser that came back from the province for the first time."""
        visitor = Visitor().get(f"{self.url}/federation/province?tab={tab}")
        return visitor.get(sign_in_there(visitor.url, account))

    def counted(self) -> Counter[str]:
        """Return how many rows there are in each table that a first login writes."""
        with self.app.app_context():
            found = {
                table.__tablename__: db.session.scalars(select(func.count()).select_from(table)).one()
                for table in (Person, Unit, Binding, LoginName, UpstreamLink)
            }
            db.session.remove()
        return Counter(found)


@pytest.fixture(scope="module")
def site(postgres_server: PostgresServer, key_file: Path) -> Iterator[Site]:
    """One for both tests: a provider with the province beside it."""
    template = postgres_server.template("migrated", lambda url: migrate(url, key_file))
    port = free_port()
    with stand_in() as there:
        settings: dict[str, Any] = QUICK_HASHES | {
            "issuer": f"http://localhost:{port}",
            "database_url": postgres_server.url(postgres_server.create(template)),
            "key_file": key_file,
            "upstreams": [there.setting()],
            **dict.fromkeys(("limit_sign_in", "limit_registration", "limit_sms", "limit_authorize"), "10000/minute"),
        }
        app = create_app(Settings(**settings))
        told = {name: json.dumps(value) if isinstance(value, list) else str(value) for name, value in settings.items()}
        environment = {f"JINGBAN_{name.upper()}": value for name, value in told.items()}
        serve = [sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", str(WORKERS)]
        with spawn(serve, env=environment, health=f"http://localhost:{port}/health", timeout=60):
            yield Site(f"http://localhost:{port}", there, app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def at_once(works: Sequence[Callable[[], Visitor]]) -> list[Visitor]:
    """Let all of them go at the same moment."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], Visitor]) -> Visitor:
        gate.wait(timeout=60)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


def test_a_persons_first_logins_make_one_account(site: Site) -> None:
    """P7: each browser has a sign-in of its own over there, and a page of its own that it sends."""
    before = site.counted()
    waiting = [site.arrive(PERSON, "person") for _ in range(AT_ONCE)]
    assert ["首次登录" in visitor.text for visitor in waiting] == [True] * AT_ONCE

    def confirm(visitor: Visitor, n: int) -> Callable[[], Visitor]:
        return lambda: visitor.submit("username", username=f"from_there_{n}", accept_terms="y")

    done = at_once([confirm(visitor, n) for n, visitor in enumerate(waiting)])
    assert [(visitor.status, visitor.url) for visitor in done] == [(200, f"{site.url}/account")] * AT_ONCE
    assert site.counted() - before == Counter(person=1, login_name=1, upstream_link=1)


def test_a_units_first_logins_make_one_account(site: Site) -> None:
    """F4: 登录初始化 with one agent, whose phone gets a code for each browser."""
    with site.app.app_context():
        rows.person(AGENT)
        db.session.remove()
    before = site.counted()
    waiting = [_initialise(site) for _ in range(AT_ONCE)]

    def complete(visitor: Visitor, code: str, n: int) -> Callable[[], Visitor]:
        return lambda: visitor.submit("code", **_completed(n), code=code, action="register")

    done = at_once([complete(visitor, code, n) for n, (visitor, code) in enumerate(waiting)])
    assert [(visitor.status, visitor.url) for visitor in done] == [(200, f"{site.url}/unit")] * AT_ONCE
    assert site.counted() - before == Counter(unit=1, binding=1, login_name=1, upstream_link=1)


def _initialise(site: Site) -> tuple[Visitor, str]:
    """Return a browser on the last page of 登录初始化, and the code that the agent's phone got for it."""
    visitor = site.arrive(UNIT, "unit")
    agent = {
        "agent_username": fictional.login_name(AGENT),
        "agent_document_number": fictional.resident_id(AGENT),
    }
    visitor.submit("agent_username", **agent, action="next")
    visitor.submit("code", **_completed(0), action="load_region")
    with site.app.app_context():
        codes.forget_waits()
        db.session.remove()
    visitor.submit("code", **_completed(0), action="send_code")
    with site.app.app_context():
        code = codes.sent_to(fictional.mobile(AGENT))[-1]
        db.session.remove()
    return visitor, code


def _completed(n: int) -> dict[str, str]:
    return {
        "province": "440000",
        "city": "440700",
        "district": rows.SEAT,
        "username": f"unit_from_there_{n}",  # a name that no person took
        "password": fictional.password(),
        "password_again": fictional.password(),
    }
