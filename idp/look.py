"""What the templates need to look right: icons, asset addresses, languages, accessible form controls.

`init_app` gives the helpers to Jinja and serves `idp/static/` under `/assets/<version>/`. The version is a hash of
all files, so that an answer may be kept for good, and the relative imports between modules stay within one version.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, Response, request, send_from_directory
from flask_babel import get_locale
from lucide.jinja import lucide
from markupsafe import Markup
from wtforms import Field

from idp.web import Access, access

STATIC = Path(__file__).parent / "static"
ASSET_ENDPOINT = "asset_file"
STYLESHEETS = (
    "css/tokens.css",
    "css/base.css",
    "css/layout.css",
    "css/forms.css",
    "css/components.css",
    "css/print.css",
)
YEAR = 365 * 24 * 3600  # seconds

SITE = {"home": "/", "help": "/help", "terms": "/terms", "privacy": "/privacy"}
LANGUAGES = (("zh-Hans", "简体中文", "简"), ("zh-Hant", "繁體中文", "繁"), ("en", "English", "EN"))


@dataclass(frozen=True)
class LanguageLink:
    """One entry of the language switch: BCP 47 tag, name in its own language, abbreviation, address."""

    tag: str
    name: str
    short: str
    url: str
    current: bool


@cache
def icon(name: str, size: int = 20, label: str | None = None) -> Markup:
    """Return the lucide icon `name` as inline SVG, `size` CSS pixels square.

    Without a label it is hidden from assistive technology; with one it is an image of that name.
    Raises `lucide.IconDoesNotExist`.
    """
    meaning = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true", "focusable": "false"}
    return Markup(lucide(name, size=size, **{"class": "icon", **meaning}))  # noqa: S704 - escaped by ElementTree


@cache
def assets_version() -> str:
    """Return 12 hex digits that change whenever any file under `idp/static/` does."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(filename: str) -> str:
    """Return the address of `filename`, a path inside `idp/static/`: what `url_for` says, for every page has ten."""
    return f"{request.script_root}/assets/{assets_version()}/{filename}"


@access(Access.ANYONE)
def asset_file(version: str, filename: str) -> Response:
    """Serve one file of `idp/static/`; an address of another version gets today's file, but must ask again."""
    response = send_from_directory(STATIC, filename, max_age=YEAR if version == assets_version() else 0)
    if version == assets_version():
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response


def html_lang() -> str:
    """Return the BCP 47 tag of the page's language, for `<html lang>`."""
    return str(get_locale() or "zh_Hans").replace("_", "-")


def language_links() -> list[LanguageLink]:
    """Return a link to this page in every language; the choice travels as `ui_locales` (OIDC Core §3.1.2.1)."""
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "ui_locales"]
    here = html_lang()
    return [
        LanguageLink(
            tag,
            name,
            short,
            f"{request.path}?{urlencode([*query, ('ui_locales', tag)])}",
            here.startswith(tag),
        )
        for tag, name, short in LANGUAGES
    ]


def control(field: Field, hint: bool = False, **attrs: object) -> Markup:
    """Render the bare control of a WTForms field, tied to its hint and error texts.

    The hint has the id `<id>-hint`, the error `<id>-error`; attributes that are None are left out.
    """
    described = [f"{field.id}-hint"] if hint else []
    if field.errors:
        described.append(f"{field.id}-error")
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return Markup(field(**{key: value for key, value in attrs.items() if value is not None}))  # noqa: S704


def init_app(app: Flask) -> None:
    """Register the asset route and hand the helpers to the templates of `app`."""
    app.add_url_rule("/assets/<version>/<path:filename>", ASSET_ENDPOINT, asset_file)
    app.jinja_env.globals.update(
        icon=icon,
        asset=asset,
        control=control,
        html_lang=html_lang,
        language_links=language_links,
        stylesheets=STYLESHEETS,
        site=SITE,
    )
