"""Another contact of a unit needs a strong and recent sign-in (F6, RFC 9470): the API says so, pages lead to it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from relying_parties.recruitment import companies, drafts, step_up
from relying_parties.recruitment.companies import CompanyData
from tests.recruitment.conftest import Clock, Portal
from tests.recruitment.issuer import UNIT_A, UNIT_B, Issuer, Visit
from tests.recruitment.values import COMPANY
from tests.support.visitor import Visitor

L1, L2, L3 = (f"urn:jingban:acr:L{level}" for level in (1, 2, 3))
CENTER = f"/center/{UNIT_A['sub']}/"
NEW = {"contact_phone": "020-81111111", "introduction": "改写过的单位简介，不应在途中丢失。"}
UNIT_SCOPE = "openid profile offline_access rec.company rec.position"


@pytest.fixture
def agent(sign_in: Callable[..., Visitor]) -> Visitor:
    """An agent of unit A at L1, signed in just now, whose 基本信息 is complete."""
    return sign_in(UNIT_A)


def change(agent: Visitor, **changes: str) -> Visitor:
    """Fill in 基本信息 with `changes` and press 保存."""
    return agent.get(f"{CENTER}company").submit("introduction", **COMPANY | changes)


def press(agent: Visitor) -> Visitor:
    """Press the button of 确认变更: 确认变更 or 验证身份."""
    [form] = [form for form in agent.forms() if form.method == "post" and not form.action]
    return agent.follow(agent.http.post(agent.url, data=form.values, allow_redirects=False, timeout=20))


def kept(portal: Portal, unit: dict[str, Any] = UNIT_A) -> CompanyData:
    with portal.app.app_context():
        found = companies.find(unit["sub"])
    assert found is not None
    return found.data


# --- the pages -----------------------------------------------------------------------------------------------------


def test_a_step_up_leads_back_to_what_was_typed(portal: Portal, issuer: Issuer, agent: Visitor) -> None:
    """RFC 9470 §4; the return alone changes nothing, 确认变更 does."""
    issuer.visit = Visit(unit=UNIT_A, acr=L2)
    change(agent, **NEW)
    asked = issuer.requests[-1]
    assert (asked["acr_values"], asked["org_hint"], asked["scope"]) == (L2, UNIT_A["uscc"], UNIT_SCOPE)
    assert {"max_age", "prompt"}.isdisjoint(asked)
    assert re.fullmatch(rf"{portal.url}{CENTER}company/changes/[\w-]+", agent.url)
    assert "身份验证已完成" in agent.text
    for shown in (COMPANY["contact_phone"], *NEW.values()):
        assert shown in agent.text
    assert COMPANY["address"] not in agent.text, "only what changes is shown"
    agent.get(agent.url)
    assert kept(portal).contact_phone == COMPANY["contact_phone"]
    press(agent)
    assert "单位基本信息已保存。" in agent.text
    assert (kept(portal).contact_phone, kept(portal).introduction) == tuple(NEW.values())


def test_a_change_is_made_once(issuer: Issuer, agent: Visitor) -> None:
    issuer.visit = Visit(unit=UNIT_A, acr=L2)
    address = change(agent, **NEW).url
    press(agent)
    agent.get(address)
    assert "这项更改已经提交或已失效" in agent.text
    assert agent.url.endswith("/company")


@pytest.mark.parametrize("error", ["access_denied", "unmet_authentication_requirements", "login_required"])
def test_a_refusal_at_the_provider_loses_nothing(portal: Portal, issuer: Issuer, agent: Visitor, error: str) -> None:
    issuer.visit = Visit(unit=UNIT_A, error=error)
    change(agent, **NEW)
    assert "没有完成身份验证，更改还没有生效" in agent.text
    assert "还需要验证身份" in agent.text
    assert NEW["introduction"] in agent.text
    assert kept(portal).contact_phone == COMPANY["contact_phone"]
    issuer.visit = Visit(unit=UNIT_A, acr=L3)
    press(agent)
    assert "身份验证已完成" in agent.text
    press(agent)
    assert kept(portal).contact_phone == NEW["contact_phone"]


def test_what_was_typed_can_be_typed_on(issuer: Issuer, agent: Visitor) -> None:
    """返回修改 opens the form with the draft, not with what is stored."""
    issuer.visit = Visit(unit=UNIT_A, acr=L2)
    change(agent, **NEW)
    draft = agent.url.rsplit("/", 1)[1]
    assert f"company?draft={draft}" in agent.text
    address = agent.url
    agent.get(f"{CENTER}company", draft=draft)
    assert NEW["introduction"] in agent.text
    assert NEW["contact_phone"] in agent.text
    agent.submit("introduction", introduction=NEW["introduction"])
    assert "单位基本信息已保存。" in agent.text
    assert "这项更改已经提交或已失效" in agent.get(address).text, "saved that way, it waits no more"


def test_a_level_that_was_not_reached_is_asked_for_again_only_when_wanted(
    portal: Portal, issuer: Issuer, agent: Visitor
) -> None:
    """RFC 9470 §4: the answer may have a lower `acr`; the portal looks, and sends nobody round in circles."""
    issuer.visit = Visit(unit=UNIT_A, acr=L1)
    change(agent, **NEW)
    departures = len(issuer.requests)
    assert "还需要验证身份" in agent.text
    agent.get(agent.url)
    assert len(issuer.requests) == departures
    press(agent)
    assert len(issuer.requests) == departures + 1
    assert kept(portal).contact_phone == COMPANY["contact_phone"]


def test_an_old_sign_in_is_renewed(portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]) -> None:
    agent = sign_in(UNIT_A, acr=L2, signed_in_ago=step_up.MAX_AGE + 1)
    issuer.visit = Visit(unit=UNIT_A, acr=L2)
    change(agent, **NEW)
    assert issuer.requests[-1]["max_age"] == str(step_up.MAX_AGE)
    assert "acr_values" not in issuer.requests[-1]
    press(agent)
    assert kept(portal).contact_phone == NEW["contact_phone"]


def test_a_strong_and_recent_sign_in_needs_no_detour(
    portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]
) -> None:
    agent = sign_in(UNIT_A, acr=L2)
    departures = len(issuer.requests)
    change(agent, **NEW)
    assert len(issuer.requests) == departures
    assert kept(portal).contact_phone == NEW["contact_phone"]


def test_other_data_needs_no_step_up(portal: Portal, issuer: Issuer, agent: Visitor) -> None:
    departures = len(issuer.requests)
    change(agent, introduction=NEW["introduction"])
    assert len(issuer.requests) == departures
    assert kept(portal).introduction == NEW["introduction"]


def test_a_draft_is_its_authors_alone(portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]) -> None:
    """Neither a colleague of the unit nor another unit of the same person finds it."""
    agent = sign_in(UNIT_A)
    issuer.visit = Visit(unit=UNIT_A)
    address = change(agent, **NEW).url
    colleague = sign_in(UNIT_A, person={"sub": "p_li", "name": "*四"}, acr=L2)
    sign_in(UNIT_B, by=agent, acr=L2)
    for visitor, url in ((colleague, address), (agent, address.replace(UNIT_A["sub"], UNIT_B["sub"]))):
        visitor.get(url)
        assert "这项更改已经提交或已失效" in visitor.text
        assert NEW["introduction"] not in visitor.text


def test_a_draft_lives_for_an_hour_and_of_many_the_newest_stay(portal: Portal, agent: Visitor, moved: Clock) -> None:
    data = CompanyData(**COMPANY)
    with portal.app.app_context():
        made = [drafts.keep(UNIT_A["sub"], "p_zhang", data) for _ in range(drafts.MOST + 1)]
        found = [drafts.find(UNIT_A["sub"], "p_zhang", draft_id) for draft_id in made]
        assert found == [None, *[data] * drafts.MOST]
        moved.ahead = drafts.LIFE + 1
        assert drafts.find(UNIT_A["sub"], "p_zhang", made[-1]) is None


def test_what_waits_is_sealed(portal: Portal, issuer: Issuer, agent: Visitor) -> None:
    issuer.visit = Visit(unit=UNIT_A)
    change(agent, **NEW)
    for path in portal.database.parent.glob(f"{portal.database.name}*"):
        assert NEW["contact_phone"].encode() not in path.read_bytes()


# --- the API -------------------------------------------------------------------------------------------------------


def call(portal: Portal, method: str, token: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{portal.url}/api/company", headers=headers, timeout=10, **options)


def token(issuer: Issuer, **claims: Any) -> str:
    return issuer.sign(issuer.access_claims(UNIT_A, **claims))


LEVEL = ("A different authentication level is required", f', acr_values="{L2}"')
AGE = ("More recent authentication is required", ', max_age="600"')


@pytest.mark.parametrize(
    ("claims", "challenge"),
    [
        ({}, LEVEL),
        ({"acr": None}, LEVEL),
        ({"acr": "urn:jingban:acr:L9"}, LEVEL),
        ({"acr": L2, "auth_time": 1}, AGE),
        ({"acr": L2, "auth_time": None}, AGE),
        ({"acr": L2, "auth_time": "now"}, AGE),
        ({"auth_time": 1}, (LEVEL[0], LEVEL[1] + AGE[1])),
    ],
    ids=str,
)
def test_the_api_says_what_is_missing(
    portal: Portal, issuer: Issuer, agent: Visitor, claims: dict[str, Any], challenge: tuple[str, str]
) -> None:
    """RFC 9470 §3: 401 with what a new authorization request must carry."""
    answer = call(portal, "PATCH", token(issuer, **claims), json={"contact_phone": NEW["contact_phone"]})
    assert answer.status_code == 401
    said, parameters = challenge
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer realm="recruitment", error="insufficient_user_authentication", error_description="{said}"{parameters}'
    )
    assert answer.json()["error"] == "insufficient_user_authentication"
    assert kept(portal).contact_phone == COMPANY["contact_phone"]


@pytest.mark.parametrize("acr", [L2, L3])
def test_a_token_that_is_strong_enough_changes_it(portal: Portal, issuer: Issuer, agent: Visitor, acr: str) -> None:
    answer = call(portal, "PATCH", token(issuer, acr=acr), json=NEW)
    assert answer.status_code == 200, answer.text
    assert answer.json() == COMPANY | NEW
    assert call(portal, "GET", token(issuer)).json() == COMPANY | NEW


def test_the_api_takes_other_changes_as_they_come(portal: Portal, issuer: Issuer, agent: Visitor) -> None:
    answer = call(portal, "PATCH", token(issuer), json={"introduction": NEW["introduction"]})
    assert answer.status_code == 200, answer.text
    assert kept(portal).introduction == NEW["introduction"]
    for wrong in ({"nature": "x"}, {"contact_phone": "1"}, []):
        assert call(portal, "PATCH", token(issuer, acr=L2), json=wrong).status_code == 400


def test_the_api_needs_the_business_and_data_to_change(portal: Portal, issuer: Issuer, agent: Visitor) -> None:
    """R7, R2."""
    refused = call(portal, "PATCH", token(issuer, scope="openid rec.position"), json=NEW)
    assert (refused.status_code, refused.json()["scope"]) == (403, "rec.company")
    other = issuer.sign(issuer.access_claims(UNIT_B, acr=L2))
    assert [call(portal, method, other, json=NEW).status_code for method in ("GET", "PATCH")] == [409, 409]
