"""Linked accounts in 登录安全 of persons and units (F1, F4): listed, and taken away."""

from flask import Flask

from idp.factors.model import UpstreamLink
from idp.persons.model import AccountKind, Person
from idp.sessions import passwords
from idp.store.db import db
from tests.flows.inside import InsideVisitor
from tests.flows.upstream_visits import PASSWORD, app, click, protocol, trip, visitor, who
from tests.support import codes, fictional, rows
from tests.support.upstreams import UNIT

__all__ = ["app", "protocol", "visitor"]


def test_a_link_is_listed_and_taken_away(visitor: InsideVisitor) -> None:
    """登录安全 lists it; a fresh login and a question come first."""
    trip(visitor).submit("username", accept_terms="y")
    visitor.outside = ()
    visitor.get("/account/security")
    assert "已关联的其他平台账号" in visitor.text
    address = "/account/security/upstreams/province/unlink"
    visitor.get(address)
    assert "确定解除与省统一身份认证的关联吗？" in visitor.text
    assert "包括当前设备；之后请用其他方式重新登录" in visitor.text
    assert db.session.query(UpstreamLink).count() == 1
    visitor.submit("confirm", confirm="yes")
    assert db.session.query(UpstreamLink).count() == 0
    assert who(visitor) is None, "this session was opened through it"
    assert visitor.url == "http://localhost/sign-in?next=/account/security"
    assert "已解除与省统一身份认证的关联" in visitor.text
    visitor.sign_in(db.session.query(Person).one().id).get("/account/security")
    assert "已关联的其他平台账号" not in visitor.text
    assert visitor.get(address).status == 404


def test_a_unit_lists_and_takes_away_its_own(visitor: InsideVisitor) -> None:
    """F1, F4: as persons do; who signed in by password stays signed in. Its common contact is told."""
    unit_id = rows.unit(password_hash=passwords.hash_password(PASSWORD))
    rows.binding(unit_id, rows.person(3), kind="common_contact")
    visitor.outside = ()
    trip(visitor, UNIT, "unit").submit("password", password=PASSWORD)
    assert codes.changes_told(fictional.mobile(3)) == ["upstream_linked"]
    visitor.client.delete_cookie("jingban_session")
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit/security")
    assert "已关联的其他平台账号" in visitor.text
    assert f"*{fictional.person_name(3)[1:]}" in visitor.text, "who is told"
    click(visitor, "解除关联")
    assert "单位的可信等级可能降低" in visitor.text
    assert "用它登录的设备和应用立即退出。" in visitor.text
    visitor.submit("confirm", confirm="yes")
    assert visitor.url == "http://localhost/unit/security"
    assert "已解除与省统一身份认证的关联" in visitor.text
    assert "已关联的其他平台账号" not in visitor.text
    assert codes.changes_told(fictional.mobile(3)) == ["upstream_linked", "upstream_unlinked"]


def test_a_unit_with_nobody_to_tell_is_warned(app: Flask) -> None:
    visitor = InsideVisitor(app).sign_in(rows.unit(), AccountKind.UNIT)
    assert "还没有可以通知的人" in visitor.get("/unit/security").text
