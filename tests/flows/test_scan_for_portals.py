"""扫码登录 on the way to portals, as a person and for units (P7, C1, U6); what level and age it has there (F6)."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.factors.model import ScanTicket
from idp.persons.model import AccountKind, Person
from idp.sessions import passwords
from idp.store.db import db, transaction
from tests.flows.authorizing import CALLBACK, Acting
from tests.flows.scanning import OLD, Desktop, Phone, confirmed, desktop, migrated_url
from tests.support import fictional, rows

__all__ = ["desktop", "migrated_url"]


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
    desktop.get(desktop.link("扫码登录"))
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
    desktop.get(desktop.link("扫码登录"))
    confirmed(app, desktop, acting.person_id, "sms")
    desktop.go_on()
    assert desktop.url.startswith("http://localhost/raise-level")
    assert "短信验证码" not in desktop.text
    desktop.get(desktop.link("登录密码"))
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
    desktop.get(desktop.link("扫码登录"))
    desktop.get(desktop.link("以单位身份登录"))
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
    desktop.get(desktop.link("扫码登录"))
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
