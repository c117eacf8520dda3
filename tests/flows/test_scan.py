"""扫码登录 on the pages (P7), without JavaScript: from the code to the session, once, by one phone."""

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.model import AuditEntry
from idp.factors.model import ScanTicket
from idp.sessions import browser_sessions, passwords
from idp.settings import settings
from idp.store.base import from_millis
from idp.store.db import db
from tests.flows.inside import forgetful
from tests.flows.scanning import (
    DESKTOP_ADDRESS,
    GONE,
    TAKEN,
    Desktop,
    Phone,
    actions,
    confirmed,
    desktop,
    migrated_url,
    wrong,
)
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.upstreams import PERSON, sign_in_there, stand_in

__all__ = ["desktop", "migrated_url"]


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
    phone.get(phone.link("登录"))
    phone.submit("password", username="user_0000", password=fictional.password())
    phone.confirm(desktop.number())
    assert desktop.go_on().url == "http://localhost/account"


def test_a_first_scan_makes_a_real_named_account(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """P7: who has no account scans, signs in with the province on the phone, and is real-named at once."""
    with stand_in() as there:
        app = forgetful(make_app(migrated_sqlite_url, upstreams=(there.setting(),)))
        with app.app_context():
            desktop, phone = Desktop(app).begin(), Phone(app)
            phone.get(desktop.address)
            phone.get(phone.link("省统一身份认证"))
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
            assert found, "it ends with the as the phone's does"


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
    desktop.get(desktop.link("刷新二维码"))
    assert desktop.state() == "waiting"
