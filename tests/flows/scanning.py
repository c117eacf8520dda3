"""扫码登录 with two browsers of a test: the one that shows the QR code, and the phone."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.model import AuditEntry
from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import db, release
from tests.factors.sessions import start
from tests.flows.inside import InsideVisitor

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
