"""The language of a page: from the address, the cookie, the browser, the setting, in this order."""

import pytest
from flask import Flask

from idp import i18n


@pytest.mark.parametrize(
    ("tags", "locale"),
    [
        ("zh", "zh_Hans"),
        ("zh-CN", "zh_Hans"),
        ("zh-Hans", "zh_Hans"),
        ("zh-Hans-HK", "zh_Hans"),
        ("zh-SG", "zh_Hans"),
        ("zh-TW", "zh_Hant"),
        ("zh-HK", "zh_Hant"),
        ("zh-Hant-MO", "zh_Hant"),
        ("en", "en"),
        ("en-GB", "en"),
        ("fr de en-US zh", "en"),
        ("fr", None),
        ("", None),
        ("-- zh_Hant", "zh_Hant"),
        ("x" * 5000, None),
    ],
)
def test_bcp_47_tags(tags: str, locale: str | None) -> None:
    assert i18n.match(tags) == locale


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "lang"),
    [
        ("", None, None, "zh-Hans"),
        ("", None, "en-US,en;q=0.9", "en"),
        ("", "zh_Hant", "en", "zh-Hant"),
        ("?ui_locales=en", "zh_Hant", "zh-TW", "en"),
        ("?ui_locales=fr%20zh-TW", None, "en", "zh-Hant"),
        ("?ui_locales=fr", None, "de,zh-HK;q=0.5", "zh-Hant"),
        ("?ui_locales=%00%FF", "\x7f", "*", "zh-Hans"),
    ],
)
def test_the_order(app: Flask, query: str, cookie: str | None, accept: str | None, lang: str) -> None:
    with app.test_request_context(f"/help{query}", headers={"Accept-Language": accept} if accept else {}) as context:
        if cookie:
            context.request.cookies = {i18n.COOKIE: cookie}  # type: ignore[assignment]
        assert i18n.locale().replace("_", "-") == lang


def test_a_choice_is_remembered(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/nowhere?ui_locales=en").headers["Set-Cookie"].startswith("jingban_locale=en;")
    assert "jingban_locale" not in client.get("/nowhere?ui_locales=en").headers.get("Set-Cookie", "")
    assert "jingban_locale" not in client.get("/nowhere?ui_locales=fr").headers.get("Set-Cookie", "")
