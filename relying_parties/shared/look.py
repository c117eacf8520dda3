"""What templates need: icons, addresses of assets, accessible controls, and words for dates.

Styles, scripts and templates that portals share stand here; what a portal has under the same name comes first.
"""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, send_from_directory, url_for
from jinja2 import ChoiceLoader, FileSystemLoader
from lucide.jinja import lucide
from markupsafe import Markup
from wtforms import Field

from relying_parties.shared import clock

SHARED = Path(__file__).parent
STYLESHEETS = (
    "css/tokens.css",
    "css/base.css",
    "css/frame.css",
    "css/components.css",
    "css/forms.css",
)
YEAR = 365 * 24 * 3600  # seconds


@cache
def icon(name: str, size: int = 20) -> Markup:
    """Return the lucide icon `name` as inline SVG, `size` CSS pixels square, hidden from assistive technology."""
    hidden = {"class": "icon", "aria-hidden": "true", "focusable": "false"}
    return Markup(lucide(name, size=size, **hidden))  # noqa: S704 - made by ElementTree from our own names


def _folders() -> tuple[Path, ...]:
    """Return where static files are: the portal's own, then the shared ones."""
    found: tuple[Path, ...] = current_app.config["STATIC_FOLDERS"]
    return found


@cache
def _version(folders: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(filename: str) -> str:
    """Return the address of a static file. It changes with the files, so that browsers may keep them."""
    return url_for("asset_file", version=_version(_folders()), filename=filename)


def asset_file(version: str, filename: str) -> Response:
    """Serve a static file; an address of another version gets today's file, but must ask again."""
    current = version == _version(_folders())
    folder = next((each for each in _folders() if (each / filename).is_file()), SHARED / "static")
    response = send_from_directory(folder, filename, max_age=YEAR if current else 0)
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


def init_app(app: Flask, *own_styles: str) -> None:
    """Register the assets and hand the helpers to the templates of `app`; its `own_styles` follow the shared ones."""
    app.config["STATIC_FOLDERS"] = (Path(app.root_path) / "static", SHARED / "static")
    app.add_url_rule("/assets/<version>/<path:filename>", "asset_file", asset_file)
    own = FileSystemLoader(Path(app.root_path) / "templates")
    app.jinja_options = {"loader": ChoiceLoader([own, FileSystemLoader(SHARED / "templates")])}
    app.jinja_env.globals.update(
        icon=icon, asset=asset, control=control, stylesheets=(*STYLESHEETS, *own_styles), today=clock.today
    )
    app.jinja_env.filters.update(day=day, day_of=day_of)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
