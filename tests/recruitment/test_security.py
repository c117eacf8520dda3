"""What holds on every route: CSRF, headers, cookies, who may open what; and files that keep secrets."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from relying_parties.recruitment.app import create_app
from relying_parties.shared.keys import Keys, SealBroken
from relying_parties.shared.settings import Settings, SettingsError
from tests.recruitment.conftest import Portal
from tests.recruitment.issuer import UNIT_A, Issuer
from tests.support.visitor import Visitor

WITHOUT_CSRF = {"backchannel.obey", "api.create_position", "api.list_positions", "third_party.initiated_by_form"}
"""They do not look at cookies: a signed token or a bearer token decides, or nothing is changed, as when another site
sends somebody here to sign in (OpenID Connect Core §4)."""


def routes(portal: Portal, method: str) -> list[tuple[str, str]]:
    """Return endpoint and address of every route that takes `method`, for unit A."""
    values = {"unit_id": UNIT_A["sub"], "position_id": "j1", "draft_id": "d1"}
    values |= {"version": "0", "filename": "css/base.css"}
    with portal.app.test_request_context():
        return [
            (
                rule.endpoint,
                portal.app.url_map.bind("localhost").build(rule.endpoint, {n: values[n] for n in rule.arguments}),
            )
            for rule in portal.app.url_map.iter_rules()
            if method in (rule.methods or ())
        ]


def test_every_change_needs_the_csrf_token(portal: Portal, sign_in: Callable[..., Visitor]) -> None:
    visitor = sign_in(UNIT_A)
    tried = [route for route in routes(portal, "POST") if route[0] not in WITHOUT_CSRF]
    assert len(tried) >= 9
    for endpoint, address in tried:
        for form in ({}, {"csrf_token": "x"}):
            answer = visitor.http.post(portal.url + address, data=form, timeout=10)
            assert answer.status_code == 400, endpoint
            assert "页面已过期" in answer.text, endpoint


def test_every_page_of_the_center_is_guarded(portal: Portal, visitor: Visitor) -> None:
    """Walks all routes under /center/<unit>: nobody gets in without an identity for that unit."""
    guarded = [endpoint for endpoint, address in routes(portal, "GET") if address.startswith("/center/")]
    ours = {"center.overview", "center.company", "center.change"}
    assert set(guarded) == ours | {"jobs.listing", "jobs.new", "jobs.preview", "jobs.edit"}
    for rule in portal.app.url_map.iter_rules():
        if rule.rule.startswith("/center/"):
            assert getattr(portal.app.view_functions[rule.endpoint], "for_unit", False), rule.endpoint
    for _, address in routes(portal, "GET"):
        if address.startswith("/center/"):
            assert visitor.get(portal.url + address).url.startswith(f"{portal.url}/login?next=")


def test_every_answer_carries_the_headers(portal: Portal, sign_in: Callable[..., Visitor]) -> None:
    visitor = sign_in(UNIT_A)
    for _, address in [*routes(portal, "GET"), ("nowhere", "/nowhere")]:
        answer = visitor.http.get(portal.url + address, allow_redirects=False, timeout=10)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert ("no-store" in answer.headers["Cache-Control"]) != address.startswith("/assets/"), address


def test_cookies_are_ours_alone(portal: Portal, sign_in: Callable[..., Visitor]) -> None:
    """Other servers share the host name, and on https nobody else may set them."""
    visitor = sign_in(UNIT_A)
    assert {cookie.name for cookie in visitor.http.cookies} == {"recruitment_portal", "recruitment_form"}
    for cookie in visitor.http.cookies:
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_cookies_on_https(issuer: Issuer, tmp_path: Path) -> None:
    settings = Settings(
        issuer.url, "recruitment", "secret-of-the-portal", "https://jobs.example", tmp_path / "d", tmp_path / "k"
    )
    answer = create_app(settings).test_client().get("/login", base_url="https://jobs.example")
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    app = create_app(settings)
    answer = app.test_client().get("/login/person", base_url="https://jobs.example")
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-recruitment_form=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_tokens_are_sealed_in_the_database(portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]) -> None:
    """A stolen copy of the database opens nothing: neither tokens nor cookies stand in it."""
    visitor = sign_in(UNIT_A)
    stored = b"".join(path.read_bytes() for path in portal.database.parent.glob("portal.sqlite3*"))
    assert UNIT_A["sub"].encode() in stored
    for secret in (*issuer.refresh_tokens, visitor.http.cookies["recruitment_portal"], "eyJ"):
        assert secret.encode() not in stored


def test_another_key_file_ends_the_identities(portal: Portal, sign_in: Callable[..., Visitor]) -> None:
    visitor = sign_in(UNIT_A)
    portal.app.extensions["portal_keys"] = Keys(b"c" * 32, b"s" * 32)
    with sqlite3.connect(portal.database) as database:
        database.execute("UPDATE identity SET access_ends_at = access_ends_at - 1000")
    assert visitor.get(f"/center/{UNIT_A['sub']}/").status == 403
    assert "授权已结束" in visitor.text


def test_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = Keys.load(path, "recruitment")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keys.load(path, "recruitment") == first
    assert [each.name for each in tmp_path.iterdir()] == ["key"]
    path.write_text("short")
    with pytest.raises(ValueError, match="less than 32 bytes"):
        Keys.load(path, "recruitment")


def test_sealed_values_stay_in_their_place(tmp_path: Path) -> None:
    keys = Keys.load(tmp_path / "key", "recruitment")
    sealed = keys.seal("token", "a.access_token")
    assert keys.unseal(sealed, "a.access_token") == "token"
    with pytest.raises(SealBroken):
        keys.unseal(sealed, "b.access_token")


def test_settings_name_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="RECRUITMENT_CLIENT_SECRET"):
        Settings.from_environment("RECRUITMENT_", {})
    given = dict.fromkeys(
        (f"RECRUITMENT_{name}" for name in ("CLIENT_ID", "CLIENT_SECRET", "DATABASE", "KEY_FILE")), "x"
    )
    wrong = given | {"RECRUITMENT_ISSUER": "https://id.example", "RECRUITMENT_BASE_URL": "x"}
    with pytest.raises(SettingsError, match="RECRUITMENT_BASE_URL is not"):
        Settings.from_environment("RECRUITMENT_", wrong)
    right = given | {"RECRUITMENT_ISSUER": "https://id.example", "RECRUITMENT_BASE_URL": "https://jobs.example/"}
    made = Settings.from_environment("RECRUITMENT_", right)
    assert (made.redirect_uri, made.audience) == ("https://jobs.example/callback", "https://jobs.example/api")
    assert "client_secret" not in repr(made)


def test_error_pages(portal: Portal, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """404, 405 and 500 are pages of ours; a 500 gives a reference and no detail."""
    assert "没有找到这个页面" in visitor.get("/nowhere").text
    assert visitor.status == 404
    assert requests.get(f"{portal.url}/logout", timeout=10).status_code == 405
    with sqlite3.connect(portal.database) as database:
        database.execute("ALTER TABLE company RENAME TO moved_away")
    visitor.get("/")
    assert visitor.status == 500
    assert "系统出现故障" in visitor.text
    assert "并提供编号" in visitor.text
    assert "no such table" not in visitor.text
