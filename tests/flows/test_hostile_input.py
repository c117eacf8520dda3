"""No page of ours answers hostile input with a 500: not UTF-8, NUL, giant, repeated, missing, of the wrong kind."""

import itertools
import json
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import rows
from tests.support.application import MakeApp

FORMS = {
    "/sign-in": ("username", "password", "as_unit"),
    "/sign-in?tab=unit": ("username", "password"),
    "/register/person": (
        *("document_type", "document_number", "name", "phone", "code"),
        *("username", "password", "password_again", "accept_terms"),
    ),
    "/account/unionpay": ("bank_card", "phone", "code"),
    "/account/devices/end": ("session",),
    "/account/devices/end-others": (),
    "/raise-level/give-up": (),
    "/sign-out": ("logout",),
}
PAGES = (*FORMS, "/", "/account", "/account/devices", "/raise-level", "/help", "/recover", "/register/person/done")
TEXTS = {
    "not utf-8": b"\xff\xfe\xc3\x28",
    "nul": b"\x00",
    "nul inside": b"user\x00_0000",
    "surrogate": b"\xed\xa0\x80",
    "controls": bytes(range(1, 32)),
    "long": b"9" * 20_000,
    "long letters": b"A" * 20_000,
    "markup": b"<script>alert(1)</script>'\"{{7*7}}",
    "quotes": b"' OR '1'='1' --",
    "format": b"%s%(x)s{0}%n",
    "direction": "\u202eabc\u2066\ufeff".encode(),
    "emoji": "👩‍👩‍👧‍👦".encode() * 50,
    "digits of others": "１３８００１３８０００".encode(),
    "arabic digits": "٠١٢٣٤٥".encode(),
}
ACTIONS = (b"register", b"verify", b"send_code", b"\xff")
KINDS = ("application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "\xff")


@pytest.fixture
def client(make_app: MakeApp, migrated_postgres_url: str) -> FlaskClient:
    """Somebody who is signed in, on PostgreSQL, which is the stricter; exceptions come through."""
    unlimited = dict.fromkeys(("limit_sign_in", "limit_registration", "limit_sms"), "100000/minute")
    app: Flask = make_app(migrated_postgres_url, **unlimited, log_level="ERROR")
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        token = rows.signed_in(rows.person(real_name_level=1))
    client = app.test_client()
    client.set_cookie("jingban_session", token)
    return client


def post(client: FlaskClient, path: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> int:
    return client.post(path, data=body, content_type=kind).status_code


def test_hostile_values(client: FlaskClient) -> None:
    for path, text, action in itertools.product(FORMS, TEXTS.values(), ACTIONS):
        value = quote(text).encode()
        body = b"&".join(name.encode() + b"=" + value for name in FORMS[path]) + b"&action=" + quote(action).encode()
        assert post(client, path, body) < 500, (path, text[:20], action)


def test_hostile_bodies(client: FlaskClient) -> None:
    for path, fields in FORMS.items():
        repeated = "&".join(f"{name}=1&{name}=2" for name in fields).encode()
        for body in (b"", b"&&&===", b"%", b"%zz=%zz", b"\x00\xff", repeated, b"a=" * 5000, b"x=" + b"y" * 70_000):
            assert post(client, path, body) < 500, (path, body[:20])
        for kind, body in itertools.product(KINDS, (b"", b"[]", b"--x\r\n\r\n", b"--x--")):
            assert post(client, path, body, kind) < 500, (path, kind, body)


def test_json_is_no_form(client: FlaskClient) -> None:
    """Flask-WTF would read it, with numbers, lists and half surrogate pairs where a form has text."""
    for (path, fields), value in itertools.product(FORMS.items(), (1, None, ["a"], {"a": 1}, "\ud800", "\0")):
        body = json.dumps(dict.fromkeys((*fields, "action"), value)).encode()
        assert post(client, path, body, "application/json") < 500, (path, value)


def test_hostile_queries(client: FlaskClient) -> None:
    names = ("interaction", "next", "tab", "ui_locales", "level", "optional", "page")
    for path, text in itertools.product(PAGES, TEXTS.values()):
        base, _, query = path.partition("?")
        value = quote(text[:1000])
        for given in (names, names[1:], names[2:]):  # one that is refused must not keep the next from being read
            address = f"{base}?{query}&" + "&".join(f"{name}={value}&{name}=again" for name in given)
            assert client.get(address).status_code < 500, address[:80]


def test_hostile_cookies_and_headers(client: FlaskClient) -> None:
    for path, text in itertools.product(PAGES, ("", "x" * 5000, "\x7f\x80", "a;b=c", "....", "eyJ", "\u00ff")):
        for name in ("jingban_session", "jingban_browser", "jingban_locale"):
            headers = {"Cookie": f"{name}={text}", "User-Agent": text, "Accept-Language": text, "Referer": text}
            assert client.get(path, headers=headers).status_code < 500, (path, name, text[:10])


def test_what_was_typed_comes_back_escaped(client: FlaskClient) -> None:
    markup = '"><script>alert(1)</script>'
    text = client.post("/register/person", data={"name": markup, "username": markup}).get_data(as_text=True)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
