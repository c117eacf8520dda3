"""The front page: what can be done here."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from relying_parties.service_hall.businesses import BUSINESSES
from relying_parties.shared import browsers

pages = Blueprint("public", __name__)


@pages.get("/")
def home() -> ResponseReturnValue:
    """Show the businesses."""
    return render_template("home.html", businesses=BUSINESSES.values())


@pages.get("/start/<slug>")
def start(slug: str) -> ResponseReturnValue:
    """Go to a business of the unit that was used last, or to where one signs in."""
    unit = next((each.unit for each in browsers.living() if each.unit is not None), None)
    if slug not in BUSINESSES or unit is None:
        return redirect(url_for("login.choose"))
    return redirect(url_for("hall.business", unit_id=unit.id, slug=slug))
