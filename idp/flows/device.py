"""在设备上登录: a device without a keyboard shows a code; here it is entered, and the person signs in for it.

From there on it is an interaction like any other (RFC 8628 §3.3): sign in, choose for whom, look at what asks, agree.
It ends on a page of ours, for the device fetches its tokens itself.
"""

from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import limits, web
from idp.errors import DomainError
from idp.features import Feature
from idp.flows.forms.device import EnterCode
from idp.sessions import device_codes, interactions
from idp.settings import settings
from idp.web import Access, access

blueprint = Blueprint("device", __name__)

LONGEST_CODE = 20


@blueprint.before_request
def _only_where_on() -> None:
    if not settings().is_on(Feature.DEVICE):
        abort(HTTPStatus.NOT_FOUND)


@blueprint.route("/device", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Ask for the code, filled in where the address brings it (§3.3.1); sent it is by the person alone."""
    form = EnterCode()
    if not form.is_submitted():
        form.user_code.data = request.args.get("user_code", "")[:LONGEST_CODE]
        return render_template("device/index.html", form=form)
    if not form.validate():
        return render_template("device/index.html", form=form), HTTPStatus.BAD_REQUEST
    try:
        limits.authorize()
        waiting = device_codes.enter(form.user_code.data or "", request.remote_addr or "")
    except DomainError as error:
        form.refuse(error)
        return render_template("device/index.html", form=form), error.status
    who = web.signed_in()
    begun = interactions.begin(waiting.request, web.browser_id(), who.session_id if who else None)
    return redirect(url_for("oidc.resume", interaction_id=begun), HTTPStatus.SEE_OTHER)


@blueprint.get("/device/done")
@access(Access.ANYONE)
def done() -> ResponseReturnValue:
    """Say that the device is signed in."""
    return render_template("device/done.html")


@blueprint.get("/device/refused")
@access(Access.ANYONE)
def refused() -> ResponseReturnValue:
    """Say that the device is not signed in."""
    return render_template("device/refused.html")
