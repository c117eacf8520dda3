"""Every error is a page of ours: says what happened, offers a way on, tells nothing of the inside."""

import sqlite3

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from idp.errors import Forbidden, NotFound
from idp.gateways import GatewayUnavailable
from idp.store.db import db
from tests.support.application import MakeApp

SECRET = "440106188001010015"


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str) -> Flask:
    """The application as it runs in production, with some views that fail."""
    app = make_app(migrated_sqlite_url)
    app.testing = False
    failures = {
        "crash": RuntimeError(SECRET),
        "not-found": NotFound(),
        "forbidden": Forbidden(),
        "gateway": GatewayUnavailable("unionpay", "tls"),
        "database": OperationalError(SECRET, {}, sqlite3.OperationalError("locked")),
        "hot-database": sqlite3.OperationalError("locked"),
    }

    def fail(kind: str) -> str:
        raise failures[kind]

    app.add_url_rule("/fail/<kind>", "fail", fail, methods=["GET", "POST"])
    app.add_url_rule("/abort/<int:code>", "abort", abort)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def assert_page(answer: TestResponse, status: int, headline: str) -> str:
    text = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert f"<h1>{headline}</h1>" in text
    assert answer.content_type == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert 'class="button button--primary" href="/' in text
    assert "Traceback" not in text
    assert SECRET not in text
    return text


@pytest.mark.parametrize(
    ("code", "headline"),
    [
        (400, "无法处理这个请求"),
        (401, "请先登录"),
        (403, "没有权限"),
        (404, "找不到这个页面"),
        (405, "不能这样访问这个页面"),
        (413, "提交的内容过大"),
        (415, "无法处理这个请求"),
        (429, "操作过于频繁"),
        (500, "系统出现错误"),
        (503, "服务暂时不可用"),
    ],
)
def test_every_status_has_its_page(client: FlaskClient, code: int, headline: str) -> None:
    assert_page(client.get(f"/abort/{code}"), code, headline)


@pytest.mark.parametrize(
    ("kind", "status", "headline", "sentence"),
    [
        ("not-found", 404, "找不到这个页面", "您访问的内容不存在，或不属于当前账号"),
        ("forbidden", 403, "没有权限", "当前账号不能进行此操作"),
        ("gateway", 503, "服务暂时不可用", "银联核验服务暂时不可用"),
        ("database", 503, "服务暂时不可用", "请稍后重试"),
        ("hot-database", 503, "服务暂时不可用", "请稍后重试"),
    ],
)
def test_what_a_use_case_refuses_has_its_sentence(
    client: FlaskClient, kind: str, status: int, headline: str, sentence: str
) -> None:
    assert sentence in assert_page(client.get(f"/fail/{kind}"), status, headline)


def test_what_nobody_foresaw_has_a_reference_that_stands_in_the_log(
    client: FlaskClient, capfd: pytest.CaptureFixture[str]
) -> None:
    text = assert_page(client.get("/fail/crash"), 500, "系统出现错误")
    reference = text.partition('id="reference">')[2][:8]
    log = capfd.readouterr().err
    assert reference in log
    assert "RuntimeError" in log
    assert SECRET not in log


def test_the_page_of_a_crash_needs_no_database(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.set_cookie("jingban_session", "some-session")

    def away(*_: object) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr("idp.sessions.browser_sessions.find", away)
    assert_page(client.get("/account"), 500, "系统出现错误")


def test_a_database_that_is_away_is_a_503(make_app: MakeApp, sqlite_url: str) -> None:
    """No table is there: what every page meets when the database is not."""
    app = make_app(sqlite_url)
    app.testing = False
    client = app.test_client()
    client.set_cookie("jingban_session", "some-session")
    assert_page(client.get("/account"), 503, "服务暂时不可用")
    with app.app_context():
        db.session.remove()


def test_unknown_addresses_and_methods(client: FlaskClient) -> None:
    assert_page(client.get("/nowhere"), 404, "找不到这个页面")
    answer = client.put("/account")
    assert_page(answer, 405, "不能这样访问这个页面")
    assert "GET" in answer.headers["Allow"]


def test_too_much_is_refused(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={"username": "a" * 70_000})
    assert_page(answer, 413, "提交的内容过大")


def test_a_form_without_its_token_is_refused_and_can_be_opened_anew(client: FlaskClient) -> None:
    text = assert_page(client.post("/sign-in?tab=unit", data={"username": "a"}), 400, "页面已过期")
    assert 'href="/sign-in?tab=unit"' in text


def test_pages_of_errors_speak_the_language(client: FlaskClient) -> None:
    assert '<html lang="en">' in client.get("/nowhere?ui_locales=en").get_data(as_text=True)
