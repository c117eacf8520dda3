"""How a language is chosen: by the portal (OIDC Core §3.1.2.1), by the person, by the browser, by the setting."""

import pytest
from flask import Flask

from idp.i18n import COOKIE, LOCALES
from tests.flows.inside import InsideVisitor
from tests.i18n.words import Words
from tests.oidc.authorize.browser import request_parameters
from tests.support import rows

TITLES = {"zh-Hans": "个人登录", "zh-Hant": "個人登入", "en": "Personal sign-in"}


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    rows.client(client_name="Recruitment")
    return InsideVisitor(app)


def assert_speaks(visitor: InsideVisitor, lang: str) -> None:
    """Assert that the sign-in page says that it is in `lang`, and is."""
    assert Words(visitor.text).lang == lang
    assert f"<title>{TITLES[lang]} · " in visitor.text
    assert visitor.text.count('aria-current="true"') == 1


@pytest.mark.parametrize(
    ("asked", "lang"),
    [("en", "en"), ("zh-Hant", "zh-Hant"), ("zh-HK en", "zh-Hant"), ("fr en-GB", "en"), ("zh-CN", "zh-Hans")],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_portals_wish_reaches_the_sign_in_page(visitor: InsideVisitor, method: str, asked: str, lang: str) -> None:
    parameters = request_parameters(ui_locales=asked)
    if method == "GET":
        visitor.get("/oidc/authorize", **parameters)
    else:
        visitor.get(visitor.client.post("/oidc/authorize", data=parameters).headers["Location"])
    assert visitor.url.startswith("http://localhost/sign-in?interaction=")
    assert_speaks(visitor, lang)
    assert_speaks(visitor.get("/sign-in"), lang)


@pytest.mark.parametrize("asked", ["fr", "x-klingon", "", "zz-ZZ 123 -"])
@pytest.mark.parametrize(("accepted", "lang"), [("en-GB,en;q=0.9", "en"), ("de", "zh-Hans")])
def test_an_unknown_wish_leaves_it_to_the_browser(
    visitor: InsideVisitor, asked: str, accepted: str, lang: str
) -> None:
    visitor.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = accepted
    visitor.get("/oidc/authorize", **request_parameters(ui_locales=asked))
    assert_speaks(visitor, lang)
    assert visitor.client.get_cookie(COOKIE) is None


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [("en", "en"), ("zh-TW,zh;q=0.8", "zh-Hant"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"), ("fr,en;q=0.1", "en")],
)
def test_a_browser_is_answered_in_its_language(visitor: InsideVisitor, accepted: str, lang: str) -> None:
    visitor.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = accepted
    assert_speaks(visitor.get("/sign-in"), lang)


def test_a_choice_on_the_page_stays_and_can_be_changed(visitor: InsideVisitor) -> None:
    """The links of the language switch do it, on any page; the choice outlives the browser's own wish."""
    visitor.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    visitor.get("/help")
    for lang in ("en", "zh-Hant", "zh-Hans"):
        assert f'href="/help?ui_locales={lang}"' in visitor.text
    for lang in ("en", "zh-Hant", "zh-Hans"):
        visitor.get("/help", ui_locales=lang)
        assert_speaks(visitor.get("/sign-in"), lang)
        cookie = visitor.client.get_cookie(COOKIE)
        assert cookie is not None
        assert cookie.max_age is not None
        assert cookie.max_age > 180 * 24 * 3600


def test_what_is_offered_is_what_is_published(visitor: InsideVisitor) -> None:
    """OpenID Connect Discovery §3 `ui_locales_supported`."""
    published = visitor.client.get("/.well-known/openid-configuration").get_json()["ui_locales_supported"]
    assert published == [locale.replace("_", "-") for locale in LOCALES] == list(TITLES)


def test_a_refused_form_answers_in_the_language_it_was_shown_in(visitor: InsideVisitor) -> None:
    visitor.get("/sign-in", ui_locales="en").submit("password", username="nobody", password="Wrong-1-Password")
    assert "The username or password is wrong. You have 4 tries left" in visitor.text
    for _ in range(3):
        visitor.submit("password", username="nobody", password="Wrong-1-Password")
    assert "The username or password is wrong. You have 1 try left" in visitor.text
