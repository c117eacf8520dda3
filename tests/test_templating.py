"""Templates that are compiled once a language say what they would say if they were compiled once."""

import pytest
from flask import Flask, render_template
from jinja2 import FunctionLoader, TemplateAssertionError

from idp.look import icon
from tests.support.application import MakeApp


@pytest.fixture
def app(make_app: MakeApp, sqlite_url: str) -> Flask:
    app = make_app(sqlite_url)
    app.jinja_env.bytecode_cache = None
    base = "<title>{{ _('密码') }}</title>{% block body %}{% endblock %}"
    macros = "{% macro field(name) %}{{ _('密码') }} {{ icon('user') }} {{ name }}{% endmacro %}"
    files = {"base.html": base, "macros.html": macros}
    app.jinja_env.loader = FunctionLoader(lambda name: files.get(name, name.removesuffix(".html")))
    return app


def rendered(app: Flask, template: str, language: str = "zh-Hans", **context: object) -> str:
    """Render `template`, which may use `base.html` and `macros.html`, for a browser that asks for `language`."""
    with app.test_request_context(f"/?ui_locales={language}"):
        return render_template(f"{template}.html", **context)  # the loader takes its name for what it says


@pytest.mark.parametrize(("language", "password"), [("zh-Hans", "密码"), ("zh-Hant", "密碼"), ("en", "Password")])
def test_each_request_has_its_language_in_bases_and_macros_too(app: Flask, language: str, password: str) -> None:
    template = (
        "{% extends 'base.html' %}{% import 'macros.html' as macros %}"
        "{% block body %}{{ _('密码') }}|{{ macros.field('<b>') }}{% endblock %}"
    )
    for _ in range(2):
        other = "en" if language != "en" else "zh-Hant"
        assert password not in rendered(app, "{{ _('密码') }}", other)
        expected = f"<title>{password}</title>{password}|{password} {icon('user')} &lt;b&gt;"
        assert rendered(app, template, language) == expected


def test_variables_are_filled_in_and_escaped_at_each_request(app: Flask) -> None:
    template = "{{ _('登录后前往：%(portal)s', portal=portal) }} {{ icon(which, 16) }} {{ text }}"
    for name in ("<A>", "B"):
        said = rendered(app, template, portal=name, which="user", text="<i>")
        escaped = name.replace("<", "&lt;").replace(">", "&gt;")
        assert said == f"登录后前往：{escaped} {icon('user', 16)} &lt;i&gt;"


def test_a_text_is_markup_and_its_percent_signs_are_doubled(app: Flask) -> None:
    """As Jinja has it for texts that are no constants (`newstyle_gettext`)."""
    assert rendered(app, "{{ _('<b>50%%</b>') }}") == "<b>50%</b>"
    assert rendered(app, "{{ _(text) }}", text="<b>50%%</b>") == "<b>50%</b>"


def test_a_text_in_an_expression(app: Flask) -> None:
    assert rendered(app, "{{ _('密码') if other else icon('user') }}{{ (_('密码'), 1)[0] }}", other=True) == "密码密码"
    assert rendered(app, "{{ [_('密码')] | join }}{% set x = _('密码') %}{{ x | length }}") == "密码2"


@pytest.mark.parametrize("template", ["{% set icon = 1 %}", "{% for _ in [1] %}{% endfor %}"])
def test_no_template_gives_their_names_to_something_else(app: Flask, template: str) -> None:
    with pytest.raises(TemplateAssertionError):
        rendered(app, template)
