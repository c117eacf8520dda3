"""The recruitment portal's pages as agents and job seekers use them."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from playwright.sync_api import expect

from tests.journeys.window import Window
from tests.journeys.world import Company
from tests.recruitment.values import COMPANY, job

UNIT_SCOPE = "openid profile offline_access rec.company rec.position"
PERSON_SCOPE = "openid profile"


def open_sign_in(window: Window, *, as_unit: bool = True) -> None:
    """Come to the portal as a visitor and choose how to sign in (R1)."""
    window.page.goto(window.portal)
    window.follow("登录")
    window.reads("您要以什么身份登录？")
    window.follow("单位登录" if as_unit else "求职者登录")


def center(window: Window, unit: Company) -> str:
    """Return the address of a unit's 企业中心."""
    return f"{window.portal}/center/{window.world.unit_id(unit)}/"


def is_in_center(window: Window, unit: Company) -> None:
    """Wait for 企业中心 of a unit, any page of it."""
    window.page.wait_for_url(f"{center(window, unit)}**")
    expect(window.page.get_by_text(unit.name).first).to_be_attached()


def complete_company(window: Window) -> None:
    """Fill in 基本信息, which is open (R2)."""
    window.fill(**COMPANY)
    window.press("保存")
    window.reads("单位基本信息已保存。")


def publish_job(window: Window, unit: Company, title: str) -> None:
    """Fill in 新增职位 and publish it at once (R4)."""
    window.page.goto(f"{center(window, unit)}positions/new")
    window.fill(**job(title=title))
    window.press("保存并发布")
    window.reads("职位已发布，求职者现在可以搜索到。")


def search(window: Window, keyword: str) -> None:
    """Look for jobs as a job seeker does, without an account (R5)."""
    window.page.goto(window.portal)
    window.fill(keyword=keyword)
    window.press("搜索")


def shuts(window: Window, unit: Company) -> bool:
    """Tell whether the portal has shut 企业中心 of a unit in this browser, asking with the browser's own cookies."""
    answer = window.page.context.request.get(center(window, unit))
    text: str = answer.text()
    return f"您为“{unit.name}”办理业务的授权已结束" in text


# --- tokens, as the portal has them --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tokens:
    """What the provider gave the portal for one person, or one person and unit; seen through the portal's eyes."""

    window: Window
    answer: dict[str, Any]

    def is_active(self) -> bool:
        """Ask introspection about the access token (RFC 7662)."""
        return bool(self._post("introspect", token=self.answer["access_token"]).json()["active"])

    def refresh(self) -> requests.Response:
        """Redeem the refresh token (RFC 6749 §6)."""
        return self._post("token", grant_type="refresh_token", refresh_token=self.answer["refresh_token"])

    def _post(self, endpoint: str, **form: str) -> requests.Response:
        return _as_portal(self.window, endpoint, form)


def tokens(window: Window, unit: Company | None = None) -> Tokens:
    """Sign in at the portal once more with the browser's session, for `unit` or oneself, and take the tokens.

    The person was asked for consent before, so no page is shown, and the code is kept from the portal.
    """
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect_uri = f"{window.portal}/callback"
    query = {
        "response_type": "code",
        "client_id": "recruitment",
        "redirect_uri": redirect_uri,
        "scope": UNIT_SCOPE if unit else PERSON_SCOPE,
        "state": "state-of-the-journey",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if unit is not None:
        query["org_hint"] = unit.uscc
    code = _code(window, f"{window.provider}/oidc/authorize?{urlencode(query)}", redirect_uri)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    answer = _as_portal(window, "token", form)
    assert answer.status_code == 200, answer.text
    return Tokens(window, answer.json())


def _code(window: Window, address: str, redirect_uri: str) -> str:
    for _ in range(5):
        answer = window.page.context.request.get(address, max_redirects=0)
        assert answer.status in {302, 303}, f"{answer.url}: {answer.status}"
        address = answer.headers["location"]
        if address.startswith(redirect_uri):
            return parse_qs(urlsplit(address).query)["code"][0]
        address = address if "://" in address else window.provider + address
    raise AssertionError(f"no code: {address}")


def _as_portal(window: Window, endpoint: str, form: dict[str, str]) -> requests.Response:
    secret = window.world.stack.client("recruitment")["client_secret"]
    return requests.post(f"{window.provider}/oidc/{endpoint}", data=form, auth=("recruitment", secret), timeout=10)
