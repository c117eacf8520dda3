"""Sign-in by QR code at the province (P7): the QR code alone lets nobody in."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox.province.scans import SCAN_SECONDS, Scans
from tests.sandbox.client import Client
from tests.sandbox.province import CALLBACK, PERSON, SSO_AUTHORIZE, UNIT, access_token, query_of, sso_query, token_info


class Desktop:
    """The page with the QR code."""

    def __init__(self, client: Client, tab: str = "person") -> None:
        self.client = client
        self.query = sso_query() | {"tab": tab, "way": "scan"}
        page = client.get(SSO_AUTHORIZE, key=None, params=self.query).text
        self.form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
        self.phone_path = "/scan/" + self.form["scan"]

    def submit(self, client: Client | None = None, **changes: str) -> requests.Response:
        """Press the button, perhaps from another browser or with another form."""
        query = self.query | {name: changes.pop(name) for name in set(changes) & set(self.query)}
        sender = client or self.client
        return sender.request(
            "POST", SSO_AUTHORIZE, None, params=query, data=self.form | changes, allow_redirects=False
        )

    def state(self) -> str:
        found: str = self.client.get(self.phone_path + "/state", key=None).json()["state"]
        return found


def phone_of(client: Client, desktop: Desktop, account: dict[str, Any]) -> Client:
    """Return a phone that is signed in and shows the page that confirms."""
    phone = Client(client.url)
    typed = {"username": account["login"], "password": account["password"]}
    answer = phone.request("POST", desktop.phone_path + "/sign-in", None, data=typed)
    assert "确认登录？" in answer.text, answer.text
    return phone


def decide(phone: Client, desktop: Desktop, decision: str = "confirm") -> int:
    return phone.request("POST", desktop.phone_path, None, data={"decision": decision}).status_code


@pytest.mark.parametrize(("tab", "account"), [("person", PERSON), ("legal", UNIT)])
def test_the_phone_confirms_and_the_desktop_goes_on(upstream: Client, tab: str, account: dict[str, Any]) -> None:
    desktop = Desktop(upstream, tab)
    assert desktop.state() == "waiting"
    phone = phone_of(upstream, desktop, account)
    assert desktop.state() == "scanned"
    assert decide(phone, desktop) == 200
    assert desktop.state() == "confirmed"
    token = access_token(upstream, query_of(desktop.submit())["code"])["access_token"]
    assert token_info(upstream, token)["userobj"]["useridcode"] == account["useridcode"]


def test_before_the_phone_confirms_the_same_code_stays(upstream: Client) -> None:
    desktop = Desktop(upstream)
    answer = desktop.submit()
    assert answer.status_code == 400
    assert "手机上还没有确认" in answer.text
    assert desktop.form["scan"] in answer.text


def test_who_photographs_the_qr_code_gets_nothing(upstream: Client) -> None:
    desktop = Desktop(upstream)
    decide(phone_of(upstream, desktop, PERSON), desktop)
    other = Desktop(Client(upstream.url))
    for answer in (desktop.submit(other.client, secret=other.form["secret"]), desktop.submit(secret="")):
        assert answer.status_code == 400
        assert "二维码已失效" in answer.text
    assert "code" in query_of(desktop.submit()), "the true page still goes on"


def test_a_confirmed_code_is_for_one_request_only(upstream: Client) -> None:
    desktop = Desktop(upstream)
    decide(phone_of(upstream, desktop, PERSON), desktop)
    assert desktop.submit(redirect_uri=CALLBACK + "-elsewhere").status_code == 400
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: desktop.submit(Client(upstream.url)).status_code, range(8)))
    assert statuses == [302] + [400] * 7
    assert desktop.state() == "expired"


def test_the_phone_may_refuse(upstream: Client) -> None:
    desktop = Desktop(upstream)
    phone = phone_of(upstream, desktop, PERSON)
    assert decide(phone, desktop, "refuse") == 200
    assert desktop.state() == "refused"
    assert decide(phone, desktop) == 404, "a decision stands"
    answer = desktop.submit()
    assert (answer.status_code, "手机上取消了登录" in answer.text) == (400, True)
    assert desktop.form["scan"] not in answer.text, "a new QR code"


def test_the_phone_must_be_signed_in_with_the_right_kind(upstream: Client) -> None:
    desktop = Desktop(upstream, "legal")
    stranger = Client(upstream.url)
    assert "这是手机上的页面" in stranger.request("POST", desktop.phone_path, None, data={"decision": "confirm"}).text
    typed = {"username": PERSON["login"], "password": PERSON["password"]}
    assert stranger.request("POST", desktop.phone_path + "/sign-in", None, data=typed).status_code == 400
    person = phone_of(upstream, Desktop(upstream), PERSON)
    decide(person, desktop)
    assert desktop.state() == "scanned"


def test_a_code_that_nobody_knows_has_expired(upstream: Client) -> None:
    answer = upstream.get("/scan/unknown", key=None)
    assert (answer.status_code, "二维码已失效" in answer.text) == (404, True)
    assert upstream.get("/scan/unknown/state", key=None).json() == {"state": "expired"}


def test_qr_codes_last_for_two_minutes() -> None:
    now = 1000.0
    scans = Scans(lambda: now)
    early, late = (scans.begin("person", ("sso", "jingban", CALLBACK), "经办", "Chrome") for _ in range(2))
    now += SCAN_SECONDS - 1
    assert scans.decide(early.scan_id, "p-0001")
    now += 1
    assert scans.complete(early) is None
    assert not scans.decide(late.scan_id, "p-0001")
