"""Digital certificates on the pages (P8, U6): signing in by both doors, and what is refused there."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.flows.at_the_doors import L3, app, at_the_door, here, line_on, present, sign, visitor
from tests.flows.authorizing import Acting
from tests.flows.inside import ADDRESS, InsideVisitor
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority

__all__ = ["app", "visitor"]


# Signing in


def test_the_tile_is_there_only_with_an_authority(
    visitor: InsideVisitor, make_app: MakeApp, migrated_sqlite_url: str
) -> None:
    for tab in ("person", "unit"):
        assert f'href="/sign-in/certificate?tab={tab}"' in visitor.get("/sign-in", tab=tab).text
    closed = make_app(migrated_sqlite_url)
    with closed.app_context():
        stranger = InsideVisitor(closed)
        assert "/sign-in/certificate" not in stranger.get("/sign-in").text
        for page in ("/sign-in/certificate", "/certificate/present", "/certificate/return"):
            assert stranger.get(page).status == 404


@pytest.mark.parametrize("by", [sign, present])
def test_a_person_signs_in(ca: RunningAuthority, visitor: InsideVisitor, by: Any) -> None:
    """P8, by either door."""
    person_id = rows.person()
    by(visitor.get("/sign-in/certificate"), ca.person())
    assert visitor.url == f"{ADDRESS}/account"
    assert (here(visitor).subject_id, here(visitor).amr) == (person_id, ("pop",))


@pytest.mark.parametrize("by", [sign, present])
def test_a_unit_signs_in(ca: RunningAuthority, visitor: InsideVisitor, by: Any) -> None:
    """U6, by either door."""
    unit_id = rows.unit(trust_level=1)
    by(visitor.get("/sign-in/certificate", tab="unit"), ca.unit())
    assert visitor.url == f"{ADDRESS}/unit"
    assert here(visitor).subject_id == unit_id


def test_files_do_as_well(ca: RunningAuthority, visitor: InsideVisitor) -> None:
    person_id = rows.person()
    visitor.get("/sign-in/certificate")
    token = ca.person()
    data = {
        "csrf_token": visitor.value("csrf_token"),
        "challenge": visitor.value("challenge"),
        "certificate_file": (io.BytesIO(token.pem.encode()), "certificate.pem"),
        "signature_file": (io.BytesIO(token.signature(line_on(visitor))), "challenge.sig"),
    }
    answer = visitor.client.post("/sign-in/certificate", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert here(visitor).subject_id == person_id


@pytest.mark.parametrize("by", [sign, present])
def test_the_interaction_goes_on(app: Flask, ca: RunningAuthority, by: Any) -> None:
    """F6: a portal that wants L3 is reached by the certificate; the portal sees how."""
    acting = Acting(app)
    visitor = acting.visitor
    visitor.client.delete_cookie("jingban_session")
    visitor.outside = ("/certificate/present",)
    acting.ask("openid", claims={"id_token": {"acr": {"essential": True, "value": L3}}})
    link = re.search(r'href="(/sign-in/certificate[^"]+)"', visitor.text)
    assert link
    by(visitor.get(link[1].replace("&amp;", "&")), ca.person())
    assert acting.answer()["code"]
    granted = acting.authorization()
    assert (granted.acr, granted.amr) == (L3, "pop")


def test_to_act_for_a_unit(app: Flask, ca: RunningAuthority) -> None:
    """C1: the tick box holds through the trip to the other address."""
    acting = Acting(app)
    acting.unit(1, "rec.position")
    acting.visitor.client.delete_cookie("jingban_session")
    acting.visitor.outside = ("/certificate/present",)
    visitor = acting.ask("openid rec.position")
    visitor.get("/sign-in/certificate", interaction=acting.interaction().id)
    visitor.submit("certificate", action="present", as_unit="y")
    visitor.get(at_the_door(visitor, ca.person().header).headers["Location"])
    assert "/choose-unit" in visitor.url or acting.answer()["code"]


# Refused, with pages that say why and where to go


def test_an_unknown_holder_is_led_to_register(ca: RunningAuthority, visitor: InsideVisitor) -> None:
    for by in (sign, present):
        by(visitor.get("/sign-in/certificate"), ca.person())
        assert visitor.status == 404
        assert "该证书持有人在本平台还没有账号" in visitor.text
        assert 'href="/register/person"' in visitor.text
    sign(visitor.get("/sign-in/certificate", tab="unit"), ca.unit())
    assert 'href="/register/unit"' in visitor.text


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"ends": timedelta(seconds=-1), "begins": timedelta(days=-1)}, 403, "已过有效期"),
        ({"name": "别人"}, 403, "与账号登记的不一致"),
        ({"places": {}}, 403, "没有可用的姓名和证件号码"),
    ],
)
def test_a_page_says_why(
    ca: RunningAuthority, visitor: InsideVisitor, changes: dict[str, Any], status: int, said: str
) -> None:
    rows.person()
    for by in (sign, present):
        by(visitor.get("/sign-in/certificate", next="/account/security"), ca.person(**changes))
        assert (visitor.status, said in visitor.text) == (status, True), visitor.text
        assert 'href="/sign-in/certificate?tab=person&amp;next=/account/security"' in visitor.text
        assert visitor.client.get_cookie("jingban_session") is None


def test_a_list_that_cannot_be_fetched(ca: RunningAuthority, visitor: InsideVisitor) -> None:
    rows.person()
    ca.fault("down")
    sign(visitor.get("/sign-in/certificate"), ca.person())
    assert visitor.status == 503
    assert "暂时无法核验该证书是否已被吊销" in visitor.text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"certificate": ""}, "未能读取证书"),
        ({"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "未能读取证书"),
        ({"certificate": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "含有私钥"),
        ({"signature": ""}, "未能读取签名值"),
        ({"signature": "%%"}, "未能读取签名值"),
        ({"signature": "AAAA"}, "签名值与证书不符"),
        ({"challenge": "another"}, "本次验证已失效"),
    ],
)
def test_what_can_be_mended_is_said_at_the_form(
    ca: RunningAuthority, visitor: InsideVisitor, values: dict[str, str], said: str
) -> None:
    """… with a new challenge: no line is ever signed twice."""
    rows.person()
    visitor.get("/sign-in/certificate")
    before = line_on(visitor)
    sign(visitor, ca.person(), **values)
    assert (visitor.status, said in visitor.text) == (400, True), visitor.text
    assert line_on(visitor) != before
    assert "PRIVATE KEY" not in visitor.text
    sign(visitor, ca.person())
    assert visitor.url == f"{ADDRESS}/account"


def test_a_signed_challenge_is_no_other_browsers(ca: RunningAuthority, app: Flask, visitor: InsideVisitor) -> None:
    """A signature that somebody was talked into serves only the browser that asked, once."""
    rows.person()
    token, thief = ca.person(), InsideVisitor(app, "/account")
    with thief.client.session_transaction() as session:
        session["browser"] = "another"
    visitor.get("/sign-in/certificate")
    line, challenge = line_on(visitor), visitor.value("challenge")
    stolen = {"challenge": challenge, "certificate": token.pem, "signature": token.sign(line)}
    thief.get("/sign-in/certificate").submit("certificate", **stolen)
    assert "本次验证已失效" in thief.text
    sign(visitor, token)
    assert visitor.url == f"{ADDRESS}/account"
    visitor.client.delete_cookie("jingban_session")
    visitor.get("/sign-in/certificate").submit("certificate", **stolen)
    assert "本次验证已失效" in visitor.text
