"""登录安全 as pages: what there is, adding and removing, a fresh and strong login first."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pyotp
import pytest
from flask import Flask

from idp import clock
from idp.factors import totp, ways
from idp.sessions import passwords
from idp.store.db import db
from tests.factors.sessions import start
from tests.factors.test_passkeys import enrol
from tests.flows.inside import InsideVisitor
from tests.support import codes, fictional, rows

PHONE = fictional.mobile()
OLD = timedelta(minutes=6)


class Owner(InsideVisitor):
    """Person 0 in a browser, signed in as strongly as adding a factor takes."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.person_id = rows.person(password_hash=passwords.hash_password(rows.PASSWORD))
        self.sign_in_by("pwd", "sms")

    def sign_in_by(self, *amr: str, ago: timedelta = timedelta(0)) -> None:
        self.client.set_cookie("jingban_session", start(self.person_id, *amr, ago=ago))

    def secret(self) -> str:
        """Return the secret that the page shows to be typed."""
        found = re.search(r'id="totp-secret">([A-Z2-7 ]+)<', self.text)
        assert found
        return found[1].replace(" ", "")

    def add_totp(self) -> list[str]:
        """Add an authenticator app and return the recovery codes that are shown."""
        self.get("/account/security/totp")
        self.submit("code", code=pyotp.TOTP(self.secret()).at(clock.now()))
        assert "备用码只显示这一次" in self.text
        return re.findall(r"<li><code>([^<]+)</code></li>", self.text)


@pytest.fixture
def migrated_url(migrated_sqlite_url: str) -> str:
    """SQLite alone: tests/factors asks both databases what these pages rest on."""
    return migrated_sqlite_url


@pytest.fixture
def owner(app: Flask) -> Owner:
    return Owner(app)


def test_the_app_is_added_by_qr_code_or_by_hand(owner: Owner) -> None:
    owner.get("/account/security/totp")
    assert owner.text.count("<svg") > 1
    assert 'id="qr-path"' in owner.text
    assert "style=" not in owner.text  # CSP
    assert unquote(f"secret={owner.secret()}") in unquote(owner.text)
    assert "issuer=统一身份认证平台" in unquote(owner.text)
    owner.submit("code", code="000000")
    assert owner.status == 400
    assert "动态验证码错误" in owner.text


def test_recovery_codes_are_shown_once_and_can_be_downloaded(owner: Owner) -> None:
    shown = owner.add_totp()
    assert len(shown) == 10
    [file] = re.findall(r'href="(data:text/plain[^"]+)" download="[^"]+\.txt"', owner.text)
    assert all(code in unquote(file) for code in shown)
    owner.get("/account/security")
    assert "剩余 10 个备用码" in owner.text
    assert not [code for code in shown if code in owner.text]


def test_new_recovery_codes(owner: Owner) -> None:
    old = owner.add_totp()
    owner.get("/account/security/recovery-codes").submit("confirm", confirm="yes")
    assert not set(old) & set(re.findall(r"<li><code>([^<]+)</code></li>", owner.text))
    assert ways.recovery_codes_left(db.session(), owner.person_id) == 10


def test_the_app_is_removed_after_a_question(owner: Owner) -> None:
    owner.add_totp()
    owner.get("/account/security/totp/remove")
    assert totp.enrolled(db.session(), owner.person_id) is not None
    owner.submit("confirm", confirm="yes")
    assert "身份验证器已移除" in owner.text
    assert codes.changes_told(PHONE) == ["totp_added", "totp_removed"]


def test_a_second_app_is_refused(owner: Owner) -> None:
    owner.add_totp()
    owner.get("/account/security/totp")
    assert owner.status == 409
    assert "如需更换，请先移除原有的" in owner.text


def test_passkeys_are_listed_and_removed(owner: Owner) -> None:
    enrol(owner.person_id, name="办公室电脑")
    owner.get("/account/security")
    assert "办公室电脑" in owner.text
    [address] = re.findall(r'href="(/account/security/passkeys/[^"]+/remove)"', owner.text)
    owner.get(address).submit("confirm", confirm="yes")
    assert "通行密钥已移除" in owner.text
    assert "办公室电脑" not in owner.text


def test_without_javascript_passkeys_are_explained(owner: Owner) -> None:
    """They work by a script alone: the page says so, and so does the answer to an empty form."""
    for address in ("/account/security/passkeys/new", "/sign-in/passkey?again=1"):
        owner.get(address)
        [said] = re.findall(r"<noscript>(.*?)</noscript>", owner.text)
        assert "JavaScript" in said
        owner.submit("credential")
        assert owner.status == 400
        assert "通行密钥验证未通过" in owner.text


def test_an_address_without_a_name_has_no_passkeys(make_app, migrated_sqlite_url) -> None:
    """WebAuthn §5.1.2: a relying party's id is a domain."""
    app = make_app(migrated_sqlite_url, issuer="http://127.0.0.1:8000")
    with app.app_context():
        visitor = InsideVisitor(app)
        assert "/sign-in/passkey" not in visitor.get("/sign-in").text
        assert visitor.get("/sign-in/passkey").status == 404


CHANGES = ["totp", "totp/remove", "recovery-codes", "passkeys/new", "passkeys/pk_none/remove"]


@pytest.mark.parametrize("page", CHANGES)
def test_an_old_login_is_renewed_first_and_leads_back(owner: Owner, page: str) -> None:
    owner.sign_in_by("pwd", "sms", ago=OLD)
    owner.get(f"/account/security/{page}")
    assert owner.url == f"http://localhost/sign-in?next=/account/security/{page}&again=1"
    owner.outside = (f"/account/security/{page}",)
    owner.submit("username", username="user_0000", password=rows.PASSWORD)
    assert owner.url == f"http://localhost/account/security/{page}"


@pytest.mark.parametrize("page", ["totp", "recovery-codes", "passkeys/new"])
def test_adding_takes_two_factors_and_leads_back(owner: Owner, page: str) -> None:
    """NIST SP 800-63B-4 §4.1.2."""
    owner.sign_in_by("pwd")
    owner.get(f"/account/security/{page}")
    assert owner.url == f"http://localhost/step-up?next=/account/security/{page}"
    assert f'href="/step-up/sms?next=/account/security/{page}"' in owner.text


def test_who_is_strong_enough_is_not_asked_again(owner: Owner) -> None:
    owner.get("/step-up", next="/account/security/totp")
    assert owner.url.startswith("http://localhost/account/security/totp?draft=")


def test_the_page_itself_needs_neither(owner: Owner) -> None:
    owner.sign_in_by("pwd", ago=OLD)
    owner.get("/account/security")
    assert owner.status == 200
    assert "138****8000" in owner.text


SET = "/account/security/password"


@pytest.fixture
def newcomer(app: Flask) -> InsideVisitor:
    """Person 1, whose account an upstream made, signed in by it."""
    visitor = InsideVisitor(app)
    visitor.client.set_cookie("jingban_session", start(rows.person(1), "fed"))
    return visitor


def test_who_came_by_an_upstream_sets_name_and_password(newcomer: InsideVisitor, app: Flask) -> None:
    """P2, P3, P7."""
    assert f'href="{SET}"' in newcomer.get("/account").text
    assert "您的账号还没有密码" in newcomer.get("/account/security").text
    newcomer.get(SET)
    assert newcomer.value("username") == fictional.login_name(1)
    newcomer.submit("password", username="x", password="short", password_again="short")
    assert newcomer.status == 400
    assert "用户名应为 5–20 位" in newcomer.text
    assert "密码至少 8 位" in newcomer.text or "8–30 位" in newcomer.text
    typed = {"password": rows.PASSWORD, "password_again": rows.PASSWORD}
    newcomer.submit("password", username="my_own_name", **typed)
    assert "用户名和密码已设置" in newcomer.text
    assert "用户名：my_own_name" in newcomer.text
    assert SET not in newcomer.text
    assert "无需再次设置" in newcomer.get(SET).text
    again = InsideVisitor(app).get("/sign-in")
    again.submit("username", username="my_own_name", password=rows.PASSWORD)
    assert again.url == "http://localhost/account"


def test_a_password_takes_a_fresh_login_and_more_than_the_phone(newcomer: InsideVisitor) -> None:
    person_id = rows.person(2)
    newcomer.client.set_cookie("jingban_session", start(person_id, "fed", ago=OLD))
    newcomer.get(SET)
    assert newcomer.url == f"http://localhost/sign-in?next={SET}&again=1"
    newcomer.client.set_cookie("jingban_session", start(person_id, "sms"))
    newcomer.get(SET)
    assert newcomer.url == "http://localhost/account/security"
    assert "请改用其他登录方式" in newcomer.text
    enrol(person_id)
    newcomer.client.set_cookie("jingban_session", start(person_id, "sms"))
    newcomer.get(SET)
    assert newcomer.url == f"http://localhost/step-up?next={SET}"
