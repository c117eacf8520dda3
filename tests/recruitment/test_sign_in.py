"""Signing in, for oneself and for units, and whatever may go wrong on the way (R1, C2, C4)."""

from collections.abc import Callable

import pytest
import requests

from tests.recruitment.conftest import Portal
from tests.recruitment.issuer import PERSON, UNIT_A, UNIT_B, Issuer, Visit
from tests.support.visitor import Visitor

UNIT_SCOPE = "openid profile offline_access rec.company rec.position"


def test_job_seeker_signs_in(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """R1: as a person, with no business asked for."""
    visitor.get("/login/person")
    assert visitor.url == f"{portal.url}/me"
    assert PERSON["name"] in visitor.text
    [asked] = issuer.requests
    assert asked["scope"] == "openid profile"
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert "prompt" not in asked


def test_agent_signs_in_for_a_unit(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """R1, C1: the chooser is asked for, and the agent lands in 企业中心 of the unit."""
    issuer.visit = Visit(unit=UNIT_A)
    visitor.get("/center")
    assert visitor.url == f"{portal.url}/center/{UNIT_A['sub']}/company"
    assert UNIT_A["name"] in visitor.text
    [asked] = issuer.requests
    assert asked["scope"] == UNIT_SCOPE
    assert asked["prompt"] == "select_account"


def test_myself_in_the_chooser_is_explained(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """C5: whoever chooses "myself" for 企业中心 is signed in, told why it does not open, and never at a dead end."""
    visitor.get("/login/unit")
    assert visitor.status == 403
    assert "企业中心需要以单位身份登录" in visitor.text
    assert 'href="/login/unit"' in visitor.text
    assert PERSON["name"] in visitor.get("/me").text


def test_switching_keeps_every_identity(portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]) -> None:
    """C4: the person, unit A and unit B side by side, each with its own session of the provider."""
    visitor = sign_in(UNIT_A)
    sign_in(UNIT_B, by=visitor)
    issuer.visit = Visit()
    visitor.get("/login/person")
    for unit in (UNIT_A, UNIT_B):
        visitor.get(f"/center/{unit['sub']}/")
        assert visitor.status == 200
        assert f'<strong class="side-nav__name">{unit["name"]}</strong>' in visitor.text
    assert visitor.get("/me").text.count("进入企业中心") == 2
    assert len({issuer.sid_of(unit) for unit in (UNIT_A, UNIT_B, None)}) == 3


def test_session_id_is_renewed_at_each_sign_in(sign_in: Callable[..., Visitor], portal: Portal) -> None:
    """A cookie that was planted or overheard before a sign-in is worth nothing after it."""
    visitor = sign_in(UNIT_A)
    old = visitor.http.cookies["recruitment_portal"]
    sign_in(UNIT_B, by=visitor)
    assert visitor.http.cookies["recruitment_portal"] != old
    answer = requests.get(f"{portal.url}/me", cookies={"recruitment_portal": old}, timeout=10, allow_redirects=False)
    assert answer.status_code == 302


def test_another_person_ends_the_first_ones_identities(
    portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]
) -> None:
    visitor = sign_in(UNIT_A)
    issuer.visit = Visit(person={"sub": "p_li", "name": "*四"})
    visitor.get("/login/person")
    assert UNIT_A["name"] not in visitor.text
    visitor.get(f"/center/{UNIT_A['sub']}/")
    assert visitor.status == 403
    assert "本浏览器已由另一位用户登录" in visitor.text


def test_certain_unit_is_asked_for_by_its_code(issuer: Issuer, visitor: Visitor) -> None:
    """C4: `org_hint` instead of the chooser."""
    issuer.visit = Visit(unit=UNIT_A)
    visitor.get("/login/unit", org_hint=UNIT_A["uscc"])
    assert issuer.requests[0]["org_hint"] == UNIT_A["uscc"]
    assert "prompt" not in issuer.requests[0]


def test_another_site_may_begin_the_sign_in(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """OpenID Connect Core 1.0 §4: iss, login_hint, target_link_uri, and our org_hint."""
    issuer.visit = Visit(unit=UNIT_A)
    visitor.get("/login", iss=issuer.url, login_hint="zhang_san", org_hint=UNIT_A["uscc"])
    assert issuer.requests[0]["login_hint"] == "zhang_san"
    assert issuer.requests[0]["org_hint"] == UNIT_A["uscc"]
    issuer.visit = Visit()
    visitor.get("/login", iss=issuer.url, target_link_uri=f"{portal.url}/?keyword=x")
    assert visitor.url == f"{portal.url}/?keyword=x"
    visitor.get("/login", iss=issuer.url, target_link_uri="https://evil.example/")
    assert visitor.url == f"{portal.url}/me"
    visitor.get("/login", iss="https://evil.example")
    assert visitor.status == 400
    assert "登录地址不正确" in visitor.text


def test_another_site_may_begin_it_by_a_form(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """OpenID Connect Core 1.0 §4: "MUST support both GET and POST"; what is checked is the same."""
    issuer.visit = Visit()
    for form, leads_to in (
        ({"iss": issuer.url, "login_hint": "zhang_san", "target_link_uri": f"{portal.url}/?keyword=x"}, "/?keyword=x"),
        ({"iss": issuer.url, "target_link_uri": f"{portal.url}.evil.example/"}, "/me"),
    ):
        visitor.follow(requests.post(f"{portal.url}/login", data=form, allow_redirects=False, timeout=20))
        assert visitor.url == f"{portal.url}{leads_to}"
    assert issuer.requests[0]["login_hint"] == "zhang_san"
    form = {"iss": "https://evil.example"}
    visitor.follow(requests.post(f"{portal.url}/login", data=form, allow_redirects=False, timeout=20))
    assert visitor.status == 400


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "me"])
def test_next_never_leads_elsewhere(portal: Portal, visitor: Visitor, target: str) -> None:
    visitor.get("/login/person", next=target)
    assert visitor.url == f"{portal.url}/me"


def test_next_leads_back(portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]) -> None:
    """A page of the unit that was chosen is opened; one of another unit is not."""
    sign_in(UNIT_A)
    visitor = Visitor()
    wanted = f"/center/{UNIT_A['sub']}/positions/"
    visitor.get(portal.url + wanted)
    assert visitor.url.startswith(f"{portal.url}/login?next=")
    visitor.get("/login/unit", next=wanted)
    assert visitor.url == portal.url + wanted
    issuer.visit = Visit(unit=UNIT_B)
    visitor.get("/login/unit", next=wanted)
    assert visitor.url == f"{portal.url}/center/{UNIT_B['sub']}/company"


@pytest.mark.parametrize(
    ("visit", "status", "title"),
    [
        (Visit(error="access_denied"), 403, "您没有同意授权"),
        (Visit(error="temporarily_unavailable"), 503, "统一身份认证平台暂时繁忙"),
        (Visit(error="unmet_authentication_requirements"), 403, "实名等级不足"),
        (Visit(error="server_error"), 502, "登录没有完成"),
        (Visit(answer={"state": "another"}), 400, "登录状态已失效"),
        (Visit(answer={"state": None}), 400, "登录状态已失效"),
        (Visit(answer={"iss": "https://evil.example"}), 400, "登录答复来源不符"),
        (Visit(answer={"iss": None}), 400, "登录答复来源不符"),
        (Visit(answer={"code": "another"}), 403, "登录没有完成"),
    ],
)
def test_what_the_provider_answers_is_explained(
    issuer: Issuer, visitor: Visitor, visit: Visit, status: int, title: str
) -> None:
    issuer.visit = visit
    visitor.get("/login/person")
    assert visitor.status == status
    assert f"<h1>{title}</h1>" in visitor.text
    assert "重新登录" in visitor.text
    assert "recruitment_portal" not in visitor.http.cookies


def test_state_dies_with_an_error_too(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """A refused answer cannot be followed by another one to the same question."""
    answer = visitor.http.get(f"{portal.url}/login/person", allow_redirects=False, timeout=10)
    back = requests.get(answer.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    assert "您没有同意授权" in visitor.get(back.replace("code=", "error=access_denied&x=")).text
    assert "登录状态已失效" in visitor.get(back).text


def test_answer_is_taken_once(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """The state dies with its use, and is of no use to another browser."""
    answer = visitor.http.get(f"{portal.url}/login/person", allow_redirects=False, timeout=10)
    back = requests.get(answer.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    assert "登录状态已失效" in Visitor().get(back).text
    assert visitor.get(back).status == 200
    assert "登录状态已失效" in visitor.get(back).text


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"sub": None},
        {"sid": None},
        {"acting_for": "u_river"},
        {"acting_for": UNIT_B | {"capacity": "agent"}},
    ],
)
def test_id_token_that_does_not_hold_is_refused(issuer: Issuer, visitor: Visitor, changes: dict[str, object]) -> None:
    """Signed by the provider, and yet not for us, not now, not of this sign-in, or not of this access token."""
    issuer.visit = Visit(unit=UNIT_A)
    issuer.id_token = changes
    visitor.get("/login/unit")
    assert visitor.status == 502
    assert "登录没有完成" in visitor.text
    assert "recruitment_portal" not in visitor.http.cookies


@pytest.mark.parametrize("changes", [{"sub": "p_zhang"}, {"act": {"sub": "p_li"}}, {"aud": "another"}])
def test_access_token_must_fit_the_id_token(issuer: Issuer, visitor: Visitor, changes: dict[str, object]) -> None:
    """C2: what the portal may do and what it shows must speak of the same person and unit."""
    issuer.visit = Visit(unit=UNIT_A)
    issuer.access_token = changes
    assert visitor.get("/login/unit").status == 502


def test_answer_without_id_token_is_refused(issuer: Issuer, visitor: Visitor) -> None:
    issuer.tokens = {"id_token": None}
    assert visitor.get("/login/person").status == 502


def test_provider_down_is_a_page_of_its_own(portal: Portal, issuer: Issuer, visitor: Visitor) -> None:
    """The public pages go on; signing in says what is wrong."""
    with issuer.broken():
        assert visitor.get("/login/person").status == 503
        assert "暂时无法连接统一身份认证平台" in visitor.text
        assert visitor.get("/").status == 200
        assert requests.get(f"{portal.url}/health", timeout=10).json() == {"status": "ok"}
    assert visitor.get("/login/person").status == 200


def test_sign_ins_given_up_do_not_fill_the_cookie(portal: Portal, visitor: Visitor) -> None:
    for _ in range(30):
        visitor.http.get(f"{portal.url}/login/person", allow_redirects=False, timeout=10)
    assert len(visitor.http.cookies["recruitment_form"]) < 1500
    assert visitor.get("/login/person").url == f"{portal.url}/me"


def test_logout_ends_everything_here_and_at_the_provider(
    portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]
) -> None:
    """OpenID Connect RP-Initiated Logout 1.0."""
    visitor = sign_in(UNIT_A)
    cookie = visitor.http.cookies["recruitment_portal"]
    form = next(each for each in visitor.forms() if each.action == "/logout")
    visitor.follow(
        visitor.http.post(f"{portal.url}/logout", data=dict(form.values), allow_redirects=False, timeout=10)
    )
    assert visitor.url.startswith(f"{portal.url}/?")
    assert "您已退出登录" in visitor.text
    asked = issuer.requests[-1]
    assert asked["post_logout_redirect_uri"] == f"{portal.url}/"
    assert asked["client_id"] == "recruitment"
    assert asked["id_token_hint"].count(".") == 2
    answer = requests.get(
        f"{portal.url}/me", cookies={"recruitment_portal": cookie}, timeout=10, allow_redirects=False
    )
    assert answer.status_code == 302


def test_logout_here_works_without_the_provider(
    portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]
) -> None:
    visitor = sign_in(UNIT_A)
    visitor.get("/")
    form = next(each for each in visitor.forms() if each.action == "/logout")
    with issuer.broken(), portal.app.app_context():
        portal.app.extensions["portal_provider"]._client.server_metadata.clear()
        answer = visitor.http.post(f"{portal.url}/logout", data=dict(form.values), timeout=10)
    assert answer.status_code == 200
    assert "您已退出本平台" in answer.text
    assert "recruitment_portal" not in visitor.http.cookies
