"""The stand-in for the check of a face (U18)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from sandbox.face_check import create_app
from sandbox.face_check.sessions import SESSION_SECONDS, Sessions
from tests.sandbox.client import KEY, Client
from tests.support import fictional
from tests.support.accessibility import axe_check
from tests.support.browser import PHONE

FACE = {
    "name": fictional.person_name(),
    "document_number": fictional.resident_id(),
    "purpose": "失业保险稳岗返还",
}


def begin(face: Client) -> dict[str, Any]:
    answer = face.post("/face/sessions", FACE)
    assert answer.status_code == 201
    session: dict[str, Any] = answer.json()
    return session


def state(face: Client, session: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = face.get(f"/face/sessions/{session['id']}").json()
    return answer


def decide(face: Client, session: dict[str, Any], result: str) -> int:
    return face.request("POST", urlsplit(session["url"]).path, None, data={"result": result}).status_code


@pytest.mark.parametrize("result", ["passed", "failed"])
def test_the_phone_decides_once(face: Client, result: str) -> None:
    session = begin(face)
    assert state(face, session) == {"state": "pending", "reference": None}
    assert decide(face, session, result) == 200
    decided = state(face, session)
    assert decided["state"] == result
    assert decided["reference"]
    assert decide(face, session, "passed") == 404
    assert state(face, session) == decided
    assert face.get(urlsplit(session["url"]).path, key=None).status_code == 404


def test_two_checks_are_two(face: Client) -> None:
    first, second = begin(face), begin(face)
    decide(face, first, "passed")
    assert state(face, second)["state"] == "pending"
    decide(face, second, "passed")
    assert state(face, first)["reference"] != state(face, second)["reference"]


def test_what_is_not_decided_in_time_expires() -> None:
    now = 1000.0
    sessions = Sessions(lambda: now)
    early, late = (sessions.begin("甲子", fictional.resident_id(), "test") for _ in range(2))
    now += SESSION_SECONDS - 1
    assert sessions.decide(early.page_id, passed=True)
    now += 1
    assert sessions.decide(late.page_id, passed=True) is None
    found = [sessions.get(each.session_id) for each in (early, late)]
    assert [each.state for each in found if each] == ["passed", "expired"]


def test_asking_needs_the_key_and_a_session(face: Client) -> None:
    session = begin(face)
    assert face.post("/face/sessions", FACE, key="wrong").status_code == 401
    assert face.get(f"/face/sessions/{session['id']}", key=None).status_code == 401
    assert face.get("/face/sessions/unknown").status_code == 404
    assert face.get(f"/face/sessions/{urlsplit(session['url']).path.rpartition('/')[2]}").status_code == 404


@pytest.mark.parametrize("field", list(FACE))
@pytest.mark.parametrize("value", [None, "", 5])
def test_an_incomplete_request_names_the_field(face: Client, field: str, value: object) -> None:
    answer = face.post("/face/sessions", FACE | {field: value})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request", "reason": field})


def test_there_is_nothing_to_start_a_check_with() -> None:
    with pytest.raises(ValueError, match="takes no data"):
        create_app(KEY, [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_who_and_what_for_and_masks_it(
    face: Client, new_page: Callable[..., Page], scheme: str
) -> None:
    session = begin(face)
    page = new_page(viewport=PHONE, color_scheme=scheme, java_script_enabled=True)
    page.goto(session["url"])
    expect(page.get_by_role("note")).to_contain_text("演示用粤信签实人认证")
    expect(page.locator("dl")).to_contain_text("失业保险稳岗返还")
    expect(page.locator("dl")).to_contain_text("440***********001X")
    assert FACE["name"] not in page.content()
    axe_check(page)
    page.get_by_role("button", name="通过", exact=True).click()
    expect(page.get_by_text("认证通过，请回到电脑继续。")).to_be_visible()
    axe_check(page)
    assert state(face, session)["state"] == "passed"


def test_the_other_button_fails(face: Client, new_page: Callable[..., Page]) -> None:
    session = begin(face)
    page = new_page(viewport=PHONE, java_script_enabled=False)
    page.goto(session["url"])
    page.get_by_role("button", name="不通过").click()
    expect(page.get_by_text("认证未通过，请回到电脑查看。")).to_be_visible()
    assert state(face, session)["state"] == "failed"
