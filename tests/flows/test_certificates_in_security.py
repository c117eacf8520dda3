"""Digital certificates as a further factor (F6), and in 登录安全 of persons and units (U6)."""

import re
from typing import Any

import pytest
from flask import Flask

from idp.factors.certificates import accounts
from idp.persons.model import AccountKind
from idp.sessions import passwords
from tests.factors.sessions import start
from tests.flows.at_the_doors import L3, app, present, sign, visitor
from tests.flows.authorizing import Acting
from tests.flows.inside import ADDRESS, InsideVisitor
from tests.support import fictional, rows
from tests.support.authorities import RunningAuthority

__all__ = ["app", "visitor"]


@pytest.mark.parametrize("by", [sign, present])
def test_a_step_up_on_the_way_to_a_portal(app: Flask, ca: RunningAuthority, by: Any) -> None:
    """F6: the page offers the certificate, and the same interaction goes on at L3."""
    acting = Acting(app)
    token = ca.person()
    acting.visitor.outside = ("/certificate/present",)
    sign(InsideVisitor(app, "/account").get("/sign-in/certificate"), token)
    visitor = acting.ask("openid", claims={"id_token": {"acr": {"essential": True, "value": L3}}})
    link = re.search(r'href="(/step-up/certificate[^"]+)"', visitor.text)
    assert link, visitor.text
    by(visitor.get(link[1].replace("&amp;", "&")), token)
    assert acting.answer()["code"]
    assert (acting.authorization().acr, acting.authorization().amr) == (L3, "mfa pop pwd")


def test_a_way_that_the_person_does_not_have_is_not_there(app: Flask) -> None:
    assert InsideVisitor(app).sign_in(rows.person()).get("/step-up/certificate").status == 404


@pytest.mark.parametrize("by", [sign, present])
def test_added_and_removed_in_security(app: Flask, ca: RunningAuthority, visitor: InsideVisitor, by: Any) -> None:
    person_id = rows.person()
    visitor.outside = ("/certificate/present",)
    visitor.client.set_cookie("jingban_session", start(person_id, "pwd", "sms"))
    assert "/account/security/certificates/new" in visitor.get("/account/security").text
    token = ca.person()
    by(visitor.get("/account/security/certificates/new"), token)
    assert visitor.url == f"{ADDRESS}/account/security"
    assert "数字证书已添加" in visitor.text
    assert f"{token.certificate.serial_number:x}" in visitor.text
    [owned] = accounts.of_account(person_id)
    visitor.get(f"/account/security/certificates/{owned.id}/remove").submit("confirm", confirm="yes")
    assert "数字证书已移除" in visitor.text
    visitor.get(f"/account/security/certificates/{owned.id}/remove")
    assert visitor.status == 404


def test_anothers_certificate_is_not_added(app: Flask, ca: RunningAuthority, visitor: InsideVisitor) -> None:
    rows.person()
    visitor.client.set_cookie("jingban_session", start(rows.person(1), "pwd", "sms"))
    visitor.outside = ()
    sign(visitor.get("/account/security/certificates/new"), ca.person())
    assert "该证书不是当前账号持有人的证书" in visitor.text


def test_a_unit_sees_and_removes_its_own(app: Flask, ca: RunningAuthority, visitor: InsideVisitor) -> None:
    """U6; an old sign-in is led to sign in again on its own tab first."""
    unit_id = rows.unit(trust_level=1, password_hash=passwords.hash_password(rows.PASSWORD))
    visitor.outside = ()
    visitor.sign_in(unit_id, AccountKind.UNIT)
    assert "还没有数字证书" in visitor.get("/unit/security").text
    sign(visitor.get("/sign-in/certificate", tab="unit", again="1"), ca.unit())
    assert "演示电子认证机构" in visitor.get("/unit/security").text
    [owned] = accounts.of_account(unit_id)
    visitor.get(f"/account/security/certificates/{owned.id}/remove")
    assert "包括当前设备；之后请用其他方式重新登录" in visitor.text, "the session rests on this certificate"
    visitor.submit("confirm", confirm="yes")
    assert visitor.url == f"{ADDRESS}/sign-in?next=/unit/security&tab=unit"
    assert "数字证书已移除" in visitor.text
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit/security")
    assert "还没有数字证书" in visitor.text
    assert fictional.unit_name(1) in visitor.text
