"""Returns from upstreams that sign nobody in (F1): refused over there, swapped, replayed, another browser's."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from idp.factors.model import UpstreamLink
from idp.sessions import passwords
from idp.store.db import db
from tests.flows.inside import InsideVisitor
from tests.flows.upstream_visits import PASSWORD, app, click, come_back, protocol, trip, visitor, who
from tests.support import rows
from tests.support.upstreams import PERSON, StandIn, sign_in_there

__all__ = ["app", "protocol", "visitor"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("account_disabled", "您在对方平台的账号已被停用"),
        ("unknown_level", "您在对方平台的账号尚未实名核验"),
        ("down", "该登录方式暂时不可用，请稍后重试，或使用账号密码登录"),
    ],
)
def test_refusals_say_why_and_lead_to_sign_in(visitor: InsideVisitor, there: StandIn, fault: str, said: str) -> None:
    """F1: and sign-in by password stays alive."""
    person_id = rows.person(password_hash=passwords.hash_password(PASSWORD))
    click(visitor.get("/sign-in"))
    back = urlsplit(sign_in_there(visitor.url, PERSON))
    there.fault(fault)
    visitor.get(f"{back.path}?{back.query}")
    assert said in visitor.text
    assert visitor.status in {403, 503}
    click(visitor, "重新登录").submit("password", username="user_0000", password=PASSWORD)
    found = who(visitor)
    assert found is not None
    assert found.subject_id == person_id


@pytest.mark.parametrize("changes", [{"state": "another"}, {"state": ""}])
def test_a_state_that_was_swapped(visitor: InsideVisitor, changes: dict[str, str]) -> None:
    come_back(click(visitor.get("/sign-in")), PERSON, **changes)
    assert visitor.status == 400
    assert "本次登录已失效" in visitor.text


def test_a_replayed_return_and_another_browser(visitor: InsideVisitor, app: Flask) -> None:
    click(visitor.get("/sign-in"))
    back = sign_in_there(visitor.url, PERSON).removeprefix("http://localhost:8000")
    stranger = InsideVisitor(app)
    with stranger.client.session_transaction() as session:
        session["browser"] = "another-browser"
    stranger.get(back)
    assert "本次登录已失效" in stranger.text
    assert "首次登录" in visitor.get(back).text
    assert "本次登录已失效" in visitor.get(back).text


def test_whoever_turns_around_over_there(visitor: InsideVisitor) -> None:
    click(visitor.get("/sign-in"))
    query = parse_qs(urlsplit(visitor.url).query)
    state = query["state"][0] if "state" in query else parse_qs(urlsplit(query["redirect_uri"][0]).query)["state"][0]
    visitor.get("/federation/province/return", state=state, error="access_denied")
    assert "您已取消登录" in visitor.text


def test_what_waits_belongs_to_its_browser(visitor: InsideVisitor, app: Flask) -> None:
    trip(visitor)
    stranger = InsideVisitor(app, "/account")
    with stranger.client.session_transaction() as session:
        session["browser"] = "another-browser"
    stranger.get(visitor.url)
    assert "填写的内容已过期" in stranger.text
    assert db.session.query(UpstreamLink).count() == 0


def test_what_waited_signs_nobody_in_again(visitor: InsideVisitor) -> None:
    """Whoever finds the page of a first login in the history of a shared machine gets nowhere with it."""
    page = trip(visitor).url
    visitor.submit("username", accept_terms="y")
    assert who(visitor) is not None
    visitor.client.delete_cookie("jingban_session")
    visitor.get("/sign-in").post(page, username="whoever_1", accept_terms="y")
    assert who(visitor) is None
    assert "填写的内容已过期" in visitor.text
