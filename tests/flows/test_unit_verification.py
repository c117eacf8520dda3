"""单位实名认证 (U14, U15, C5): from the chooser's button, or from an account's pages, to the code and back."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.delegation import unit_verification
from idp.delegation.model import Binding
from idp.persons.model import AccountKind
from idp.store.db import db, release
from idp.units.model import Unit
from tests.flows.authorizing import Acting
from tests.flows.inside import InsideVisitor
from tests.support import fictional, rows

TOLD = "该单位未完成实名认证，只能办理无需实名的业务"
OURS = "/unit/verification"
PARENTS = "/account/parent-accounts"
WRONG = "AAAA-BBBB-CCCC"


@pytest.fixture
def migrated_url(migrated_sqlite_url: str) -> str:
    """SQLite alone: tests/delegation asks both databases what these pages rest on."""
    return migrated_sqlite_url


@pytest.fixture
def acting(app: Flask) -> Acting:
    """A person at a portal with a business for verified units alone, `real`, and others."""
    acting = Acting(app, client={"scopes": ["openid", "real", "rec.position"]})
    rows.business("real", name="参保登记", needs_verified_unit=True)
    return acting


def code(n: int = 1) -> str:
    return unit_verification.issue(fictional.uscc(n)).code


def button(visitor: InsideVisitor) -> str:
    """Return where the button or link 单位实名认证 on this page leads."""
    found = re.search(r'href="([^"]+/verification[^"]*)"', visitor.text)
    assert found, visitor.text
    return found[1].replace("&amp;", "&")


def page_of(unit_id: str) -> str:
    binding_id = db.session.query(Binding.id).filter_by(unit_id=unit_id).scalar()
    return f"{PARENTS}/{binding_id}/verification"


def is_verified(unit_id: str) -> bool:
    release()
    return db.session.get_one(Unit, unit_id, populate_existing=True).verified_at is not None


@pytest.mark.parametrize("kind", ["agent", "common_contact"])
def test_the_choosers_button_mends_it_in_the_same_sign_in(acting: Acting, kind: str) -> None:
    # C5, U14, U15: greyed with the reason, the code, chosen, granted; one interaction
    unit_id = acting.unit(1, "real", kind=kind)
    acting.ask("openid real")
    begun = acting.interaction().id
    assert "该单位未完成实名认证，暂不能办理此业务" in acting.visitor.text
    assert acting.visitor.form("unit").choices["unit"] == ["self"]
    acting.visitor.get(button(acting.visitor))
    for shown in ("单位实名认证", fictional.unit_name(1), "单位授权码", "广东省江门市蓬江区", "社保经办机构"):
        assert shown in acting.visitor.text
    assert fictional.uscc(1) not in acting.visitor.text, "the person sees the number masked"
    acting.visitor.submit("code", code=WRONG)
    assert acting.visitor.status == 400
    assert "授权码不正确、已使用或已失效，还可尝试 4 次" in acting.visitor.text
    acting.visitor.submit("code", code=code())
    assert acting.visitor.url.startswith(f"http://localhost/choose-unit?interaction={begun}")
    assert "已实名" in acting.visitor.text
    assert "/verification" not in acting.visitor.text
    acting.visitor.submit("unit", unit=unit_id)
    assert acting.authorization().businesses == "real"
    assert acting.interaction().id == begun


def test_the_way_back_is_the_same_without_a_code(acting: Acting) -> None:
    # C5
    acting.unit(1, "real")
    acting.ask("openid real")
    acting.visitor.get(button(acting.visitor))
    back = re.search(r'href="(/interaction/[^"]+)"', acting.visitor.text)
    assert back
    assert acting.visitor.get(back[1]).url.startswith("http://localhost/choose-unit?interaction=")


def test_who_acts_for_an_unverified_unit_is_told(acting: Acting) -> None:
    # U15: in the chooser, where the unit can be chosen for what needs no verification
    unit_id = acting.unit(1, "real", "rec.position")
    acting.ask("openid real rec.position")
    assert TOLD in acting.visitor.text
    link = button(acting.visitor)
    acting.visitor.submit("unit", unit=unit_id)
    assert acting.authorization().businesses == "rec.position", "and may do only what needs none"
    acting.ask("openid real rec.position", prompt="select_account")
    acting.visitor.get(link.partition("?")[0], interaction=acting.interaction().id).submit("code", code=code())
    assert TOLD not in acting.visitor.text
    acting.visitor.submit("unit", unit=unit_id)
    assert acting.authorization().businesses == "real rec.position"


def test_who_is_asked_for_consent_is_told_too(app: Flask) -> None:
    # U15: the chooser is not shown to who was sent for one unit
    acting = Acting(app, client={"consent_required": True})
    unit_id = acting.unit(1, "rec.position")
    acting.ask("openid rec.position", org_hint=fictional.uscc(1))
    assert acting.visitor.url.startswith("http://localhost/consent")
    assert TOLD in acting.visitor.text
    acting.visitor.get(button(acting.visitor)).submit("code", code=code())
    assert acting.visitor.url.startswith("http://localhost/consent")
    assert TOLD not in acting.visitor.text
    assert is_verified(unit_id)


def test_from_the_parent_accounts_and_back(acting: Acting) -> None:
    # P14, U14, U15: the unit, and the grant that waits for it, lead to the page
    unit_id = acting.unit(1, "real")
    acting.visitor.get(PARENTS)
    assert TOLD in acting.visitor.text
    assert "单位实名认证后方可办理" in acting.visitor.text
    assert button(acting.visitor) == page_of(unit_id)
    acting.visitor.get(page_of(unit_id)).submit("code", code=code())
    assert acting.visitor.url == f"http://localhost{PARENTS}"
    assert "已完成实名认证，可以办理需要实名的业务" in acting.visitor.text
    assert "/verification" not in acting.visitor.text
    assert acting.visitor.get(page_of(unit_id)).url == f"http://localhost{PARENTS}", "there is nothing left to do"


def test_the_units_own_account(acting: Acting, app: Flask) -> None:
    # U14, U16: from 单位资料, and from a grant that waits
    unit_id = acting.unit(1, "real")
    unit = InsideVisitor(app).sign_in(unit_id, AccountKind.UNIT).get("/unit")
    assert "未实名，部分业务不可办理" in unit.text
    assert button(unit) == OURS
    binding_id = db.session.query(Binding.id).scalar()
    assert button(unit.get(f"/unit/sub-accounts/{binding_id}/grants")) == OURS
    unit.get(OURS)
    assert fictional.uscc(1) in unit.text
    unit.submit("code", code=code())
    assert unit.url == "http://localhost/unit"
    assert "已通过授权码实名" in unit.text
    assert "/unit/verification" not in unit.text
    assert unit.get(OURS).url == "http://localhost/unit"


def test_nobody_else_opens_it(acting: Acting, app: Flask) -> None:
    # U14: 403 for the other kind of account, 409 as for leaving a unit for who is not bound to it
    unit_id = acting.unit(1, "real")
    address = page_of(unit_id)
    assert InsideVisitor(app).sign_in(rows.unit(2), AccountKind.UNIT).get(address).status == 403
    assert acting.visitor.get(OURS).status == 403
    stranger = rows.person(5)
    rows.binding(unit_id, stranger, status="pending")
    other = InsideVisitor(app).sign_in(stranger).get(PARENTS)
    for each in db.session.query(Binding.id).filter_by(unit_id=unit_id).all():
        asked = f"{PARENTS}/{each[0]}/verification"
        assert other.get(asked).status == 409
        assert other.get(PARENTS).post(asked, code=code()).status == 409
    assert not is_verified(unit_id)


def test_an_empty_field_and_a_slip_cost_no_try(acting: Acting) -> None:
    unit_id = acting.unit(1)
    acting.visitor.get(page_of(unit_id)).submit("code", code="")
    assert acting.visitor.status == 400
    assert "该字段是必填字段" in acting.visitor.text
    acting.visitor.submit("code", code="12345")
    assert "授权码应为 12 位字母和数字" in acting.visitor.text
    acting.visitor.submit("code", code=WRONG)
    assert "还可尝试 4 次" in acting.visitor.text
    for _ in range(4):
        acting.visitor.submit("code", code=WRONG)
    assert acting.visitor.status == 429
    assert "授权码连续错误5次，请于 60 分钟后再试" in acting.visitor.text


def test_a_sign_in_that_is_over_says_so(acting: Acting) -> None:
    unit_id = acting.unit(1)
    acting.visitor.get(page_of(unit_id), interaction="gone")
    assert acting.visitor.status == 400
    assert "本次登录请求已失效" in acting.visitor.text


def test_another_reason_keeps_its_own_button(acting: Acting) -> None:
    # C5: an unverified unit whose grant has run out is asked for the grant first
    unit_id = rows.unit(1)
    last = clock.now() - timedelta(days=1)
    rows.grant(rows.binding(unit_id, acting.person_id), "real", last, valid_from=last - timedelta(days=1))
    acting.ask("openid real")
    assert f"/choose-unit/{unit_id}/ask" in acting.visitor.text
    assert "/verification" not in acting.visitor.text
