"""短信登录 (P8): the phone of an account, and a code that was sent to it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import limits, web
from idp.clients.model import ActsFor
from idp.errors import DomainError
from idp.factors import sms as sms_factor
from idp.flows import journey, signing_in, sms
from idp.flows.forms.factors import SmsSignIn
from idp.flows.journey import Journey
from idp.flows.sms import NOTHING_SENT, CodeRequest
from idp.notify.sms_codes import Asked
from idp.rules.phones import check_phone
from idp.web import Access, access

blueprint = Blueprint("sign_in_sms", __name__)


@blueprint.route("/sign-in/sms", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Show the form, send a code, or sign in and go on."""
    belongs_to = journey.current()
    found = web.signed_in()
    if found is not None and request.method == "GET" and not signing_in.is_needed(belongs_to):
        return redirect(signing_in.onwards(found))
    form = SmsSignIn()
    if belongs_to is not None and belongs_to.client.acts_for == ActsFor.NEVER:
        del form.as_unit
    signing_in.tick(form)
    if not form.is_submitted():
        return _page(form, belongs_to)
    if not sms.wanted() and not form.validate():
        return _page(form, belongs_to), 400
    try:
        asked = Asked(sms_factor.SIGN_IN, check_phone(form.phone.data or ""), web.browser_id())
        if sms.wanted():
            return _send_code(form, belongs_to, asked)
        limits.sign_in()
        token = sms_factor.sign_in_by_code(asked, form.code.data or "", signing_in.browser())
    except DomainError as error:
        form.refuse(error)
        return _page(form, belongs_to), error.status
    return signing_in.welcome(token, belongs_to, as_unit="as_unit" in form and bool(form.as_unit.data))


def _send_code(form: SmsSignIn, belongs_to: Journey | None, asked: Asked) -> ResponseReturnValue:
    code = sms.send(form, asked)
    return _page(form, belongs_to, code), 200 if code.notice else 429


def _page(form: SmsSignIn, belongs_to: Journey | None, code: CodeRequest = NOTHING_SENT) -> str:
    return render_template(
        "sign_in/sms.html",
        form=form,
        portal=belongs_to.client.client_name if belongs_to else None,
        code=code,
        back_url=url_for("sign_in.page", **signing_in.destination()),
    )
