"""What templates need: icons, addresses of assets, accessible controls, and words for dates and money."""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path

from flask import Flask, Response, send_from_directory, url_for
from lucide.jinja import lucide
from markupsafe import Markup
from wtforms import Field

from relying_parties.recruitment import clock

STATIC = Path(__file__).parent / "static"
STYLESHEETS = (
    "css/tokens.css",
    "css/base.css",
    "css/frame.css",
    "css/components.css",
    "css/forms.css",
    "css/jobs.css",
)
YEAR = 365 * 24 * 3600  # seconds


@cache
def icon(name: str, size: int = 20) -> Markup:
    """Return the lucide icon `name` as inline SVG, `size` CSS pixels square, hidden from assistive technology."""
    hidden = {"class": "icon", "aria-hidden": "true", "focusable": "false"}
    return Markup(lucide(name, size=size, **hidden))  # noqa: S704 - made by ElementTree from our own names


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(filename: str) -> str:
    """Return the address of a file in `static/`. It changes with the files, so that browsers may keep them."""
    return url_for("asset_file", version=_version(), filename=filename)


def asset_file(version: str, filename: str) -> Response:
    """Serve one file of `static/`; an address of another version gets today's file, but must ask again."""
    current = version == _version()
    response = send_from_directory(STATIC, filename, max_age=YEAR if current else 0)
    if current:
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response


def control(field: Field, hint: bool = False, **attributes: object) -> Markup:
    """Render the bare control of a field, tied to its hint (id `<id>-hint`) and its error (`<id>-error`)."""
    described = [f"{field.id}-hint"] if hint else []
    if field.errors:
        described.append(f"{field.id}-error")
        attributes["aria-invalid"] = "true"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return Markup(field(**{name: value for name, value in attributes.items() if value is not None}))  # noqa: S704


def day(value: str | date) -> str:
    """Return a day as 2026年12月31日."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found.year}年{found.month}月{found.day}日"


def day_of(moment: int) -> str:
    """Return the day in China of a moment in seconds since 1970, as 2026年12月31日."""
    return day(clock.local(moment).date())


def salary(lowest: int | None, highest: int | None) -> str:
    """Return a monthly salary in words: 面议, 8000元/月, 8000–12000元/月."""
    if lowest is None or highest is None:
        return "面议"
    if lowest == highest:
        return f"{lowest}元/月"
    return f"{lowest}–{highest}元/月"


def init_app(app: Flask) -> None:
    """Register the assets and hand the helpers to the templates of `app`."""
    app.add_url_rule("/assets/<version>/<path:filename>", "asset_file", asset_file)
    app.jinja_env.globals.update(icon=icon, asset=asset, control=control, stylesheets=STYLESHEETS, today=clock.today)
    app.jinja_env.filters.update(day=day, day_of=day_of)
    app.jinja_env.globals["salary"] = salary
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
