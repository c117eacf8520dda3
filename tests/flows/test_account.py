"""The account centre of a person: own data masked, the level and the way up, devices, signing out."""

import pytest
from flask import Flask

from idp.persons.model import AccountKind
from idp.sessions import browser_sessions, devices
from idp.store.db import release
from tests.flows.inside import InsideVisitor
from tests.support import fictional, rows


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app)


def test_ones_own_data_is_masked(visitor: InsideVisitor) -> None:
    """DESIGN 8."""
    visitor.sign_in(rows.person(real_name_level=1)).get("/account")
    for shown in ("*子", "440***********001X", "138****8000", "居民身份证", "user_0000", "一级实名"):
        assert shown in visitor.text
    for hidden in (fictional.resident_id(), "13800138000", fictional.person_name()):
        assert hidden not in visitor.text


@pytest.mark.parametrize(
    ("level", "name", "can_rise"), [(1, "一级实名", True), (2, "二级实名", True), (3, "三级实名", False)]
)
def test_the_level_and_the_way_up(visitor: InsideVisitor, level: int, name: str, can_rise: bool) -> None:
    visitor.sign_in(rows.person(real_name_level=level)).get("/account")
    assert name in visitor.text
    assert ("提升" in visitor.text) is can_rise
    visitor.get("/raise-level")
    assert ("/account/unionpay" in visitor.text) is (level == 1)


def test_a_unit_that_asks_is_announced(visitor: InsideVisitor) -> None:
    """P14."""
    person_id = rows.person()
    rows.binding(rows.unit(), person_id, status="pending")
    visitor.sign_in(person_id).get("/account")
    assert "有 1 个单位请求绑定您为子账号" in visitor.text


@pytest.mark.parametrize("path", ["/account", "/account/devices", "/account/unionpay"])
def test_pages_of_persons_are_not_for_units_or_strangers(visitor: InsideVisitor, path: str) -> None:
    release()
    answer = visitor.client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/sign-in?next={path}")
    visitor.sign_in(rows.unit(), AccountKind.UNIT).get(path)
    assert visitor.status == 403
    assert "没有权限" in visitor.text


def test_devices_are_listed_and_ended(visitor: InsideVisitor) -> None:
    person_id = rows.person()
    elsewhere = rows.signed_in(person_id)
    found = browser_sessions.find(elsewhere)
    assert found is not None
    visitor.sign_in(person_id).get("/account/devices")
    assert visitor.text.count("192.0.2.1") == 2
    assert visitor.text.count("本机") == 1
    visitor.post("/account/devices/end", session=found.session_id)
    assert "已退出该设备上的登录" in visitor.text
    assert visitor.text.count("192.0.2.1") == 1
    assert browser_sessions.find(elsewhere) is None


def test_all_others_are_ended(visitor: InsideVisitor) -> None:
    person_id = rows.person()
    others = [rows.signed_in(person_id) for _ in range(2)]
    visitor.sign_in(person_id).get("/account/devices").post("/account/devices/end-others")
    assert visitor.status == 200
    assert [browser_sessions.find(token) for token in others] == [None, None]


def test_ending_this_device_signs_out(visitor: InsideVisitor) -> None:
    person_id = rows.person()
    visitor.sign_in(person_id).get("/account/devices")
    [here] = devices.devices(person_id)
    visitor.post("/account/devices/end", session=here.session_id)
    assert visitor.url == "http://localhost/sign-in"
    assert devices.devices(person_id) == []


def test_the_session_of_another_is_not_there(visitor: InsideVisitor) -> None:
    theirs = rows.signed_in(rows.person(1))
    found = browser_sessions.find(theirs)
    assert found is not None
    visitor.sign_in(rows.person(0)).get("/account/devices").post("/account/devices/end", session=found.session_id)
    assert visitor.status == 404
    assert browser_sessions.find(theirs) is not None


def test_signing_out_asks_and_names_the_portals(visitor: InsideVisitor) -> None:
    """A bare GET signs nobody out; the secret is worth nothing afterwards."""
    rows.client()
    person_id = rows.person()
    authorization = rows.at_portal(person_id, None)
    visitor.sign_in(person_id)
    cookie = visitor.client.get_cookie("jingban_session")
    assert cookie is not None
    visitor.get("/sign-out")
    assert "确定退出登录吗" in visitor.text
    assert browser_sessions.find(cookie.value) is not None
    visitor.submit("logout", logout="yes")
    assert "您已安全退出" in visitor.text
    assert browser_sessions.find(cookie.value) is None
    assert visitor.client.get_cookie("jingban_session") is None
    assert rows.is_alive(authorization)  # it hangs on another session of the person


def test_the_portals_of_this_session_go_with_it(visitor: InsideVisitor) -> None:
    rows.client()
    person_id = rows.person()
    authorization = rows.at_portal(person_id, None)
    [device] = devices.devices(person_id)
    token = browser_sessions.renew(device.session_id)
    assert token is not None
    visitor.client.set_cookie("jingban_session", token)
    visitor.get("/sign-out")
    assert "门户portal" in visitor.text
    visitor.submit("logout", logout="yes")
    release()
    assert not rows.is_alive(authorization)


def test_signing_out_without_a_question_answered_does_nothing(visitor: InsideVisitor) -> None:
    visitor.sign_in(rows.person()).get("/sign-out")
    visitor.submit("logout", logout="no")
    assert "确定退出登录吗" in visitor.text


@pytest.mark.parametrize("path", ["/help", "/recover", "/terms", "/privacy"])
def test_pages_of_text_are_for_anyone(visitor: InsideVisitor, path: str) -> None:
    assert visitor.get(path).status == 200


def test_the_header_names_who_is_signed_in(visitor: InsideVisitor) -> None:
    assert "user_0000" not in visitor.get("/help").text
    visitor.sign_in(rows.person())
    assert "user_0000" in visitor.get("/help").text
