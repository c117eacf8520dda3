"""通行密钥登录 (P8): the browser offers the passkeys it has, and the one that is chosen says whose account it is."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import limits, web
from idp.clients.model import ActsFor
from idp.errors import DomainError
from idp.factors import passkeys, webauthn_messages
from idp.factors.errors import FactorGone
from idp.flows import journey, signing_in
from idp.flows.forms.factors import PasskeySignIn
from idp.flows.journey import Journey
from idp.web import Access, access

blueprint = Blueprint("sign_in_passkey", __name__)


@blueprint.route("/sign-in/passkey", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Show the button, or sign in with what the passkey answered and go on."""
    if not webauthn_messages.is_possible():
        raise FactorGone
    belongs_to = journey.current()
    found = web.signed_in()
    if found is not None and request.method == "GET" and not signing_in.is_needed(belongs_to):
        return redirect(signing_in.onwards(found))
    form = PasskeySignIn()
    if belongs_to is not None and belongs_to.client.acts_for == ActsFor.NEVER:
        del form.as_unit
    signing_in.tick(form)
    if not form.is_submitted():
        limits.authorize()
        return _page(form, belongs_to)
    if not form.validate():
        return _page(form, belongs_to), 400
    try:
        limits.sign_in()
        token = passkeys.sign_in_by_passkey(web.browser_id(), form.credential.data or "", signing_in.browser())
    except DomainError as error:
        form.refuse(error)
        return _page(form, belongs_to), error.status
    return signing_in.welcome(token, belongs_to, as_unit="as_unit" in form and bool(form.as_unit.data))


def _page(form: PasskeySignIn, belongs_to: Journey | None) -> str:
    form.credential.data = ""  # an answer is never sent twice
    return render_template(
        "sign_in/passkey.html",
        form=form,
        portal=belongs_to.client.client_name if belongs_to else None,
        options=passkeys.begin_sign_in(web.browser_id()),
        password_url=url_for("sign_in.page", **signing_in.destination()),
        sms_url=url_for("sign_in_sms.page", **signing_in.destination()),
    )
