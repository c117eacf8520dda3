"""实名等级 on the way to a portal (F3, F6): what is missing, how to mend it, and always a way back."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from idp.persons.model import AccountKind
from idp.sessions import interactions
from tests.flows.inside import BROWSER, InsideVisitor
from tests.flows.test_sign_in import REQUEST
from tests.support import rows


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/interaction/")


def begin(**changes: Any) -> str:
    return interactions.begin(replace(REQUEST, **changes), BROWSER)


def test_a_level_that_can_be_reached_has_its_way(visitor: InsideVisitor) -> None:
    """U2: 银联实名认证, with the journey kept in the link."""
    rows.client(min_person_level=1)
    interaction_id = begin()
    visitor.sign_in(rows.person(real_name_level=1)).get("/raise-level", interaction=interaction_id)
    assert "当前为一级实名" in visitor.text
    assert "该应用要求更高的实名等级，提升后会自动返回并继续登录。" in visitor.text
    assert f'href="/account/unionpay?interaction={interaction_id}"' in visitor.text
    assert "暂不提升，返回应用" in visitor.text


def test_a_level_out_of_reach_promises_nothing(visitor: InsideVisitor) -> None:
    rows.client(min_person_level=2)
    visitor.sign_in(rows.person(real_name_level=1)).get("/raise-level", interaction=begin())
    assert "线上提升方式暂未开通" in visitor.text
    assert "会自动返回并继续登录" not in visitor.text
    assert "/account/unionpay" not in visitor.text
    assert "暂不提升，返回应用" in visitor.text


def test_what_is_only_wished_for_can_be_passed_over(visitor: InsideVisitor) -> None:
    """OpenID Connect Core §3.1.2.1: acr_values are voluntary."""
    rows.client()
    interaction_id = begin(acr_values=("urn:jingban:acr:L1",))
    visitor.sign_in(rows.person(real_name_level=1)).get("/raise-level", interaction=interaction_id)
    assert "继续登录" in visitor.text
    assert f'href="/interaction/{interaction_id}"' in visitor.text
    assert "暂不提升" not in visitor.text


def test_a_units_account_is_told_both_levels(visitor: InsideVisitor) -> None:
    """F2, F3."""
    rows.client(min_unit_level=3, allows_unit_accounts=True)
    interaction_id = begin()
    visitor.sign_in(rows.unit(trust_level=1), AccountKind.UNIT).get("/raise-level", interaction=interaction_id)
    assert "L3" in visitor.text
    assert "L1" in visitor.text
    assert f'href="/sign-in?interaction={interaction_id}&amp;tab=unit"' in visitor.text


def test_a_units_account_has_no_levels_of_its_own_to_look_at(visitor: InsideVisitor) -> None:
    visitor.sign_in(rows.unit(), AccountKind.UNIT).get("/raise-level")
    assert visitor.url == "http://localhost/unit"


def test_a_journey_that_is_over_is_a_page(visitor: InsideVisitor) -> None:
    visitor.sign_in(rows.person()).get("/raise-level", interaction="never-begun")
    assert visitor.status == 400
    assert "本次登录请求已失效" in visitor.text
