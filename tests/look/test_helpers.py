"""idp/look.py: icons, assets, languages, controls; and the contrast of the tokens."""

import re
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import FlaskForm
from lucide import IconDoesNotExist
from wtforms import StringField

from idp import look
from tests.look.catalogue import create_app

ROOT_RULE = re.compile(r":root \{(.*?)\}", re.DOTALL)
COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
TEXT = ("ink", "ink-soft", "ink-faint", "accent", "accent-strong", "danger", "success", "warning")
GROUNDS = ("surface", "surface-soft", "surface-accent", "ground", "ground-glow")
ON = [
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-danger", "danger-strong"),
    ("danger", "danger-surface"),
    ("success", "success-surface"),
    ("warning", "warning-surface"),
    ("ink-soft", "success-surface"),
    ("ink", "danger-surface"),
]
AA_TEXT, AA_CONTROL = 4.5, 3.0


@pytest.fixture
def app() -> Flask:
    return create_app()


def colours(scheme: str) -> dict[str, str]:
    css = (look.STATIC / "css/tokens.css").read_text()
    light, *others = (dict(COLOUR.findall(rule)) for rule in ROOT_RULE.findall(css))
    return light if scheme == "light" else light | others[-1]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tokens_have_enough_contrast(scheme: str) -> None:
    """WCAG 2.2 1.4.3 and 1.4.11, on gradients too, where axe cannot tell."""
    named = colours(scheme)
    poor = [
        f"{text} on {ground}: {ratio:.2f}"
        for text, ground in [*product(TEXT, GROUNDS), *ON]
        if (ratio := contrast(named[text], named[ground])) < AA_TEXT
    ]
    poor += [
        f"{edge} beside {ground}: {ratio:.2f}"
        for edge, ground in product(("line-control", "focus"), ("surface",))
        if (ratio := contrast(named[edge], named[ground])) < AA_CONTROL
    ]
    assert poor == []


def test_dark_scheme_changes_values_only() -> None:
    assert colours("dark").keys() == colours("light").keys()
    assert colours("dark") != colours("light")


def test_only_tokens_name_colours() -> None:
    """White on the brand's mark is the one exception."""
    others = "".join((look.STATIC / sheet).read_text() for sheet in look.STYLESHEETS if sheet != "css/tokens.css")
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", others)) == {"#ffffff"}


def test_icon_is_hidden_unless_named() -> None:
    assert 'aria-hidden="true"' in look.icon("user")
    named = look.icon("check", 18, '已"完成"')
    assert 'role="img"' in named
    assert 'aria-label="已&quot;完成&quot;"' in named
    assert 'width="18"' in named
    with pytest.raises(IconDoesNotExist):
        look.icon("no-such-icon")


def test_asset_is_kept_for_good_under_its_version(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        address = look.asset("css/base.css")
    answer = client.get(address)
    assert answer.mimetype == "text/css"
    assert answer.cache_control.immutable
    assert answer.cache_control.max_age == look.YEAR
    answer.close()


def test_asset_of_another_version_must_be_asked_for_again(client: FlaskClient) -> None:
    answer = client.get("/assets/000000000000/css/base.css")
    assert answer.status_code == 200
    assert not answer.cache_control.immutable
    assert answer.cache_control.max_age == 0
    answer.close()


@pytest.mark.parametrize("path", ["../look.py", "%2e%2e/look.py", "css/none.css"])
def test_nothing_but_assets_is_served(path: str, client: FlaskClient) -> None:
    assert client.get(f"/assets/{look.assets_version()}/{path}").status_code == 404


def test_language_links_keep_the_query(app: Flask) -> None:
    """OIDC Core §3.1.2.1: ui_locales."""
    with app.test_request_context("/sign-in?tab=unit&ui_locales=zh-Hans&a=1&a=%22%26"):
        links = look.language_links()
    assert [link.url for link in links] == [
        f"/sign-in?tab=unit&a=1&a=%22%26&ui_locales={tag}" for tag in ("zh-Hans", "zh-Hant", "en")
    ]
    assert [link.current for link in links] == [True, False, False]


class OneField(FlaskForm):
    word = StringField("词")


def test_control_is_tied_to_hint_and_error(app: Flask) -> None:
    with app.test_request_context():
        field = OneField().word
        assert "aria-" not in look.control(field)
        field.errors = ["错"]
        html = look.control(field, hint=True, autocomplete="off", placeholder=None)
    assert 'aria-describedby="word-hint word-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'autocomplete="off"' in html
    assert "placeholder" not in html
