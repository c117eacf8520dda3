"""The browser that asks: its cookie, and who is signed in in it."""

import sqlite3

from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response as WerkzeugResponse

from relying_parties.shared import identities
from relying_parties.shared.identities import Identity


def cookie_name() -> str:
    """Return the name of our cookie; servers on other ports of this host share the jar, so it is ours alone."""
    return str(current_app.config["BROWSER_COOKIE"])


def browser() -> str | None:
    """Return the id of this browser's record if somebody is or was signed in."""
    if "browser" not in g:
        g.browser = identities.find_browser(request.cookies.get(cookie_name()))
    found: str | None = g.browser
    return found


def everyone() -> list[Identity]:
    """Return this browser's identities, ended ones too, the last used first."""
    if "identities" not in g:
        found = browser()
        g.identities = identities.of_browser(found) if found else []
    known: list[Identity] = g.identities
    return known


def living() -> list[Identity]:
    """Return the identities that can be used."""
    return [identity for identity in everyone() if identity.ended_at is None]


def set_cookie(response: WerkzeugResponse, token: str) -> None:
    """Hand the browser its record's secret."""
    response.set_cookie(
        cookie_name(),
        token,
        max_age=identities.ABSOLUTE_SECONDS,
        secure=current_app.config["HTTPS"],
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_cookie(response: WerkzeugResponse) -> None:
    """Take it away."""
    response.delete_cookie(cookie_name(), secure=current_app.config["HTTPS"], httponly=True, samesite="Lax", path="/")


def init_app(app: Flask) -> None:
    """Tell every template who is signed in."""
    app.context_processor(lambda: {"signed_in": _shown, "acting": g.get("identity")})


def _shown() -> list[Identity]:
    """Return the identities for the header; the page that reports a broken database must not need it."""
    try:
        return living()
    except sqlite3.Error:
        return []
