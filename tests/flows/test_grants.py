"""业务授权 (U11, U13, U15)."""

from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.delegation import listing
from idp.delegation.listing import GrantLine
from idp.persons.model import AccountKind
from idp.store.db import db
from tests.flows.inside import InsideVisitor
from tests.support import rows

DAY = timedelta(days=1)


class Granting:
    """A unit that is signed in, its agent, and two businesses."""

    def __init__(self, app: Flask) -> None:
        self.unit_id, self.person_id = rows.unit(), rows.person()
        self.binding_id = rows.binding(self.unit_id, self.person_id)
        rows.business("rec.position", name="招聘职位管理", description="发布和下架职位")
        rows.business("rec.fair", name="招聘会报名", needs_verified_unit=True)
        self.visitor = InsideVisitor(app).sign_in(self.unit_id, AccountKind.UNIT)
        self.page = f"/unit/sub-accounts/{self.binding_id}/grants"

    def grants(self) -> tuple[GrantLine, ...]:
        db.session.expire_all()
        return listing.active_sub_account(db.session(), self.unit_id, self.binding_id).grants

    def submit(self, business: str, first: str = "", last: str = "") -> InsideVisitor:
        self.visitor.submit("business", business=business, valid_from=first, valid_to=last, action="grant")
        return self.visitor


@pytest.fixture
def granting(app: Flask) -> Granting:
    world = Granting(app)
    world.visitor.get(world.page)
    return world


def test_the_catalogue_is_offered(granting: Granting) -> None:
    # U11
    rows.business("old", retired_at=clock.now())
    granting.visitor.get(granting.page)
    assert granting.visitor.form("business").choices["business"] == ["", "rec.fair", "rec.position"]
    assert "尚未授权任何业务" in granting.visitor.text


def test_a_business_is_granted_without_end(granting: Granting) -> None:
    # U11
    granting.submit("rec.position")
    assert "授权已保存" in granting.visitor.text
    assert "起长期有效" in granting.visitor.text
    [line] = granting.grants()
    assert (line.code, line.valid_to, line.state) == ("rec.position", None, "active")


def test_a_window_is_whole_days_of_china(granting: Granting) -> None:
    # U11: valid_to = end of that day
    first, last = clock.today() + DAY, clock.today() + 9 * DAY
    granting.submit("rec.position", first.isoformat(), last.isoformat())
    assert f"{first.isoformat()} 至 {last.isoformat()}" in granting.visitor.text
    assert "未开始" in granting.visitor.text
    [line] = granting.grants()
    assert line.valid_from == clock.start_of(first)
    assert line.valid_to == clock.start_of(last + DAY)


def test_a_grant_is_changed_in_its_place(granting: Granting) -> None:
    # U11
    last = clock.today() + 9 * DAY
    granting.submit("rec.position", "", last.isoformat())
    granting.visitor.get(granting.page, business="rec.position")
    assert granting.visitor.value("business") == "rec.position"
    assert granting.visitor.value("valid_to") == last.isoformat()
    granting.submit("rec.position", "", (last + DAY).isoformat())
    [line] = granting.grants()
    assert line.valid_to == clock.start_of(last + 2 * DAY)


@pytest.mark.parametrize(
    ("business", "first", "last", "message"),
    [
        ("", "", "", "该字段是必填字段。"),
        ("unheard.of", "", "", "该业务不存在或已停办"),
        ("rec.position", "", "2020-01-01", "结束日期已过"),
        ("rec.position", "2999-01-01", "", "日期过远"),
        ("rec.position", "0001-01-01", "", "日期过远"),
        ("rec.position", "yesterday", "", "请填写日期，如 2026-01-31"),
        ("rec.position", "", "2026-13-01", "请填写日期，如 2026-01-31"),
    ],
)
def test_what_cannot_be_granted_is_said(
    granting: Granting, business: str, first: str, last: str, message: str
) -> None:
    # U11
    granting.submit(business, first, last)
    assert granting.visitor.status == 400
    assert message in granting.visitor.text
    assert granting.grants() == ()


def test_an_end_before_the_begin_is_refused(granting: Granting) -> None:
    first = clock.today() + 5 * DAY
    granting.submit("rec.position", first.isoformat(), (first - DAY).isoformat())
    assert "结束日期不能早于开始日期" in granting.visitor.text


def test_a_grant_is_withdrawn_after_asking_again_and_at_once(granting: Granting) -> None:
    # U11, U13
    rows.client()
    granting.submit("rec.position")
    held = rows.at_portal(granting.person_id, granting.unit_id, "rec.position")
    granting.visitor.get(f"{granting.page}/rec.position/withdraw")
    assert "「招聘职位管理」" in granting.visitor.text
    assert rows.is_alive(held)
    granting.visitor.submit("confirm", confirm="yes")
    assert "授权已收回" in granting.visitor.text
    assert not rows.is_alive(held)
    assert granting.grants() == ()


def test_withdrawing_twice_says_so(granting: Granting) -> None:
    granting.submit("rec.position")
    granting.visitor.post(f"{granting.page}/rec.position/withdraw", confirm="yes")
    granting.visitor.post(f"{granting.page}/rec.position/withdraw", confirm="yes")
    assert "该授权已收回或已到期" in granting.visitor.text
    assert granting.visitor.get(f"{granting.page}/rec.position/withdraw").status == 409


def test_a_business_that_waits_for_verification_says_so(granting: Granting) -> None:
    # U15
    granting.submit("rec.fair")
    assert "单位实名认证后方可办理" in granting.visitor.text


def test_a_person_who_has_not_accepted_is_granted_nothing(granting: Granting) -> None:
    # U10
    pending = rows.binding(granting.unit_id, rows.person(1), status="pending")
    assert granting.visitor.get(f"/unit/sub-accounts/{pending}/grants").status == 409
