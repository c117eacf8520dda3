"""扫码登录 on the pages (P7): without JavaScript, of persons and units, alone and on the way to portals."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import jobs
from idp.audit.model import AuditEntry
from idp.factors.model import ScanTicket
from idp.persons.model import AccountKind, AccountStatus, Person
from idp.sessions import browser_sessions, interactions, passwords
from idp.sessions.browser_sessions import SignedIn
from idp.settings import settings
from idp.store.base import from_millis
from idp.store.db import db, release, transaction
from tests.factors.sessions import start
from tests.flows.authorizing import CALLBACK, Acting
from tests.flows.inside import InsideVisitor
from tests.flows.test_federation import forget
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock
from tests.support.upstreams import PERSON, sign_in_there, stand_in

__all__ = ["moved_clock"]

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
DESKTOP_ADDRESS = "198.51.100.7"
GONE = "二维码已失效"
TAKEN = "二维码已被另一部手机扫描"
OLD = "请在手机上重新登录一次"


@pytest.fixture
def migrated_url(migrated_sqlite_url: str) -> str:
    """SQLite alone: test_parallel.py asks PostgreSQL for what a database decides."""
    return migrated_sqlite_url


class Desktop(InsideVisitor):
    """The browser that shows the QR code."""

    def __init__(self, app: Flask, browser: str = "desktop") -> None:
        super().__init__(app, "/account", "/unit", "/interaction/", "/choose-unit")
        self.client.environ_base.update({"HTTP_USER_AGENT": WINDOWS, "REMOTE_ADDR": DESKTOP_ADDRESS})
        with self.client.session_transaction() as session:
            session["browser"] = browser

    def begin(self, **query: str) -> "Desktop":
        """Ask for a QR code."""
        self.url = "http://localhost/"
        self.get("/sign-in/scan", **query)
        return self

    @property
    def ticket_id(self) -> str:
        found = re.search("/sign-in/scan/([A-Z]{10})", self.url)
        assert found, f"no ticket at {self.url}: {self.text[:2000]}"
        return found[1]

    @property
    def address(self) -> str:
        """What stands in the QR code, as a path."""
        return f"/scan/{self.ticket_id[:5]}-{self.ticket_id[5:]}"

    def state(self) -> str:
        """What the page's script is told."""
        release()
        return str(self.client.get("/sign-in/scan-state", query_string={"ticket": self.ticket_id}).get_json()["state"])

    def number(self) -> str:
        """Open the page again and read the number on it."""
        self.get(self.url)
        found = re.search(r'scan__number"[^>]*>(\d\d)<', self.text)
        assert found, self.text
        return found[1]

    def go_on(self) -> "Desktop":
        """Press the button."""
        self.submit("csrf_token")
        return self

    def who(self) -> SignedIn | None:
        """Return who is signed in here now."""
        cookie = self.client.get_cookie("jingban_session")
        return browser_sessions.find(cookie.value) if cookie else None


class Phone(InsideVisitor):
    """A phone, on which nobody is signed in yet."""

    def __init__(self, app: Flask, browser: str = "phone") -> None:
        super().__init__(app)
        with self.client.session_transaction() as session:
            session["browser"] = browser

    def as_person(self, person_id: str, *amr: str, ago: timedelta = timedelta(0)) -> "Phone":
        """Be signed in as a person."""
        self.client.set_cookie("jingban_session", start(person_id, *amr, ago=ago))
        return self

    def confirm(self, number: str) -> InsideVisitor:
        return self.submit("number", number=number, action="confirm")

    def refuse(self) -> InsideVisitor:
        return self.submit("number", action="refuse")


@pytest.fixture
def desktop(app: Flask) -> Desktop:
    return Desktop(app)


def confirmed(app: Flask, desktop: Desktop, person_id: str, *amr: str) -> Phone:
    """Let a phone confirm what `desktop` shows."""
    phone = Phone(app).as_person(person_id, *amr)
    phone.get(desktop.address)
    phone.confirm(desktop.number())
    assert "已确认登录" in phone.text
    return phone


def wrong(number: str) -> str:
    return f"{(int(number) + 1) % 100:02d}"


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


@pytest.mark.parametrize("tab", ["person", "unit"])
def test_sign_in_offers_it_on_both_tabs(desktop: Desktop, tab: str) -> None:
    """P7."""
    desktop.get("/sign-in", tab=tab, next="/help")
    assert f'href="/sign-in/scan?tab={tab}&amp;next=/help"' in desktop.text


def test_the_phone_confirms_and_the_browser_goes_on(app: Flask, desktop: Desktop) -> None:
    """P7: the same person, by what the phone's session vouches for, since the confirmation; the audit knows."""
    person_id = rows.person(real_name_level=3)
    desktop.begin()
    assert '<div class="qr"' in desktop.text
    assert f"{settings().issuer}{desktop.address}<" in desktop.text
    assert desktop.state() == "waiting"
    phone = Phone(app).as_person(person_id)
    phone.get(desktop.address.lower())
    for shown in ("user_0000", "统一身份认证平台", "Chrome · Windows", DESKTOP_ADDRESS, "请确认这台设备就在您面前"):
        assert shown in phone.text
    assert desktop.state() == "scanned"
    phone.confirm(f" {desktop.number()} ")
    assert "已确认登录" in phone.text
    assert "查看登录设备" in phone.text
    assert desktop.state() == "confirmed"
    assert desktop.go_on().url == "http://localhost/account"
    who = desktop.who()
    assert who is not None
    assert (who.subject_id, who.amr) == (person_id, ("pwd", "mca"))
    ticket = db.session.scalars(select(ScanTicket)).one()
    assert from_millis(who.auth_time) == ticket.confirmed_at
    assert actions()[-3:] == ["scan.confirmed", "session.started", "scan.used"]
    assert "已确认登录" in phone.get(f"/scan/{ticket.id}").text


def test_what_stands_in_the_code_opens_nothing(app: Flask, desktop: Desktop) -> None:
    """P7: the result is for the browser that asked; another one, even the phone's own, gets nothing."""
    desktop.begin()
    other = Desktop(app, "other")
    phone = confirmed(app, desktop, rows.person())
    for thief in (other, phone):
        thief.get(f"/sign-in/scan/{desktop.ticket_id}")
        assert thief.status == 404
        assert GONE in thief.text
        thief.get("/sign-in", again="1").post(f"/sign-in/scan/{desktop.ticket_id}")
        assert thief.status == 404
    other.url = desktop.url
    assert other.state() == "expired"
    assert other.who() is None
    assert desktop.go_on().who() is not None


def test_it_is_used_once(app: Flask, desktop: Desktop) -> None:
    desktop.begin()
    confirmed(app, desktop, rows.person())
    page, text = desktop.url, desktop.text
    desktop.go_on()
    first = desktop.who()
    desktop.url, desktop.text = page, text
    desktop.go_on()
    assert desktop.status == 200
    assert GONE in desktop.text
    assert desktop.state() == "used"
    assert desktop.who() == first


def test_the_first_phone_has_it(app: Flask, desktop: Desktop) -> None:
    """A second one is told so, and cannot confirm either."""
    owner = rows.person()
    desktop.begin()
    phone = Phone(app).as_person(owner)
    phone.get(desktop.address)
    number = desktop.number()
    for other in (Phone(app, "second").as_person(rows.person(1)), Phone(app, "third")):
        other.get(f"/scan/{desktop.ticket_id}")
        assert other.status == 409
        assert TAKEN in other.text
        other.get("/sign-in", again="1").post(f"/scan/{desktop.ticket_id}", number=number, action="confirm")
        assert other.status == 409
    assert desktop.state() == "scanned"
    phone.confirm(number)
    assert desktop.go_on().url == "http://localhost/account"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_phone_without_sign_in_looks_but_does_not_take(app: Flask, desktop: Desktop, method: str) -> None:
    """What previews an address must not use the code up; and nobody confirms without having signed in."""
    desktop.begin()
    phone = Phone(app).get(desktop.address)
    if method == "POST":
        phone.get("/sign-in").post(f"/scan/{desktop.ticket_id}", number="00", action="confirm")
    assert phone.status == 200
    assert "请先在这部手机上登录" in phone.text
    assert DESKTOP_ADDRESS in phone.text
    assert desktop.state() == "waiting"


def test_signing_in_on_the_phone_leads_back(app: Flask, desktop: Desktop) -> None:
    rows.person(password_hash=passwords.hash_password(fictional.password()))
    desktop.begin()
    phone = Phone(app)
    phone.get(desktop.address)
    phone.get(link(phone, "登录"))
    phone.submit("password", username="user_0000", password=fictional.password())
    phone.confirm(desktop.number())
    assert desktop.go_on().url == "http://localhost/account"


def link(visitor: InsideVisitor, label: str) -> str:
    """Return where the link of this label leads."""
    found = re.search(
        rf'<a [^>]*href="([^"]+)"[^>]*>(?:<svg(?:(?!</a>).)*)?\s*{label}\s*</a>', visitor.text, re.DOTALL
    )
    assert found, f"no link {label} at {visitor.url}: {visitor.text[:3000]}"
    return found[1].replace("&amp;", "&")


def test_a_first_scan_makes_a_real_named_account(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """P7: who has no account scans, signs in with the province on the phone, and is real-named at once."""
    with stand_in() as there:
        app = make_app(migrated_sqlite_url, upstreams=(there.setting(),))
        app.before_request_funcs.setdefault(None, []).insert(0, forget)
        with app.app_context():
            desktop, phone = Desktop(app).begin(), Phone(app)
            phone.get(desktop.address)
            phone.get(link(phone, "省统一身份认证"))
            phone.get(sign_in_there(phone.url, PERSON))
            phone.submit("username", accept_terms="y")
            assert "确认登录" in phone.text
            phone.confirm(desktop.number())
            assert desktop.go_on().url == "http://localhost/account"
            who = desktop.who()
            assert who is not None
            assert who.real_name_level == 3
            assert who.amr == ("mca",)
            found = browser_sessions.rests_on(db.session(), who.session_id, "upstream:province")
            assert found, "it ends with the link, as the phone's does"


def test_three_wrong_numbers_refuse(app: Flask, desktop: Desktop) -> None:
    """A relayed code takes live help, and guessing none: 3 of 100."""
    desktop.begin()
    phone = Phone(app).as_person(rows.person())
    phone.get(desktop.address)
    number = desktop.number()
    for left in (2, 1):
        phone.confirm(wrong(number))
        assert phone.status == 400
        assert f"还可尝试 {left} 次" in phone.text
    phone.confirm("")
    assert "该字段是必填字段" in phone.text
    phone.confirm(wrong(number))
    assert "已拒绝登录" in phone.text
    assert desktop.state() == "refused"
    phone.get("/sign-out").post(f"/scan/{desktop.ticket_id}", number=number, action="confirm")
    assert "已拒绝登录" in phone.text
    assert "已在手机上拒绝" in desktop.get(desktop.url).text
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "scan.refused")).one()
    assert (entry.outcome, entry.details) == ("refused", {"ticket": desktop.ticket_id, "why": "number"})


def test_the_person_refuses(app: Flask, desktop: Desktop) -> None:
    desktop.begin()
    phone = Phone(app).as_person(rows.person())
    phone.get(desktop.address)
    desktop.get(desktop.url)
    phone.refuse()
    assert "已拒绝登录" in phone.text
    assert desktop.go_on().who() is None
    assert "已在手机上拒绝" in desktop.text
    desktop.get(link(desktop, "刷新二维码"))
    assert desktop.state() == "waiting"


def test_it_expires(app: Flask, desktop: Desktop, moved_clock: MovedClock) -> None:
    """Three minutes to be scanned, as much again to be confirmed, one minute to go on."""
    person_id = rows.person()
    desktop.begin()
    moved_clock.advance(timedelta(seconds=181))
    assert desktop.state() == "expired"
    late = Phone(app, "late").as_person(person_id)
    late.get(desktop.address)
    assert (late.status, GONE in late.text) == (404, True)
    assert GONE in desktop.get(desktop.url).text

    desktop.begin()
    phone = Phone(app).as_person(person_id)
    moved_clock.advance(timedelta(seconds=175))
    phone.get(desktop.address)
    moved_clock.advance(timedelta(seconds=175))
    number = desktop.number()
    moved_clock.advance(timedelta(seconds=10))
    phone.confirm(number)
    assert (phone.status, GONE in phone.text) == (404, True)

    desktop.begin()
    confirmed(app, desktop, person_id)
    moved_clock.advance(timedelta(seconds=61))
    assert GONE in desktop.go_on().text
    assert desktop.who() is None
    jobs.forget_what_expired()
    assert db.session.scalars(select(ScanTicket)).all() == []


@pytest.mark.parametrize("ticket_id", ["BCDFGHJKLM", "BCDFG-HJKLM", "x", "％", "b" * 300])
def test_unknown_codes(app: Flask, ticket_id: str) -> None:
    desktop, phone = Desktop(app), Phone(app).as_person(rows.person())
    for visitor, path in ((desktop, "/sign-in/scan/"), (phone, "/scan/"), (Phone(app), "/scan/")):
        visitor.get(path + ticket_id)
        assert (visitor.status, GONE in visitor.text) == (404, True)
    assert desktop.client.get("/sign-in/scan-state", query_string={"ticket": ticket_id}).get_json() == {
        "state": "expired"
    }


def test_the_button_before_the_phone_confirmed(desktop: Desktop) -> None:
    """Without JavaScript the button asks, as often as one likes."""
    desktop.begin().go_on()
    assert desktop.status == 200
    assert "手机上还没有确认" in desktop.text
    assert desktop.who() is None


@pytest.mark.parametrize(
    ("asked", "ago", "is_taken"),
    [
        ({}, 4, True),
        ({}, 6, False),
        ({"prompt": "login"}, 1, False),
        ({"max_age": "120"}, 1, True),
        ({"max_age": "120"}, 3, False),
        ({"max_age": "0"}, 1, False),
    ],
)
def test_the_sign_in_on_the_phone_is_fresh(app: Flask, asked: dict[str, str], ago: int, is_taken: bool) -> None:
    """OpenID Connect Core §3.1.2.1: a new sign-in that a portal asks for is one on the phone, too."""
    acting = Acting(app)
    desktop = Desktop(app)
    acting.visitor = desktop
    desktop.outside = ("/account",)
    acting.ask("openid", **asked)
    desktop.get(link(desktop, "扫码登录"))
    phone = Phone(app).as_person(acting.person_id, ago=timedelta(minutes=ago))
    phone.get(desktop.address)
    assert (OLD in phone.text, "确认登录" in phone.text) == (not is_taken, is_taken)
    if not is_taken:
        phone.get("/sign-out").post(f"/scan/{desktop.ticket_id}", number=desktop.number(), action="confirm")
        assert OLD in phone.text
        phone.as_person(acting.person_id).get(desktop.address)
    phone.confirm(desktop.number())
    desktop.go_on()
    assert desktop.url.startswith(CALLBACK)
    granted = acting.authorization()
    assert (granted.subject_id, granted.amr, granted.acr) == (acting.person_id, "mca pwd", "urn:jingban:acr:L1")


def test_a_portal_that_needs_more_asks_for_another_way(app: Flask) -> None:
    """F6: into the step-up, for which the way that was used on the phone does not count again."""
    acting = Acting(app, client={"min_person_level": 2}, person={"real_name_level": 3})
    with transaction() as session:
        session.get_one(Person, acting.person_id).password_hash = passwords.hash_password(fictional.password())
    acting.visitor = desktop = Desktop(app)
    desktop.outside = ("/account",)
    acting.ask("openid")
    desktop.get(link(desktop, "扫码登录"))
    confirmed(app, desktop, acting.person_id, "sms")
    desktop.go_on()
    assert desktop.url.startswith("http://localhost/raise-level")
    assert "短信验证码" not in desktop.text
    desktop.get(link(desktop, "登录密码"))
    desktop.submit("password", password=fictional.password())
    assert desktop.url.startswith(CALLBACK)
    granted = acting.authorization()
    assert (granted.amr, granted.acr) == ("mca mfa pwd sms", "urn:jingban:acr:L2")


def test_what_is_changed_after_a_fresh_sign_in_alone(app: Flask, desktop: Desktop) -> None:
    """`again`: the page that asked takes no older sign-in, wherever it was."""
    desktop.begin(again="1", next="/help")
    phone = Phone(app).as_person(rows.person(), ago=timedelta(seconds=5))
    assert OLD in phone.get(desktop.address).text


def test_for_a_unit(app: Flask) -> None:
    """C1: 以单位身份登录 leads to the chooser; the phone says so."""
    acting = Acting(app)
    acting.unit(1, "rec.position")
    acting.unit(2, "rec.position")
    acting.visitor = desktop = Desktop(app)
    desktop.outside = ("/account",)
    acting.ask()
    desktop.get(link(desktop, "扫码登录"))
    desktop.get(link(desktop, "以单位身份登录"))
    phone = Phone(app).as_person(acting.person_id)
    phone.get(desktop.address)
    assert "以单位身份（登录后选择单位）" in phone.text
    assert "公共招聘" in phone.text
    phone.confirm(desktop.number())
    assert desktop.go_on().url.startswith("http://localhost/choose-unit")
    assert acting.interaction().as_unit


def test_a_portal_for_persons_alone_offers_no_unit(app: Flask) -> None:
    acting = Acting(app, client={"acts_for": "never"})
    acting.visitor = desktop = Desktop(app)
    acting.ask("openid")
    desktop.get(link(desktop, "扫码登录"))
    assert "以单位身份登录" not in desktop.text
    desktop.begin(interaction=acting.interaction().id, as_unit="1", tab="unit")
    ticket = db.session.scalars(select(ScanTicket).where(ScanTicket.id == desktop.ticket_id)).one()
    assert (ticket.kind, ticket.as_unit) == ("person", False)


def test_a_unit_with_its_own_account(app: Flask, desktop: Desktop) -> None:
    """U6, P7: confirmed by whoever is signed in as the unit; a person's session is not it."""
    unit_id = rows.unit()
    desktop.begin(tab="unit")
    phone = Phone(app).as_person(rows.person())
    phone.get(desktop.address)
    assert "这个二维码用于单位账号登录" in phone.text
    phone.get("/sign-out").post(f"/scan/{desktop.ticket_id}", number=desktop.number(), action="confirm")
    assert "这个二维码用于单位账号登录" in phone.text
    phone.sign_in(unit_id, AccountKind.UNIT).get(desktop.address)
    phone.confirm(desktop.number())
    assert desktop.go_on().url == "http://localhost/unit"
    who = desktop.who()
    assert who is not None
    assert (who.kind, who.subject_id, who.amr) == (AccountKind.UNIT, unit_id, ("pwd", "mca"))


def test_an_account_that_was_locked_meanwhile(app: Flask, desktop: Desktop) -> None:
    """P9: and the script does not try again for ever."""
    person_id = rows.person()
    desktop.begin()
    confirmed(app, desktop, person_id)
    with transaction() as session:
        session.get_one(Person, person_id).status = AccountStatus.LOCKED
    desktop.go_on()
    assert desktop.status == 403
    assert "data-scan=" not in desktop.text
    assert desktop.who() is None


def test_a_phone_that_was_signed_out_meanwhile(app: Flask, desktop: Desktop) -> None:
    """Whoever ends all sessions ends what they confirmed."""
    person_id = rows.person()
    desktop.begin()
    confirmed(app, desktop, person_id)
    with transaction() as session:
        browser_sessions.end_all_of(session, person_id, why="password_changed")
    assert desktop.go_on().status == 404
    assert desktop.who() is None


def test_whoever_is_signed_in_needs_no_code(app: Flask, desktop: Desktop) -> None:
    desktop.sign_in(rows.person())
    assert desktop.begin().url == "http://localhost/account"
    assert desktop.begin(again="1").state() == "waiting"


def test_the_interaction_may_be_over(app: Flask, desktop: Desktop) -> None:
    """It took too long at the portal's side: signed in all the same. Another browser's is refused at once."""
    acting = Acting(app)
    acting.visitor = desktop
    acting.ask("openid")
    interaction_id = acting.interaction().id
    assert Desktop(app, "other").begin(interaction=interaction_id).status == 400
    desktop.begin(interaction=interaction_id)
    confirmed(app, desktop, acting.person_id)
    ticket_id = desktop.ticket_id
    interactions.finish(db.session(), interaction_id)
    db.session.commit()
    desktop.get(f"/sign-in/scan/{ticket_id}").submit("csrf_token")
    assert desktop.url == "http://localhost/account"


def test_limits_for_one_address(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, limit_authorize="1/minute", limit_sign_in="1/minute")
    app.before_request_funcs.setdefault(None, []).insert(0, forget)
    with app.app_context():
        desktop = Desktop(app).begin()
        assert desktop.status == 200
        path = desktop.address
        assert desktop.begin().status == 429
        assert Phone(app).get(path).status == 200
        assert Phone(app).get(path).status == 429
