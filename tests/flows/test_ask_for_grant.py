"""申请授权 (C5): from the greyed unit of the chooser to the unit's page and back into the same sign-in."""

from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.delegation.model import GrantRequest
from idp.persons.model import AccountKind
from idp.store.db import db, release
from tests.flows.authorizing import Acting
from tests.flows.inside import InsideVisitor
from tests.support import fictional, rows

REQUESTS = "/unit/sub-accounts"


@pytest.fixture
def migrated_url(migrated_sqlite_url: str) -> str:
    """SQLite alone: tests/delegation asks both databases what these pages rest on."""
    return migrated_sqlite_url


@pytest.fixture
def acting(app: Flask) -> Acting:
    return Acting(app)


def ask_page(acting: Acting, unit_id: str) -> str:
    return f"/choose-unit/{unit_id}/ask?interaction={acting.interaction().id}"


def send(acting: Acting, unit_id: str) -> InsideVisitor:
    """Open 申请授权 and send it: its form has a CSRF token alone."""
    address = ask_page(acting, unit_id)
    return acting.visitor.get(address).post(address)


def our_unit(app: Flask, unit_id: str) -> InsideVisitor:
    return InsideVisitor(app).sign_in(unit_id, AccountKind.UNIT).get(REQUESTS)


def requests() -> list[str]:
    release()
    return [each.business_code for each in db.session.query(GrantRequest)]


def test_the_button_leads_to_the_request_and_the_grant_into_the_unit(acting: Acting, app: Flask) -> None:
    # C5
    unit_id = acting.unit(1)
    acting.ask()
    assert "该单位尚未授权您办理此应用的业务" in acting.visitor.text
    assert f"/choose-unit/{unit_id}/ask?interaction=" in acting.visitor.text
    acting.visitor.get(ask_page(acting, unit_id))
    for shown in ("申请授权", fictional.unit_name(1), "招聘职位管理", "发布和下架职位"):
        assert shown in acting.visitor.text
    assert fictional.uscc(1) not in acting.visitor.text
    assert requests() == [], "opening the page asks for nothing"
    send(acting, unit_id)
    assert acting.visitor.url.startswith("http://localhost/choose-unit?interaction=")
    assert "已向该单位申请授权，等待单位处理" in acting.visitor.text
    assert "/ask?" not in acting.visitor.text
    assert requests() == ["rec.position"]

    unit = our_unit(app, unit_id)
    assert "申请办理「招聘职位管理」" in unit.text
    assert fictional.resident_id() not in unit.text
    unit.get(f"/unit/sub-accounts/{db.session.query(GrantRequest.binding_id).scalar()}/grants?business=rec.position")
    assert unit.value("business") == "rec.position"
    unit.submit("business", action="grant")
    assert "授权已保存" in unit.text
    assert requests() == []

    acting.visitor.get(f"/interaction/{acting.interaction().id}").submit("unit", unit=unit_id)
    assert acting.authorization().businesses == "rec.position"


def test_a_refusal_is_said_and_bars_the_button(acting: Acting, app: Flask) -> None:
    unit_id = acting.unit(1)
    acting.ask()
    send(acting, unit_id)
    unit = our_unit(app, unit_id)
    request_id = db.session.query(GrantRequest.id).scalar()
    unit.post(f"/unit/sub-accounts/requests/{request_id}/refuse")
    assert "已拒绝该授权申请" in unit.text
    assert "待处理的授权申请" not in unit.text
    unit.get("/unit/sub-accounts/new").post(f"/unit/sub-accounts/requests/{request_id}/refuse")
    assert "该申请已被处理或已失效" in unit.text
    acting.visitor.get(f"/interaction/{acting.interaction().id}")
    assert "该单位已拒绝您的授权申请，7 天后可再次申请" in acting.visitor.text
    assert "/ask?" not in acting.visitor.text


@pytest.mark.parametrize(
    "grant",
    [
        {"ended_at": clock.now(), "ended_why": "withdrawn"},
        {"valid_to": clock.now(), "valid_from": clock.now() - timedelta(days=3)},
    ],
    ids=["withdrawn", "expired"],
)
def test_what_was_granted_once_may_be_asked_for(acting: Acting, grant: dict[str, object]) -> None:
    unit_id = rows.unit()
    rows.grant(rows.binding(unit_id, acting.person_id), "rec.position", **grant)
    acting.ask()
    send(acting, unit_id)
    assert requests() == ["rec.position"]


def test_nothing_is_asked_of_units_that_have_not_bound_the_person(acting: Acting) -> None:
    # C1
    acting.unit(1)
    acting.ask()
    stranger, asks = rows.unit(2), rows.unit(3)
    rows.binding(asks, acting.person_id, status="pending")
    for unit_id in (stranger, asks, "u_nobody"):
        send(acting, unit_id)
        assert acting.visitor.url.startswith("http://localhost/choose-unit?interaction=")
    assert requests() == []


def test_nothing_is_asked_beyond_what_the_portal_asked_for(acting: Acting) -> None:
    unit_id = acting.unit(1)
    acting.ask("openid rec.fair")
    send(acting, unit_id)
    assert requests() == ["rec.fair"]


def test_a_second_request_says_why_not(acting: Acting) -> None:
    unit_id = acting.unit(1)
    acting.ask()
    address = ask_page(acting, unit_id)
    acting.visitor.get(address).post(address)
    acting.visitor.post(address)
    assert acting.visitor.status == 409
    assert "没有可以申请的业务" in acting.visitor.text
    acting.visitor.get(address)
    assert acting.visitor.url.startswith("http://localhost/choose-unit?interaction="), "there is nothing to send"


@pytest.mark.parametrize("interaction", ["", "gone"])
def test_it_belongs_to_a_sign_in(acting: Acting, interaction: str) -> None:
    unit_id = acting.unit(1)
    acting.visitor.get(f"/choose-unit/{unit_id}/ask", interaction=interaction)
    assert acting.visitor.status == 400
    assert "本次登录请求已失效" in acting.visitor.text


def test_the_unit_is_told_how_many_wait(acting: Acting, app: Flask) -> None:
    unit_id = acting.unit(1)
    acting.ask("openid rec.position rec.fair")
    send(acting, unit_id)
    unit = our_unit(app, unit_id)
    assert unit.text.count("申请办理「") == 2
    assert unit.get("/unit").status == 200


def test_another_unit_refuses_nothing(acting: Acting, app: Flask) -> None:
    unit_id = acting.unit(1)
    acting.ask()
    send(acting, unit_id)
    request_id = db.session.query(GrantRequest.id).scalar()
    other = InsideVisitor(app).sign_in(rows.unit(2), AccountKind.UNIT).get("/unit/sub-accounts/new")
    other.post(f"/unit/sub-accounts/requests/{request_id}/refuse")
    assert "该申请已被处理或已失效" in other.text
    release()
    assert db.session.query(GrantRequest.refused_at).scalar() is None
