"""The front door: whoever is signed in goes to their account, everybody else to sign in."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from idp import web
from idp.web import Access, access

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Send the browser where it belongs."""
    found = web.signed_in()
    if found is None:
        return redirect(url_for("sign_in.page"))
    return redirect(url_for("account.page" if found.is_person else "unit_account.page"))
