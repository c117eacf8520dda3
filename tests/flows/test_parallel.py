"""Races through the front door: several worker processes on PostgreSQL, many browsers at once (P4, P9, DESIGN 8)."""

import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from idp.app import create_app
from idp.persons.model import LoginName, Person
from idp.sessions import passwords
from idp.settings import Settings
from idp.store.base import vault
from idp.store.db import db
from tests.support import codes, fictional, rows
from tests.support.application import QUICK_HASHES, migrate
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.processes import spawn
from tests.support.visitor import Visitor

WORKERS = 4
PASSWORD = fictional.password()
WRONG = "Wrong-Owl0000"


@dataclass
class Site:
    """The address of the workers, and an application on the same database to prepare and to look."""

    url: str
    app: Flask

    def at_once(self, works: Sequence[Callable[[Visitor], Visitor]], path: str) -> list[Visitor]:
        """Open `path` in a browser for each work, then let all of them go at the same moment."""
        gate = threading.Barrier(len(works))

        def run(work: Callable[[Visitor], Visitor]) -> Visitor:
            visitor = Visitor().get(self.url + path)
            gate.wait(timeout=60)
            return work(visitor)

        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(run, works))


@pytest.fixture(scope="module")
def site(postgres_server: PostgresServer, key_file: Path) -> Iterator[Site]:
    """One for all tests here, which bring persons of their own."""
    template = postgres_server.template("migrated", lambda url: migrate(url, key_file))
    url = postgres_server.url(postgres_server.create(template))
    port = free_port()
    settings = QUICK_HASHES | {
        "issuer": f"http://localhost:{port}",
        "database_url": url,
        "key_file": key_file,
        "limit_sign_in": "10000/minute",
        "limit_registration": "10000/minute",
        "limit_sms": "10000/minute",
    }
    app = create_app(Settings(**settings))
    environment = {f"JINGBAN_{name.upper()}": str(value) for name, value in settings.items()}
    serve = [sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", str(WORKERS)]
    with spawn(serve, env=environment, health=f"http://localhost:{port}/health", timeout=60):
        yield Site(f"http://localhost:{port}", app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def add_person(site: Site, n: int) -> str:
    """Add person `n` and return the login name."""
    with site.app.app_context():
        rows.person(n, password_hash=passwords.hash_password(PASSWORD))
        db.session.remove()
    return fictional.login_name(n)


def guess(name: str, password: str) -> Callable[[Visitor], Visitor]:
    return lambda visitor: visitor.submit("password", username=name, password=password)


def answers(visitors: Sequence[Visitor]) -> Counter[str]:
    found = (
        re.search("还可尝试 [0-9] 次|账号已被锁定1小时，请于 60 分钟后再试", visitor.text) for visitor in visitors
    )
    shown = zip(visitors, found, strict=True)
    return Counter(match[0] if match else f"{visitor.status}: {visitor.text}" for visitor, match in shown)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_parallel_guesses_never_exceed_five(site: Site, known: bool) -> None:
    """P9: of thirty guesses by two of a person's names four are told what is left; all others are locked out.

    A name that no account has is answered alike.
    """
    names = (add_person(site, 101), fictional.mobile(101)[3:]) if known else ("nobody_here", " NOBODY_HERE ")
    visitors = site.at_once([guess(names[n % 2], WRONG) for n in range(30)], "/sign-in")
    lefts = {f"还可尝试 {left} 次": 1 for left in (4, 3, 2, 1)}
    assert answers(visitors) == Counter(lefts | {"账号已被锁定1小时，请于 60 分钟后再试": 26})
    after = Visitor().get(site.url + "/sign-in").submit("password", username=names[0], password=PASSWORD)
    assert "账号已被锁定1小时" in after.text
    assert after.status == 429


def test_the_right_one_among_parallel_guesses_gets_in_within_five(site: Site) -> None:
    """Whoever gets in was one of the first five since the last success."""
    name = add_person(site, 102)
    passwords_tried = [PASSWORD if n % 10 == 0 else WRONG for n in range(20)]
    visitors = site.at_once([guess(name, password) for password in passwords_tried], "/sign-in")
    for visitor, password in zip(visitors, passwords_tried, strict=True):
        assert visitor.status < 500
        if password == WRONG:
            assert visitor.status in {400, 429}


def registering(site: Site, n: int) -> Callable[[Visitor], Visitor]:
    """Return what person `n` does: has the code sent, types it, presses 「注册」."""

    def work(visitor: Visitor) -> Visitor:
        visitor.submit("document_number", **typed(n), action="send_code")
        with site.app.app_context():
            code = codes.sent_to(fictional.mobile(n))[-1]
            db.session.remove()
        return visitor.submit("document_number", **typed(n), code=code, action="register")

    return work


def typed(n: int) -> dict[str, str]:
    return {
        "document_type": "resident_id",
        "document_number": fictional.resident_id(50),
        "name": fictional.person_name(n),
        "phone": fictional.mobile(n)[3:],
        "username": fictional.login_name(n),
        "password": PASSWORD,
        "password_again": PASSWORD,
        "accept_terms": "y",
    }


def test_sixteen_registrations_of_one_document_make_one_person(site: Site) -> None:
    """P4: one browser is led on; fifteen are told 「自然人证件号码已被使用」, never a 500."""
    visitors = site.at_once([registering(site, n) for n in range(1, 17)], "/register/person")
    done = [visitor for visitor in visitors if visitor.url.endswith("/register/person/done")]
    refused = [visitor for visitor in visitors if "自然人证件号码已被使用" in visitor.text and visitor.status == 400]
    assert (len(done), len(refused)) == (1, 15)
    with site.app.app_context():
        lookup = vault().lookup("document", f"resident_id:{fictional.resident_id(50)}")
        assert len(db.session.scalars(select(Person).where(Person.document_lookup == lookup)).all()) == 1
        names = [fictional.login_name(n) for n in range(1, 17)]
        assert len(db.session.scalars(select(LoginName).where(LoginName.key.in_(names))).all()) == 1


def test_one_phone_gets_a_scan_and_its_result_is_taken_once(site: Site) -> None:
    """P7: of eight phones one may confirm; of eight times that the browser goes on one signs in."""
    desk = Visitor().get(site.url + "/sign-in/scan")
    ticket_id = desk.url.rsplit("/", 1)[1].partition("?")[0]
    with site.app.app_context():
        tokens = [rows.signed_in(rows.person(n)) for n in range(200, 208)]
        db.session.remove()

    def opening(token: str) -> Callable[[Visitor], Visitor]:
        def work(visitor: Visitor) -> Visitor:
            visitor.http.cookies.set("jingban_session", token)
            return visitor.get(f"{site.url}/scan/{ticket_id}")

        return work

    phones = site.at_once([opening(token) for token in tokens], "/help")
    [owner] = [phone for phone in phones if phone.status == 200]
    assert [phone.status for phone in phones if phone is not owner] == [409] * 7
    shown = re.search(r'scan__number"[^>]*>(\d\d)<', desk.get(desk.url).text)
    assert shown
    owner.submit("number", number=shown[1], action="confirm")

    def take(visitor: Visitor) -> Visitor:
        visitor.http.cookies = desk.http.cookies.copy()
        visitor.url, visitor.text = desk.url, desk.text
        return visitor.submit("csrf_token")

    takers = site.at_once([take] * 8, "/help")
    assert Counter(taker.url.removeprefix(site.url) for taker in takers)["/account"] == 1
    late = [taker for taker in takers if not taker.url.endswith("/account")]
    assert all("二维码已失效" in taker.text and taker.status in {200, 404} for taker in late)
