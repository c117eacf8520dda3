"""The provider's word counts at once: logout tokens, refused tokens, delegations that end (U13, R7)."""

import base64
import hmac
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from joserfc.jwk import ECKey, RSAKey

from relying_parties.shared import clock
from tests.recruitment.conftest import Clock, Portal
from tests.recruitment.issuer import (
    BUSINESSES,
    CLIENT_SECRET,
    LOGOUT_EVENT,
    PERSON,
    UNIT_A,
    UNIT_B,
    Issuer,
    Visit,
    tell,
)
from tests.recruitment.values import job
from tests.support.visitor import Visitor

CENTER_A, CENTER_B = f"/center/{UNIT_A['sub']}/", f"/center/{UNIT_B['sub']}/"


@pytest.fixture
def visitor(issuer: Issuer, portal: Portal, sign_in: Callable[..., Visitor]) -> Visitor:
    """Somebody signed in for themselves and for both units."""
    visitor = sign_in(UNIT_A)
    sign_in(UNIT_B, by=visitor)
    issuer.visit = Visit()
    return visitor.get("/login/person")


def status(visitor: Visitor, path: str) -> int:
    return visitor.get(path).status


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def signed_in(visitor: Visitor) -> list[str]:
    """Return for whom the visitor is signed in: the names on 个人中心."""
    text = visitor.get("/me").text
    shown = [unit["name"] for unit in (UNIT_A, UNIT_B) if f'<p class="items__title">{unit["name"]}' in text]
    return [*(["person"] if "可以办理" in text else []), *shown]


def test_logout_token_shuts_one_unit_and_nothing_else(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    """U13: the next click on the unit's open page says so; the person and the other unit go on."""
    visitor.get(f"{CENTER_A}positions/new")
    open_page = visitor.url, visitor.text
    answer = tell(portal.url, issuer.logout_token(sid=issuer.sid_of(UNIT_A)))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    visitor.url, visitor.text = open_page
    visitor.submit("title", **job(action="publish"))
    assert visitor.status == 403
    assert f"您为“{UNIT_A['name']}”办理业务的授权已结束" in visitor.text
    assert "选择其他单位" in visitor.text
    assert status(visitor, f"{CENTER_A}positions/") == 403
    assert status(visitor, f"{CENTER_B}positions/") == 200
    assert signed_in(visitor) == ["person", UNIT_B["name"]]
    assert "数据库工程师" not in visitor.get("/").text


def test_tokens_of_a_session_that_ended_are_gone(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    tell(portal.url, issuer.logout_token(sid=issuer.sid_of(UNIT_A)))
    rows = sqlite3.connect(portal.database).execute(
        "SELECT access_token, refresh_token FROM identity WHERE unit = ?", [UNIT_A["sub"]]
    )
    assert rows.fetchall() == [(None, None)]


def test_logout_token_without_sid_ends_all_of_the_person(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    """Back-Channel Logout 1.0 §2.4, and nobody else's."""
    other = Visitor().get(portal.url)
    issuer.visit = Visit(person={"sub": "p_li", "name": "*四"})
    other.get("/login/person")
    assert tell(portal.url, issuer.logout_token()).status_code == 200
    assert visitor.get("/me").url.startswith(f"{portal.url}/login")
    assert status(visitor, CENTER_A) == status(visitor, CENTER_B) == 403
    assert status(other, "/me") == 200


def test_signing_in_again_after_a_withdrawal(
    visitor: Visitor, portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]
) -> None:
    """The unit may grant again: a new session of the provider opens the same unit's data."""
    sid = issuer.sid_of(UNIT_A)
    issuer.withdraw(sid)
    tell(portal.url, issuer.logout_token(sid=sid))
    assert status(visitor, CENTER_A) == 403
    sign_in(UNIT_A, by=visitor)
    assert visitor.url == portal.url + CENTER_A
    assert visitor.status == 200


def test_what_is_left_of_the_grants_is_one_click_away(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    """R7: a unit that withdraws one business of two ends the session; signing in anew gives the other one."""
    sid = issuer.sid_of(UNIT_A)
    issuer.withdraw(sid)
    tell(portal.url, issuer.logout_token(sid=sid))
    assert f'href="/login/unit?org_hint={UNIT_A["uscc"]}"' in visitor.get(CENTER_A).text
    issuer.visit = Visit(unit=UNIT_A, businesses="rec.company")
    visitor.get("/login/unit", org_hint=str(UNIT_A["uscc"]))
    assert status(visitor, f"{CENTER_A}company") == 200
    assert status(visitor, f"{CENTER_A}positions/") == 403


def test_logout_token_is_obeyed_once(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    """Back-Channel Logout 1.0 §2.6: a token that comes again, even many times at once, ends nothing any more."""
    token = issuer.logout_token()
    with ThreadPoolExecutor(8) as pool:
        answers = sorted(answer.status_code for answer in pool.map(lambda _: tell(portal.url, token), range(8)))
    assert answers == [200] + [400] * 7
    time.sleep(1.1)  # the sign-in must be later than the token by its own clock, which counts seconds
    visitor.get("/login/person")
    answer = tell(portal.url, token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert signed_in(visitor) == ["person"]


FOREIGN = RSAKey.generate_key(2048, {"kid": "rsa"})


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000, "exp": 4_000_000_100},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"events": None},
        {"events": {}},
        {"events": [LOGOUT_EVENT]},
        {"events": {LOGOUT_EVENT: "x"}},
        {"nonce": "n"},
        {"sid": None, "sub": None},
        {"sid": 7},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": None},
        pytest.param({"key": FOREIGN}, id="foreign key"),
        pytest.param({"key": RSAKey.generate_key(2048, {"kid": "unknown"})}, id="unknown key"),
    ],
    ids=str,
)
def test_logout_token_that_does_not_hold_is_refused(
    portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor], changes: dict[str, Any]
) -> None:
    """Back-Channel Logout 1.0 §2.6, check by check."""
    visitor = sign_in(UNIT_A)
    answer = tell(portal.url, issuer.logout_token(**{"sid": issuer.sid_of(UNIT_A)} | changes))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert status(visitor, CENTER_A) == 200


def test_unsigned_and_symmetric_logout_tokens_are_refused(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    """Neither `alg: none` nor the client secret or a public key as an HMAC key."""
    head, claims, _ = issuer.logout_token(sid=issuer.sid_of(UNIT_A)).split(".")
    none = _encoded(b'{"alg":"none","typ":"logout+jwt"}')
    hmac_head = _encoded(b'{"alg":"HS256","kid":"rsa","typ":"logout+jwt"}')
    keys = (CLIENT_SECRET.encode(), issuer.rsa.as_pem(private=False))
    symmetric = [
        f"{hmac_head}.{claims}.{_encoded(hmac.digest(key, f'{hmac_head}.{claims}'.encode(), 'sha256'))}"
        for key in keys
    ]
    for token in (f"{none}.{claims}.", f"{head}.{claims}.", *symmetric, "x", ""):
        assert tell(portal.url, token).status_code == 400
    assert requests.post(f"{portal.url}/backchannel-logout", timeout=10).status_code == 400
    twice = [("logout_token", issuer.logout_token()), ("logout_token", issuer.logout_token())]
    assert requests.post(f"{portal.url}/backchannel-logout", data=twice, timeout=10).status_code == 400
    assert requests.get(f"{portal.url}/backchannel-logout", timeout=10).status_code == 405
    assert status(visitor, CENTER_A) == 200


def test_audience_may_be_a_list_and_keys_may_rotate(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    """A key that appeared after the portal read the keys is fetched, not refused."""
    old = issuer.rsa
    portal.app.extensions["portal_provider"]._keys_read_at -= 60
    issuer.rsa = RSAKey.generate_key(2048, {"kid": "rsa-2", "use": "sig", "alg": "RS256"})
    try:
        token = issuer.logout_token(sid=issuer.sid_of(UNIT_A), aud=["another", "recruitment"])
        assert tell(portal.url, token).status_code == 200
    finally:
        issuer.rsa = old
    assert status(visitor, CENTER_A) == 403


def test_logout_while_the_sign_in_is_on_its_way(portal: Portal, issuer: Issuer) -> None:
    """U13: the session ended between the token endpoint's answer and our storing it; nothing may stay open."""
    visitor = Visitor().get(portal.url)
    issuer.visit = Visit(unit=UNIT_A)
    sid = issuer.sid_of(UNIT_A)
    assert tell(portal.url, issuer.logout_token(sid=sid)).status_code == 200
    visitor.get("/login/unit")
    assert visitor.status == 403
    assert "登录没有完成" in visitor.text
    assert "recruitment_portal" not in visitor.http.cookies


def test_change_is_refused_even_before_the_logout_arrives(visitor: Visitor, portal: Portal, issuer: Issuer) -> None:
    """R7: before anything is changed the provider is asked."""
    visitor.get(f"{CENTER_A}positions/new")
    issuer.withdraw(issuer.sid_of(UNIT_A))
    visitor.submit("title", **job(action="publish"))
    assert visitor.status == 403
    assert "授权已结束" in visitor.text
    assert "数据库工程师" not in visitor.get("/").text
    assert status(visitor, f"{CENTER_B}positions/") == 200


def test_refused_refresh_ends_the_identity_and_says_why(visitor: Visitor, issuer: Issuer, moved: Clock) -> None:
    """Withdrawn, and the logout never arrived: at the latest when the access token ends."""
    issuer.withdraw(issuer.sid_of(UNIT_A))
    moved.ahead = issuer.life - 20
    assert status(visitor, CENTER_A) == 403
    assert "不再认可本次登录" in visitor.text
    assert status(visitor, CENTER_B) == 200
    assert signed_in(visitor) == ["person", UNIT_B["name"]]


def test_access_token_is_renewed_before_it_ends(visitor: Visitor, issuer: Issuer, moved: Clock) -> None:
    before = issuer.refreshes
    assert status(visitor, CENTER_A) == 200
    assert issuer.refreshes == before
    for _ in range(3):
        moved.ahead += issuer.life - 20
        assert status(visitor, CENTER_A) == 200
    assert issuer.refreshes == before + 3


def test_refresh_takes_over_what_changed(visitor: Visitor, issuer: Issuer, moved: Clock, portal: Portal) -> None:
    """U17: a unit renamed at the provider is called by its new name."""
    renamed = UNIT_A | {"name": "示例江河集团有限公司"}
    issuer.id_token = {"acting_for": renamed | {"capacity": "common_contact", "expires_at": None}}
    moved.ahead = issuer.life
    visitor.get(CENTER_A)
    assert "示例江河集团有限公司" in visitor.text
    assert "常用联系人" in visitor.text


@pytest.mark.parametrize(
    "changes", [{"sub": "p_li"}, {"acting_for": UNIT_B}, {"acting_for": None}, {"aud": "another"}]
)
def test_refreshed_id_token_must_speak_of_the_same(
    visitor: Visitor, issuer: Issuer, moved: Clock, changes: dict[str, Any]
) -> None:
    """OpenID Connect Core 1.0 §12.2."""
    issuer.id_token = changes
    moved.ahead = issuer.life
    assert status(visitor, CENTER_A) == 403


def test_parallel_requests_refresh_once(visitor: Visitor, issuer: Issuer, moved: Clock, portal: Portal) -> None:
    """A rotating refresh token that is used twice looks stolen; eight tabs at once use it once."""
    moved.ahead = issuer.life
    issuer.delay = 0.2
    before = issuer.refreshes

    def open_center(_number: int) -> int:
        cookies = dict(visitor.http.cookies)
        return requests.get(portal.url + CENTER_A, cookies=cookies, timeout=20).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_center, range(8))) == [200] * 8
    assert issuer.refreshes == before + 1


def test_provider_down_ends_nothing(visitor: Visitor, issuer: Issuer, moved: Clock) -> None:
    """While the access token holds one can read; without a valid one 企业中心 is closed until the provider is back."""
    moved.ahead = issuer.life - 20
    with issuer.broken():
        assert status(visitor, CENTER_A) == 200
        moved.ahead = issuer.life + 20
        assert status(visitor, CENTER_A) == 503
        assert "暂时无法连接统一身份认证平台" in visitor.text
    assert status(visitor, CENTER_A) == 200


def test_change_needs_the_provider(visitor: Visitor, issuer: Issuer) -> None:
    """Fails closed: what cannot be confirmed is not done."""
    visitor.get(f"{CENTER_A}positions/new")
    with issuer.broken():
        visitor.submit("title", **job(action="publish"))
    assert visitor.status == 503
    assert "数据库工程师" not in visitor.get("/").text


def test_delegation_ends_on_its_day(issuer: Issuer, moved: Clock, sign_in: Callable[..., Visitor]) -> None:
    """U11: a grant with an end ends here by itself, whatever the tokens still say."""
    visitor = sign_in(UNIT_A, expires_at=clock.now() + 100)
    assert "授权有效期至" in visitor.get(CENTER_A).text
    moved.ahead = 101
    assert status(visitor, CENTER_A) == 403
    assert "办理期限已到" in visitor.text


def test_idle_and_old_sessions_end(visitor: Visitor, moved: Clock, portal: Portal) -> None:
    """DESIGN 8: 30 minutes without a click, 12 hours in all."""
    for _ in range(23):
        moved.ahead += 29 * 60
        assert status(visitor, "/me") == 200
    moved.ahead = 12 * 3600 + 1
    assert visitor.get("/me").url.startswith(f"{portal.url}/login")
    moved.ahead = 0
    visitor.get("/login/person")
    moved.ahead = 31 * 60
    assert visitor.get("/me").url.startswith(f"{portal.url}/login")


@pytest.mark.parametrize(
    ("businesses", "open_paths", "shut_paths"),
    [
        ("rec.company", ["", "company"], ["positions/", "positions/new"]),
        ("rec.position", ["", "positions/", "positions/new"], ["company"]),
        ("", [""], ["company", "positions/"]),
        (BUSINESSES, ["", "company", "positions/"], []),
    ],
)
def test_agent_sees_only_what_the_unit_granted(
    issuer: Issuer, sign_in: Callable[..., Visitor], businesses: str, open_paths: list[str], shut_paths: list[str]
) -> None:
    """R7: the scopes of the token decide, page by page and in the navigation."""
    sign_in(UNIT_A)
    visitor = sign_in(UNIT_A, by=Visitor(), businesses=businesses)
    for path in open_paths:
        assert status(visitor, CENTER_A + path) == 200
    for path in shut_paths:
        assert status(visitor, CENTER_A + path) == 403
        assert "单位没有授权您办理" in visitor.text
    visitor.get(CENTER_A)
    assert (">职位管理</a>" in visitor.text.replace("</svg>", ">")) == ("rec.position" in businesses)
    assert (">基本信息</a>" in visitor.text.replace("</svg>", ">")) == ("rec.company" in businesses)


def test_agent_without_company_grant_meets_an_empty_unit(sign_in: Callable[..., Visitor]) -> None:
    """R2: who may not complete 基本信息 is told who must, and not sent in circles."""
    visitor = sign_in(UNIT_A, businesses="rec.position", complete=False)
    assert "请由有授权的经办人员完善" in visitor.text
    assert status(visitor, f"{CENTER_A}positions/new") == 403


def test_unknown_unit_and_nobody(visitor: Visitor, portal: Portal) -> None:
    assert status(visitor, "/center/u_nobody/") == 403
    assert "您没有以该单位身份登录" in visitor.text
    assert Visitor().get(portal.url + CENTER_A).url.startswith(f"{portal.url}/login?next=")


def test_keys_of_another_curve_do_not_stop_us(portal: Portal, issuer: Issuer) -> None:
    """A logout token signed with ES256 is as good: any of the provider's keys."""
    key: ECKey = issuer.ec
    assert tell(portal.url, issuer.logout_token(key=key, sub=PERSON["sub"])).status_code == 200
