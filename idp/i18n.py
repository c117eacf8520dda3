"""The language of a page: `?ui_locales=` (OIDC Core §3.1.2.1), the cookie, Accept-Language, the setting, in this row.

Pages are written in zh-Hans; `idp/translations` holds zh-Hant and English. Days and hours are those of Beijing.
"""

from flask import Flask, Response, request
from flask_babel import Babel

from idp.settings import settings

LOCALES = ("zh_Hans", "zh_Hant", "en")
COOKIE = "jingban_locale"
COOKIE_SECONDS = 365 * 24 * 3600
TIMEZONE = "Asia/Shanghai"

_TRADITIONAL = {"hant", "tw", "hk", "mo"}


def match(tags: str) -> str | None:
    """Return the first of our locales that a space-separated list of BCP 47 tags names, or None."""
    return next((found for tag in tags.split() if (found := _match_one(tag))), None)


def _match_one(tag: str) -> str | None:
    language, *rest = tag.lower().replace("_", "-").split("-")
    if language == "en":
        return "en"
    if language != "zh":
        return None
    return "zh_Hant" if "hans" not in rest and _TRADITIONAL & set(rest) else "zh_Hans"


def locale() -> str:
    """Return the locale of this request."""
    asked = match(request.args.get("ui_locales", ""))
    kept = match(request.cookies.get(COOKIE, ""))
    return asked or kept or match(" ".join(request.accept_languages.values())) or settings().default_locale


def _remember(response: Response) -> Response:
    """Keep a choice that was made in the address, so that the pages after it follow."""
    asked = match(request.args.get("ui_locales", ""))
    if asked is not None and request.cookies.get(COOKIE) != asked:
        response.set_cookie(
            COOKIE, asked, max_age=COOKIE_SECONDS, secure=settings().https, httponly=True, samesite="Lax"
        )
    return response


def init_app(app: Flask) -> None:
    """Let the application speak the three languages."""
    app.config["BABEL_DEFAULT_TIMEZONE"] = TIMEZONE
    Babel(app, locale_selector=locale)
    app.after_request(_remember)
