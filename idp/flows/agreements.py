"""应用授权: what portals may have, and taking it back (随时撤回)."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from idp import web
from idp.clients import login_initiation
from idp.errors import NotFound
from idp.flows import frame, unit_frame
from idp.flows.scope_words import in_words
from idp.messages import sentence
from idp.sessions import agreements
from idp.sessions.agreements import Agreement
from idp.settings import settings
from idp.store.db import db
from idp.units import records as units
from idp.web import Access, access

blueprint = Blueprint("agreements", __name__)


@blueprint.get("/account/agreements")
@access(Access.SIGNED_IN)
def page() -> ResponseReturnValue:
    """List the agreements of whoever is signed in."""
    who = web.current()
    found = [_line(each) for each in agreements.of(db.session(), who.subject_id)]
    return render_template("account/agreements.html", agreements=found, **unit_frame.of_either(who))


@blueprint.post("/account/agreements/<int:agreement_id>/withdraw")
@access(Access.SIGNED_IN)
def withdraw(agreement_id: int) -> ResponseReturnValue:
    """Take one back. Whoever regrets it is asked again at the portal's next sign-in."""
    try:
        agreements.withdraw(web.current().subject_id, agreement_id)
    except NotFound as error:
        frame.notify("error", sentence(error))
    else:
        frame.notify("success", _("授权已撤回，该应用已退出登录。"))
    return redirect(url_for("agreements.page"), 303)


def _begin(agreement: Agreement) -> str | None:
    """Return where one begins at the portal (OpenID Connect Core §4); None where it says no such place.

    The portal learns the login name only if it may have it anyway: the hint goes out before anybody agrees to more.
    """
    if agreement.initiate_login_uri is None:
        return None
    login_hint = web.current().login_name if "profile" in agreement.scopes else None
    return login_initiation.address(
        agreement.initiate_login_uri, settings().issuer, login_hint=login_hint, target=agreement.client_uri
    )


def _line(agreement: Agreement) -> dict[str, Any]:
    return {
        "portal": agreement.client_name,
        "unit": units.unit(agreement.unit_id).full_name if agreement.unit_id else None,
        "scopes": [each.label for each in in_words(db.session(), agreement.scopes)],
        "given_on": format_date(agreement.given_at, "yyyy-MM-dd"),
        "begin_url": _begin(agreement),
        "withdraw_url": url_for("agreements.withdraw", agreement_id=agreement.id),
    }
