"""Signing out of this browser, after a question: every portal under this session is signed out too."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import signed_out, web
from idp.flows.forms.base import Confirmation
from idp.sessions import devices, frontchannel_logout
from idp.web import Access, access

blueprint = Blueprint("sign_out", __name__)


@blueprint.route("/sign-out", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Ask (GET), then end the session (POST)."""
    found = web.signed_in()
    if found is None:
        return redirect(url_for("sign_in.page"))
    form = Confirmation()
    if not form.validate_on_submit() or request.form.get("logout") != "yes":
        return render_template(
            "sign_out/confirm.html",
            form=form,
            person={"name": found.login_name},
            portals=devices.portals(found.session_id),
            back_url=url_for("home.page"),
        )
    frames = frontchannel_logout.addresses(found.session_id)
    devices.sign_out(found.session_id)
    response = signed_out.page(frames=frames)
    web.drop_session_cookie(response)
    return response
