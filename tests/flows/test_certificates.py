"""数字证书 on the pages (P8, U6, F6): both doors, without JavaScript, alone and on the way to a portal."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp.factors.certificates import accounts
from idp.persons.model import AccountKind
from idp.sessions import browser_sessions, passwords
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import release
from tests.factors.sessions import start
from tests.flows.authorizing import Acting
from tests.flows.inside import ADDRESS, InsideVisitor
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority
from tests.support.certificates import Token

DOOR = "certificate.localhost"
L3 = "urn:jingban:acr:L3"
PROXY = {"REMOTE_ADDR": "192.0.2.10"}


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str, ca: RunningAuthority) -> Iterator[Flask]:
    """A provider with both doors. Requests know nothing of each other (see conftest.py)."""
    application = make_app(
        migrated_sqlite_url,
        **ca.settings,
        issuer=ADDRESS,
        certificate_tls_url=f"https://{DOOR}",
        certificate_tls_proxies=("192.0.2.10/32",),
        trusted_proxies=1,
    )
    from tests.flows.test_federation import forget  # noqa: PLC0415 - shared by these two alone

    application.before_request_funcs.setdefault(None, []).insert(0, forget)
    with application.app_context():
        yield application


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/account", "/unit", "/certificate/present")


def line_on(visitor: InsideVisitor) -> str:
    found = re.search(r'id="certificate-line">([^<]+)<', visitor.text)
    assert found, visitor.text
    return found[1]


def sign(visitor: InsideVisitor, token: Token, **values: str) -> InsideVisitor:
    """Sign what the page shows, as a token's middleware does, and send it."""
    answer = {"certificate": token.pem, "signature": token.sign(line_on(visitor)), "action": "sign"}
    return visitor.submit("certificate", **(answer | values))


def here(visitor: InsideVisitor) -> SignedIn:
    cookie = visitor.client.get_cookie("jingban_session")
    assert cookie is not None
    release()
    found = browser_sessions.find(cookie.value)
    assert found is not None
    return found


def at_the_door(visitor: InsideVisitor, header: str | None, **environ: Any) -> TestResponse:
    """Arrive where the visitor was sent, as the proxy passes it on."""
    assert visitor.url.startswith(f"https://{DOOR}/certificate/present?challenge="), visitor.url
    parts = urlsplit(visitor.url)
    headers = {"Client-Cert": header} if header is not None else {}
    release()
    client = visitor.client.application.test_client()  # the other host has none of our cookies
    return client.get(
        f"{parts.path}?{parts.query}",
        base_url=f"https://{DOOR}",
        headers=headers,
        environ_overrides=PROXY | environ,
    )


def present(visitor: InsideVisitor, token: Token) -> InsideVisitor:
    """Press the button, present the certificate over there, and come back."""
    visitor.submit("certificate", action="present")
    back = at_the_door(visitor, token.header)
    assert back.status_code == 303
    return visitor.get(back.headers["Location"])


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


# The other address


@pytest.mark.parametrize(
    ("environ", "host", "status"),
    [
        ({"REMOTE_ADDR": "192.0.2.11"}, DOOR, 403),
        ({"REMOTE_ADDR": "192.0.2.11", "HTTP_X_FORWARDED_FOR": "192.0.2.10"}, DOOR, 403),
        ({"REMOTE_ADDR": ""}, DOOR, 403),
        (PROXY, "localhost", 403),
        (PROXY, DOOR, 303),
    ],
)
def test_a_header_is_believed_from_the_proxy_alone(
    ca: RunningAuthority, visitor: InsideVisitor, environ: dict[str, str], host: str, status: int
) -> None:
    """RFC 9440 §4: whoever else sets `Client-Cert` made it up; `X-Forwarded-For` makes nobody the proxy."""
    rows.person()
    visitor.get("/sign-in/certificate").submit("certificate", action="present")
    parts = urlsplit(visitor.url)
    answer = visitor.client.get(
        f"{parts.path}?{parts.query}",
        base_url=f"https://{host}",
        headers={"Client-Cert": ca.person().header},
        environ_overrides=environ,
    )
    assert answer.status_code == status
    if status == 403:
        assert "证书不是经本平台的安全网关出示的" in answer.text


def test_the_header_means_nothing_on_other_pages(ca: RunningAuthority, visitor: InsideVisitor) -> None:
    rows.person()
    headers = {"Client-Cert": ca.person().header}
    answer = visitor.client.get("/account", headers=headers, environ_overrides=PROXY)
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize(
    ("header", "said"),
    [(None, "浏览器没有出示证书"), ("", "浏览器没有出示证书"), (":AAAA:", "未能读取证书"), ("\xff", "未能读取证书")],
)
def test_nothing_or_nonsense_presented(visitor: InsideVisitor, header: str | None, said: str) -> None:
    visitor.get("/sign-in/certificate", next="/account/security").submit("certificate", action="present")
    back = at_the_door(visitor, header)
    visitor.get(back.headers["Location"])
    assert (visitor.status, said in visitor.text) == (400, True), visitor.text
    assert "next=/account/security" in visitor.text, "the way on is not lost"


def test_what_was_presented_signs_in_nobody_elses_browser(
    ca: RunningAuthority, app: Flask, visitor: InsideVisitor
) -> None:
    """Who lures a victim to the other address with their own challenge: the way back is the victim's, and no use."""
    rows.person()
    visitor.get("/sign-in/certificate").submit("certificate", action="present")
    back = at_the_door(visitor, ca.person().header).headers["Location"]
    victim = InsideVisitor(app)
    with victim.client.session_transaction() as session:
        session["browser"] = "another"
    assert "本次验证已失效" in victim.get(back).text
    assert victim.client.get_cookie("jingban_session") is None
    assert visitor.get(back).url == f"{ADDRESS}/account"
    visitor.client.delete_cookie("jingban_session")
    assert "本次验证已失效" in visitor.get(back).text
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert len(code) == 43


# A further factor; 登录安全


@pytest.mark.parametrize("by", [sign, present])
def test_a_step_up_on_the_way_to_a_portal(app: Flask, ca: RunningAuthority, by: Any) -> None:
    """F6: the page offers the certificate, and the same interaction goes on at L3."""
    acting = Acting(app)
    token = ca.person()
    acting.visitor.outside = ("/certificate/present",)
    sign(InsideVisitor(app, "/account").get("/sign-in/certificate"), token)
    visitor = acting.ask("openid", claims={"id_token": {"acr": {"essential": True, "value": L3}}})
    link = re.search(r'href="(/step-up/certificate[^"]+)"', visitor.text)
    assert link, visitor.text
    by(visitor.get(link[1].replace("&amp;", "&")), token)
    assert acting.answer()["code"]
    assert (acting.authorization().acr, acting.authorization().amr) == (L3, "mfa pop pwd")


def test_a_way_that_the_person_does_not_have_is_not_there(app: Flask) -> None:
    assert InsideVisitor(app).sign_in(rows.person()).get("/step-up/certificate").status == 404


@pytest.mark.parametrize("by", [sign, present])
def test_added_and_removed_in_security(app: Flask, ca: RunningAuthority, visitor: InsideVisitor, by: Any) -> None:
    person_id = rows.person()
    visitor.outside = ("/certificate/present",)
    visitor.client.set_cookie("jingban_session", start(person_id, "pwd", "sms"))
    assert "/account/security/certificates/new" in visitor.get("/account/security").text
    token = ca.person()
    by(visitor.get("/account/security/certificates/new"), token)
    assert visitor.url == f"{ADDRESS}/account/security"
    assert "数字证书已添加" in visitor.text
    assert f"{token.certificate.serial_number:x}" in visitor.text
    [owned] = accounts.of_account(person_id)
    visitor.get(f"/account/security/certificates/{owned.id}/remove").submit("confirm", confirm="yes")
    assert "数字证书已移除" in visitor.text
    visitor.get(f"/account/security/certificates/{owned.id}/remove")
    assert visitor.status == 404


def test_anothers_certificate_is_not_added(app: Flask, ca: RunningAuthority, visitor: InsideVisitor) -> None:
    rows.person()
    visitor.client.set_cookie("jingban_session", start(rows.person(1), "pwd", "sms"))
    visitor.outside = ()
    sign(visitor.get("/account/security/certificates/new"), ca.person())
    assert "该证书不是当前账号持有人的证书" in visitor.text


def test_a_unit_sees_and_removes_its_own(app: Flask, ca: RunningAuthority, visitor: InsideVisitor) -> None:
    """U6; an old sign-in is led to sign in again on its own tab first."""
    unit_id = rows.unit(trust_level=1, password_hash=passwords.hash_password(rows.PASSWORD))
    visitor.outside = ()
    visitor.sign_in(unit_id, AccountKind.UNIT)
    assert "还没有数字证书" in visitor.get("/unit/security").text
    sign(visitor.get("/sign-in/certificate", tab="unit", again="1"), ca.unit())
    assert "演示电子认证机构" in visitor.get("/unit/security").text
    [owned] = accounts.of_account(unit_id)
    visitor.get(f"/account/security/certificates/{owned.id}/remove")
    assert "包括当前设备；之后请用其他方式重新登录" in visitor.text, "the session rests on this certificate"
    visitor.submit("confirm", confirm="yes")
    assert visitor.url == f"{ADDRESS}/sign-in?next=/unit/security&tab=unit"
    assert "数字证书已移除" in visitor.text
    visitor.sign_in(unit_id, AccountKind.UNIT).get("/unit/security")
    assert "还没有数字证书" in visitor.text
    assert fictional.unit_name(1) in visitor.text
