"""网办大厅: agents, a unit's own account, its legal representative; each business for whom it is meant (U7, U18)."""

from typing import Any

import pytest
import requests

from tests.recruitment.issuer import UNIT_A, Issuer, Visit, tell
from tests.recruitment.served import Portal
from tests.support.visitor import Visitor

L1, L2 = "urn:jingban:acr:L1", "urn:jingban:acr:L2"
BOTH = "hall.stabilization hall.report"
UNIT = {"sub": UNIT_A["sub"], "name": UNIT_A["name"]}
FORM = {"headcount": "12", "confirmed": "y"}


def agent(portal: Portal, issuer: Issuer, businesses: str = BOTH) -> Visitor:
    """Sign in as an agent of unit A."""
    issuer.visit = Visit(unit=UNIT_A, businesses=businesses, acr=L1)
    return Visitor().get(f"{portal.url}/login/agent")


def unit_itself(portal: Portal, issuer: Issuer, by: Visitor | None = None) -> Visitor:
    """Sign in with the unit's own account."""
    issuer.visit = Visit(person=UNIT, acr=L1)
    issuer.access_token = {"sub_profile": "organization", "amr": ["pwd"]}
    return (by or Visitor()).get(f"{portal.url}/login/unit")


def face_passed(issuer: Issuer, **changes: Any) -> None:
    """Let the provider say from now on what it says after a face check."""
    scope = "openid profile hall.stabilization"
    said = {"capacity": "legal_representative", "amr": ["face", "mfa", "pwd"], "scope": scope, "acr": L2}
    issuer.access_token = {"sub_profile": "organization", **said, **changes}
    issuer.tokens = {"scope": scope, "expires_in": 600}


def press_check(visitor: Visitor, portal: Portal) -> Visitor:
    """Press 确定 on the page that explains the face check."""
    visitor.get(f"{portal.url}/unit/{UNIT_A['sub']}/stabilization")
    form = next(each for each in visitor.forms() if each.action.endswith("/check"))
    answer = visitor.http.post(portal.url + form.action, data=dict(form.values), allow_redirects=False, timeout=20)
    return visitor.follow(answer)


def test_it_shows_who_acts_for_whom(portal: Portal, issuer: Issuer) -> None:
    """C2."""
    visitor = agent(portal, issuer)
    for text in (UNIT_A["name"], UNIT_A["uscc"], "*三", "经办人员", "L1"):
        assert text in visitor.text
    assert "prompt=select_account" in f"prompt={issuer.requests[-1]['prompt']}"


@pytest.mark.parametrize("business", ["stabilization", "report"])
def test_an_agent_hands_in_once_a_year(portal: Portal, issuer: Issuer, business: str) -> None:
    visitor = agent(portal, issuer).get(f"{portal.url}/unit/{UNIT_A['sub']}/{business}")
    visitor.submit("headcount", headcount="0")
    assert visitor.status == 422
    assert "请填写 1–1000000 的整数" in visitor.text
    other = agent(portal, issuer).get(visitor.url)
    visitor.submit("headcount", **FORM)
    assert "受理编号" in visitor.text
    other.submit("headcount", **FORM)
    assert "没有重复提交" in other.text


def test_an_agent_without_the_grant(portal: Portal, issuer: Issuer) -> None:
    """C3."""
    visitor = agent(portal, issuer, "hall.report").get(f"{portal.url}/unit/{UNIT_A['sub']}/stabilization")
    assert visitor.status == 403
    assert "单位没有授权您办理" in visitor.text


def test_a_bare_unit_account_needs_a_face_or_an_agent(portal: Portal, issuer: Issuer) -> None:
    """U7, U18: it comes without any business; one can be had by a face check, the other not."""
    visitor = unit_itself(portal, issuer)
    assert "单位账号" in visitor.text
    assert issuer.requests[-1]["scope"] == "openid profile"
    assert issuer.requests[-1]["prompt"] == "login"
    visitor.get(f"{portal.url}/unit/{UNIT_A['sub']}/report")
    assert visitor.status == 403
    assert "须由经办人员办理" in visitor.text
    visitor.get(f"{portal.url}/unit/{UNIT_A['sub']}/stabilization")
    assert visitor.status == 200
    assert "需要法人实人认证" in visitor.text


def test_the_legal_representative_hands_in(portal: Portal, issuer: Issuer) -> None:
    """U18: asked for that business alone and for that very account; what was done is noted with the capacity."""
    visitor = unit_itself(portal, issuer)
    face_passed(issuer)
    press_check(visitor, portal)
    assert issuer.requests[-1]["scope"] == "openid profile hall.stabilization"
    assert "id_token_hint" in issuer.requests[-1]
    assert "法定代表人（实人认证）" in visitor.text
    visitor.submit("headcount", **FORM)
    assert "受理编号" in visitor.text
    visitor.get(f"{portal.url}/unit/{UNIT_A['sub']}/report")
    assert visitor.status == 403


def test_a_face_check_that_came_to_nothing_loses_nothing(portal: Portal, issuer: Issuer) -> None:
    visitor = unit_itself(portal, issuer)
    issuer.visit = Visit(error="access_denied")
    press_check(visitor, portal)
    assert "没有完成法人实人认证" in visitor.text
    assert "需要法人实人认证" in visitor.text


def test_somebody_for_themselves_is_told_what_this_is(portal: Portal, issuer: Issuer) -> None:
    issuer.visit = Visit()
    visitor = Visitor().get(f"{portal.url}/login/agent")
    assert visitor.status == 403
    assert "只为单位办理业务" in visitor.text


def test_a_token_that_died_hands_nothing_in(portal: Portal, issuer: Issuer) -> None:
    """U13."""
    visitor = agent(portal, issuer).get(f"{portal.url}/unit/{UNIT_A['sub']}/report")
    issuer.withdraw(issuer.sid_of(UNIT_A))
    visitor.submit("headcount", **FORM)
    assert visitor.status == 403
    assert "登录已经结束" in visitor.text


def test_a_logout_token_ends_it(portal: Portal, issuer: Issuer) -> None:
    """U13."""
    visitor = agent(portal, issuer)
    assert tell(portal.url, issuer.logout_token(sid=issuer.sid_of(UNIT_A))).status_code == 200
    assert visitor.get(f"{portal.url}/unit/{UNIT_A['sub']}/").status == 403


# --- the API ------------------------------------------------------------------------------------------------------


def call(portal: Portal, token: str, method: str = "POST", business: str = "stabilization") -> requests.Response:
    return requests.request(
        method,
        f"{portal.url}/api/filings/{business}",
        headers={"Authorization": f"Bearer {token}"},
        json={"headcount": 12},
        timeout=10,
    )


def of_unit_itself(issuer: Issuer, **changes: Any) -> str:
    """Return an access token after a face check, spoilt by `changes`."""
    said = {
        "sub": UNIT_A["sub"],
        "sub_profile": "organization",
        "capacity": "legal_representative",
        "amr": ["face", "mfa", "pwd"],
        "acr": L2,
        "scope": f"openid {BOTH}",
    }
    return issuer.sign(issuer.access_claims(**(said | changes)))


def test_the_api_takes_what_is_meant_for_it(portal: Portal, issuer: Issuer) -> None:
    token = of_unit_itself(issuer)
    assert call(portal, token, "GET").json() == {"filed": False}
    assert call(portal, token).status_code == 201
    assert call(portal, token).status_code == 409
    assert call(portal, token, "GET").json()["capacity"] == "legal_representative"
    by_agent = issuer.sign(issuer.access_claims(UNIT_A, scope=f"openid {BOTH}", acr=L1))
    assert call(portal, by_agent, business="report").status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"aud": "https://another.example/api"}, 401, "invalid_token"),
        ({"scope": "openid hall.report"}, 403, "insufficient_scope"),
        ({"capacity": None}, 403, "insufficient_scope"),
        ({"amr": ["pwd"]}, 403, "insufficient_scope"),
        ({"acr": L1}, 401, "insufficient_user_authentication"),
        ({"acr": None}, 401, "insufficient_user_authentication"),
        ({"acr": "urn:other:high"}, 401, "insufficient_user_authentication"),
        ({"sub_profile": "user"}, 403, "insufficient_scope"),
    ],
)
def test_the_api_looks_at_audience_scope_capacity_and_level(
    portal: Portal, issuer: Issuer, changes: dict[str, Any], status: int, error: str
) -> None:
    """U18, RFC 6750 §3, RFC 9470 §3."""
    answer = call(portal, of_unit_itself(issuer, **changes))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]
    if error == "insufficient_user_authentication":
        assert f'acr_values="{L2}"' in answer.headers["WWW-Authenticate"]


def test_the_api_knows_no_representative_at_an_ordinary_business(portal: Portal, issuer: Issuer) -> None:
    """U7."""
    assert call(portal, of_unit_itself(issuer), business="report").status_code == 403
