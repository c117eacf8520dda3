"""单位选择 (C1, C2, C4, C5): for whom the person acts, from the portal's request to its answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from idp import clock
from idp.delegation import bindings, closing, grants
from idp.delegation.closing import Order
from idp.delegation.model import Binding
from idp.store.db import db
from tests.flows.authorizing import STATE, Acting
from tests.support import codes, fictional, rows


@pytest.fixture
def acting(app: Flask) -> Acting:
    return Acting(app)


def binding_of(unit_id: str) -> str:
    return db.session.query(Binding.id).filter_by(unit_id=unit_id).scalar()


def shown_units(acting: Acting) -> list[str]:
    return acting.visitor.form("unit").choices["unit"]


def test_the_units_are_listed_with_name_code_kind_and_verification(acting: Acting) -> None:
    # C1
    acting.unit(1, "rec.position", verified_at=clock.now())
    acting.unit(2, "rec.position", kind="common_contact")
    acting.ask()
    text = acting.visitor.text
    assert acting.visitor.url.startswith("http://localhost/choose-unit?interaction=")
    for shown in (
        fictional.unit_name(1),
        fictional.unit_name(2),
        "9144 0101 **** ***156",
        "经办人员",
        "常用联系人",
        "已实名",
        "未实名",
        "为选中的单位办理业务，点击此处登录",
        "公共招聘",
    ):
        assert shown in text
    assert fictional.uscc(1) not in text


def test_the_choice_reaches_the_portal(acting: Acting) -> None:
    # C2
    acting.unit(1, "rec.position", "rec.fair")
    chosen = acting.unit(2, "rec.position")
    acting.ask("openid rec.position rec.fair").submit("unit", unit=chosen)
    assert acting.answer()["state"] == STATE
    granted = acting.authorization()
    assert (granted.subject_id, granted.unit_id) == (acting.person_id, chosen)
    assert granted.businesses == "rec.position", "and nothing else"


def test_the_only_unit_is_ticked_and_several_are_not(acting: Acting) -> None:
    only = acting.unit(1, "rec.position")
    acting.ask()
    assert acting.visitor.value("unit") == only
    acting.unit(2, "rec.position")
    acting.ask()
    assert "unit" not in [name for name, _ in acting.visitor.form("unit").values]


def test_oneself_is_offered_where_the_portal_takes_it(acting: Acting) -> None:
    # DESIGN 4
    acting.unit(1, "rec.position")
    acting.ask()
    assert shown_units(acting)[-1] == "self"
    assert "本人（*" in acting.visitor.text
    acting.visitor.submit("unit", unit="self")
    assert acting.authorization().unit_id is None
    assert acting.authorization().businesses == ""


def test_oneself_is_neither_offered_nor_taken_where_a_unit_is_required(app: Flask) -> None:
    # DESIGN 4
    acting = Acting(app, client={"acts_for": "required"})
    unit_id = acting.unit(1, "rec.position")
    acting.ask()
    assert shown_units(acting) == [unit_id]
    acting.visitor.submit("unit", unit="self")
    assert acting.visitor.status == 400
    assert "所选单位当前不能使用" in acting.visitor.text


def test_nothing_ticked_is_said(acting: Acting) -> None:
    acting.unit(1, "rec.position")
    acting.unit(2, "rec.position")
    acting.ask().submit("unit", unit="")
    assert acting.visitor.status == 400
    assert "请选择要办理业务的单位或身份" in acting.visitor.text


def expire(acting: Acting, unit_id: str) -> None:
    grants.withdraw(unit_id, binding_of(unit_id), "rec.position")
    rows.grant(binding_of(unit_id), "rec.position", clock.now(), valid_from=clock.now() - timedelta(days=1))


CHANGES: dict[str, Callable[[Acting, str], None]] = {
    "withdrawn": lambda _, unit_id: grants.withdraw(unit_id, binding_of(unit_id), "rec.position"),
    "unbound": lambda _, unit_id: bindings.unbind(unit_id, binding_of(unit_id)),
    "left": lambda acting, unit_id: bindings.leave(acting.person_id, binding_of(unit_id)),
    "locked": lambda _, unit_id: closing.lock_unit(unit_id, Order("operator", "核实")),
    "expired": expire,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_choice_is_asked_of_the_judge_afresh(acting: Acting, change: Callable[[Acting, str], None]) -> None:
    # U13: what the page showed a minute ago counts for nothing
    unit_id = acting.unit(1, "rec.position")
    acting.ask()
    change(acting, unit_id)
    acting.visitor.submit("unit", unit=unit_id)
    assert acting.visitor.status == 400
    assert "所选单位当前不能使用" in acting.visitor.text
    assert acting.interaction().acting_for is None


@pytest.mark.parametrize("forged", ["u_nobody", "another persons", "x" * 500, "\N{KELVIN SIGN}"])
def test_a_forged_choice_is_refused(acting: Acting, forged: str) -> None:
    # C1: only units with an active binding
    acting.unit(1, "rec.position")
    if forged == "another persons":
        forged = rows.unit(5)
        rows.grant(rows.binding(forged, rows.person(5)), "rec.position")
    acting.ask().submit("unit", unit=forged)
    assert acting.visitor.status == 400
    assert acting.interaction().acting_for is None


@pytest.mark.parametrize(
    ("unit", "grant", "reason"),
    [
        ({}, None, "该单位尚未授权您办理此应用的业务"),
        ({"status": "locked"}, {}, "该单位账号已停用"),
        ({}, {"valid_from": clock.now() + timedelta(days=3)}, "授权尚未开始生效"),
        ({}, {"valid_to": clock.now(), "valid_from": clock.now() - timedelta(days=3)}, "授权已到期"),
        ({}, {"ended_at": clock.now(), "ended_why": "withdrawn"}, "该单位已收回授权"),
    ],
    ids=["never granted", "locked", "not yet", "expired", "withdrawn"],
)
def test_a_unit_that_cannot_be_chosen_is_greyed_with_the_reason(
    acting: Acting, unit: dict[str, Any], grant: dict[str, Any] | None, reason: str
) -> None:
    # C5, DESIGN 4
    greyed = rows.unit(1, **unit)
    binding_id = rows.binding(greyed, acting.person_id)
    if grant is not None:
        rows.grant(binding_id, "rec.position", **grant)
    good = acting.unit(2, "rec.position")
    acting.ask()
    assert reason in acting.visitor.text
    assert fictional.unit_name(1) in acting.visitor.text
    assert shown_units(acting) == [good, "self"], "a greyed one cannot be ticked"


def test_demands_on_unit_and_account_are_named(app: Flask) -> None:
    # U15, F5
    acting = Acting(app, client={"uscc_only": True, "scopes": ["openid", "rec.position", "real"]})
    rows.business("real", needs_verified_unit=True)
    acting.unit(1, "real")
    acting.unit(2, "rec.position", document_type="org_code", document_number=fictional.org_code())
    acting.ask("openid real rec.position")
    assert "该单位未完成实名认证，暂不能办理此业务" in acting.visitor.text
    assert "请使用统一社会信用代码注册的账号登录办理业务" in acting.visitor.text


def test_a_level_too_low_has_a_button_that_mends_it(app: Flask) -> None:
    # DESIGN 4: the button that mends it
    acting = Acting(app, person={"real_name_level": 1}, client={"scopes": ["openid", "rec.position", "high"]})
    rows.business("high", min_person_level=1)
    acting.unit(1, "high")
    acting.ask("openid high")
    assert "您的实名等级不足" in acting.visitor.text
    assert f"/raise-level?interaction={acting.interaction().id}" in acting.visitor.text


def test_a_request_that_waits_leads_to_its_answer_and_back(acting: Acting) -> None:
    # C5, P14
    unit_id = acting.unit(1, "rec.position")
    waiting = rows.unit(2)
    binding_id = rows.binding(waiting, acting.person_id, status="pending")
    acting.ask()
    interaction = acting.interaction().id
    assert "等待您确认" in acting.visitor.text
    acting.visitor.get("/account/parent-accounts", interaction=interaction)
    acting.visitor.submit("answer", answer="accept")
    rows.grant(binding_id, "rec.position")
    acting.visitor.get(f"/interaction/{interaction}")
    assert set(shown_units(acting)) == {unit_id, waiting, "self"}


@pytest.mark.parametrize("acts_for", ["optional", "required"])
def test_no_unit_says_so_and_how_to_get_bound_and_leads_back(app: Flask, acts_for: str) -> None:
    # C5: it never dead-ends
    acting = Acting(app, client={"acts_for": acts_for})
    acting.ask(authorization_details=[{"type": "unit_delegation", "actions": ["rec.position"]}])
    assert "您还没有绑定任何单位" in acting.visitor.text
    assert "/help" in acting.visitor.text
    interaction = acting.interaction().id
    acting.visitor.post(f"/choose-unit/give-up?interaction={interaction}")
    assert acting.answer()["error"] == "access_denied"
    assert acting.answer()["state"] == STATE


def test_nothing_usable_and_no_self_still_leads_back(app: Flask) -> None:
    # C5
    acting = Acting(app, client={"acts_for": "required"})
    acting.unit(1)
    acting.ask()
    assert "目前没有可以使用的单位" in acting.visitor.text
    assert "为选中的单位办理业务" not in acting.visitor.text
    assert "返回公共招聘" in acting.visitor.text


def test_a_certain_unit_is_ticked_when_the_chooser_is_wanted(acting: Acting) -> None:
    # C4: a portal can ask for a certain unit, or for the chooser
    acting.unit(1, "rec.position")
    hinted = acting.unit(2, "rec.position")
    acting.ask(org_hint=fictional.uscc(2), prompt="select_account")
    assert acting.visitor.value("unit") == hinted


def test_a_certain_unit_needs_no_chooser(acting: Acting) -> None:
    # C4
    acting.unit(1, "rec.position")
    asked = acting.unit(2, "rec.position")
    acting.ask(org_hint=fictional.uscc(2))
    assert acting.answer()["code"]
    assert acting.authorization().unit_id == asked


def test_only_the_demanded_unit_can_be_chosen(acting: Acting) -> None:
    # RFC 9396: identifier
    other, demanded = acting.unit(1, "rec.position"), acting.unit(2)
    acting.ask(
        authorization_details=[{"type": "unit_delegation", "actions": ["rec.position"], "identifier": demanded}]
    )
    assert "应用要求为另一个单位办理" in acting.visitor.text
    assert "该单位尚未授权您办理此应用的业务" in acting.visitor.text
    acting.visitor.submit("unit", unit=other)
    assert acting.visitor.status == 400


def test_switching_needs_no_new_login_and_leaves_the_other_alone(acting: Acting) -> None:
    # C4: the choice belongs to the grant
    first, second = acting.unit(1, "rec.position"), acting.unit(2, "rec.position")
    acting.ask().submit("unit", unit=first)
    held = acting.authorization().id
    acting.ask(prompt="select_account").submit("unit", unit=second)
    assert acting.answer()["code"]
    assert acting.authorization().unit_id == second
    assert rows.is_alive(held)


def test_two_tabs_choose_apart(acting: Acting) -> None:
    # C4: a choice in one tab changes nothing in another
    first, second = acting.unit(1, "rec.position"), acting.unit(2, "rec.position")
    tab_a = acting.ask().url
    tab_b = acting.ask().url
    acting.visitor.get(tab_a).submit("unit", unit=first)
    assert acting.authorization().unit_id == first
    acting.visitor.get(tab_b).submit("unit", unit=second)
    assert acting.authorization().unit_id == second


def test_the_chooser_belongs_to_a_sign_in(acting: Acting) -> None:
    for address in ("/choose-unit", "/choose-unit?interaction=gone"):
        acting.visitor.get(address)
        assert acting.visitor.status == 400
        assert "本次登录请求已失效" in acting.visitor.text


def test_a_reason_in_the_address_is_one_of_ours(acting: Acting) -> None:
    acting.unit(1, "rec.position")
    acting.ask()
    address = acting.visitor.url
    assert "授权已到期" in acting.visitor.get(address + "&reason=expired").text
    assert "alert" not in acting.visitor.get(address + "&reason=hacked").text


def test_what_the_unit_must_do_is_explained(app: Flask) -> None:
    # C5, F3: no button of the person's mends it, so it says who does
    acting = Acting(app, client={"scopes": ["openid", "high"]})
    rows.business("high", min_unit_level=2)
    acting.unit(1, "high")
    acting.ask("openid high")
    assert '/help#unit-level"' in acting.visitor.text
    assert 'id="unit-level"' in acting.visitor.get("/help").text


def test_a_further_factor_opens_a_unit_on_the_way(app: Flask) -> None:
    # C5, F6: greyed for the level, a step-up, and back into the same interaction
    acting = Acting(app, person={"real_name_level": 3}, client={"scopes": ["openid", "high"]})
    rows.business("high", min_person_level=2)
    unit_id = acting.unit(1, "high")
    acting.ask("openid high")
    interaction = acting.interaction().id
    assert shown_units(acting) == ["self"]
    acting.visitor.get("/raise-level", interaction=interaction)
    assert "/step-up/sms?" in acting.visitor.text
    acting.visitor.get("/step-up/sms", interaction=interaction).submit("code", action="send_code")
    acting.visitor.submit("code", code=codes.sent_to(fictional.mobile())[-1])
    assert acting.visitor.url.startswith("http://localhost/choose-unit?interaction=")
    assert acting.interaction().id == interaction
    acting.visitor.submit("unit", unit=unit_id)
    assert acting.authorization().acr == "urn:jingban:acr:L2"


def test_factors_that_lead_nowhere_are_not_offered(app: Flask) -> None:
    # F6: the business needs L3, which no factor here reaches
    acting = Acting(app, person={"real_name_level": 3}, client={"scopes": ["openid", "high"]})
    rows.business("high", min_person_level=3)
    acting.unit(1, "high")
    acting.ask("openid high")
    acting.visitor.get("/raise-level", interaction=acting.interaction().id)
    assert "/step-up/" not in acting.visitor.text
