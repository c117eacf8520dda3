"""子账号信息 (U8–U10, U12, U13)."""

from collections.abc import Callable

import pytest
from flask import Flask

from idp.delegation import bindings as use_cases
from idp.delegation.model import Binding
from idp.persons.model import AccountKind
from idp.store.db import db
from tests.flows.inside import InsideVisitor
from tests.support import fictional, rows

LIST = "http://localhost/unit/sub-accounts"
WANTED = {
    "name": fictional.person_name(0),
    "document_type": "resident_id",
    "document_number": fictional.resident_id(0),
    "username": fictional.login_name(0),
    "kind": "agent",
    "action": "bind",
}


class OurUnit:
    """A unit that is signed in with its own account."""

    def __init__(self, app: Flask) -> None:
        self.id = rows.unit()
        self.visitor = InsideVisitor(app).sign_in(self.id, AccountKind.UNIT)

    def bind(self, n: int, **changes: str) -> str:
        return rows.binding(self.id, rows.person(n), **changes)


@pytest.fixture
def unit(app: Flask) -> OurUnit:
    return OurUnit(app)


def read(binding_id: str) -> Binding:
    return db.session.get_one(Binding, binding_id, populate_existing=True)


def test_an_empty_list_leads_to_the_form(unit: OurUnit) -> None:
    # U8
    unit.visitor.get("/unit/sub-accounts")
    assert "还没有子账号" in unit.visitor.text
    assert "/unit/sub-accounts/new" in unit.visitor.text


def test_a_person_is_asked_and_waits_in_the_list(unit: OurUnit) -> None:
    # U9
    rows.person(0)
    unit.visitor.get("/unit/sub-accounts/new").submit("username", **WANTED)
    assert unit.visitor.url == LIST
    assert "绑定请求已发出" in unit.visitor.text
    assert "待对方确认" in unit.visitor.text
    assert fictional.resident_id(0) not in unit.visitor.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "辛未"},
        {"document_number": fictional.resident_id(1)},
        {"document_type": "passport", "document_number": "UT0000001"},
        {"username": "nobody_here"},
    ],
)
def test_no_match_is_answered_in_the_same_words(unit: OurUnit, wrong: dict[str, str]) -> None:
    # U9
    rows.person(0)
    unit.visitor.get("/unit/sub-accounts/new").submit("username", **(WANTED | wrong))
    assert unit.visitor.status == 400
    assert "未查询到对应用户，请检查用户信息后重新发起绑定" in unit.visitor.text
    assert unit.visitor.value("username") == (WANTED | wrong)["username"], "what was typed stays"


def test_persons_are_not_tried_for_long(unit: OurUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    # U9, rate-limited
    monkeypatch.setattr(use_cases, "MISMATCHES_A_DAY", 2)
    rows.person(0)
    unit.visitor.get("/unit/sub-accounts/new")
    for _ in range(2):
        unit.visitor.submit("username", **(WANTED | {"name": "辛未"}))
        assert unit.visitor.status == 400
    unit.visitor.submit("username", **WANTED)
    assert unit.visitor.status == 429
    assert "尝试次数过多" in unit.visitor.text


@pytest.mark.parametrize("kind", ["", "boss"])
def test_a_kind_that_does_not_exist_is_refused(unit: OurUnit, kind: str) -> None:
    # U10
    rows.person(0)
    unit.visitor.get("/unit/sub-accounts/new").submit("username", **(WANTED | {"kind": kind}))
    assert unit.visitor.status == 400


def test_who_is_bound_is_not_asked_again(unit: OurUnit) -> None:
    # U9
    unit.bind(0)
    unit.visitor.get("/unit/sub-accounts/new").submit("username", **WANTED)
    assert "该用户已绑定，或已有等待其确认的绑定请求" in unit.visitor.text


def test_a_request_is_taken_back_from_the_list(unit: OurUnit) -> None:
    binding_id = unit.bind(0, status="pending")
    unit.visitor.get("/unit/sub-accounts")
    unit.visitor.post(f"/unit/sub-accounts/{binding_id}/withdraw")
    assert "绑定请求已撤回" in unit.visitor.text
    assert read(binding_id).status == "ended"


def test_the_contact_is_set_after_asking_again(unit: OurUnit) -> None:
    # U8, U12
    before, after = unit.bind(0, kind="common_contact"), unit.bind(1)
    page = f"/unit/sub-accounts/{after}/common-contact"
    unit.visitor.get("/unit/sub-accounts")
    assert page in unit.visitor.text
    unit.visitor.get(page)
    assert "变为经办人员" in unit.visitor.text
    assert read(after).kind == "agent"
    unit.visitor.submit("confirm", confirm="yes")
    assert unit.visitor.url == LIST
    assert (read(before).kind, read(after).kind) == ("agent", "common_contact")


def test_an_agent_is_unbound_after_asking_again(unit: OurUnit) -> None:
    # U12, U13
    binding_id = unit.bind(0)
    unit.visitor.get(f"/unit/sub-accounts/{binding_id}/unbind")
    assert "确认后立即生效" in unit.visitor.text
    assert read(binding_id).status == "active"
    unit.visitor.submit("confirm", confirm="yes")
    assert "已取消绑定" in unit.visitor.text
    assert read(binding_id).status == "ended"


def test_the_contact_is_not_unbound_and_the_page_says_why(unit: OurUnit) -> None:
    # U12
    binding_id = unit.bind(0, kind="common_contact")
    other = unit.bind(1)
    unit.visitor.get(f"/unit/sub-accounts/{binding_id}/unbind")
    assert unit.visitor.url == LIST
    assert "常用联系人须先设置新的常用联系人，方可取消绑定" in unit.visitor.text
    unit.visitor.get(f"/unit/sub-accounts/{other}/unbind")
    unit.visitor.post(f"/unit/sub-accounts/{binding_id}/unbind", confirm="yes")
    assert "方可取消绑定" in unit.visitor.text
    assert read(binding_id).status == "active"


@pytest.mark.parametrize("page", ["unbind", "common-contact", "grants"])
def test_another_units_binding_is_not_found(unit: OurUnit, page: str) -> None:
    binding_id = rows.binding(rows.unit(2), rows.person(0))
    unit.visitor.get(f"/unit/sub-accounts/{binding_id}/{page}")
    assert unit.visitor.status == 409
    assert fictional.person_name(0)[-1] + "？" not in unit.visitor.text


def test_a_long_list_has_pages(unit: OurUnit) -> None:
    for n in range(21):
        unit.bind(n)
    unit.visitor.get("/unit/sub-accounts")
    assert "第 1 页，共 2 页" in unit.visitor.text
    for wild in ("2", "99", "0", "-1", "x", "9" * 30):
        assert unit.visitor.get("/unit/sub-accounts", page=wild).status == 200


@pytest.mark.parametrize(
    "path",
    [
        lambda binding_id: f"/unit/sub-accounts/{binding_id}/unbind",
        lambda binding_id: f"/unit/sub-accounts/{binding_id}/common-contact",
        lambda binding_id: f"/unit/sub-accounts/{binding_id}/withdraw",
    ],
)
def test_nothing_happens_without_the_forms_token(unit: OurUnit, path: Callable[[str], str]) -> None:
    binding_id = unit.bind(0)
    answer = unit.visitor.client.post(path(binding_id), data={"confirm": "yes"})
    assert answer.status_code == 400
    assert (read(binding_id).status, read(binding_id).kind) == ("active", "agent")
