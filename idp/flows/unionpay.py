"""银联实名认证 (P6): bank card, reserved mobile, SMS code; success lifts the person to 二级实名."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from idp import limits, web
from idp.errors import DomainError
from idp.flows import frame, journey, sms
from idp.flows.forms.persons import UnionPay
from idp.flows.sms import NOTHING_SENT, CodeRequest
from idp.gateways import Gateways
from idp.notify import sms_codes
from idp.notify.sms_codes import Asked
from idp.persons import records, unionpay_check
from idp.persons.errors import PersonDataRefused
from idp.persons.model import Person
from idp.rules.levels import RealNameLevel
from idp.rules.masking import mask_document, mask_name
from idp.rules.phones import check_phone
from idp.sessions import browser_sessions
from idp.web import Access, access

blueprint = Blueprint("unionpay", __name__)


@blueprint.route("/account/unionpay", methods=["GET", "POST"])
@access(Access.PERSON)
def page() -> ResponseReturnValue:
    """Show the form; send a code; check the card. With `?interaction=` the journey goes on afterwards."""
    journey.current()
    person = records.person(web.current().subject_id)
    if person.real_name_level >= RealNameLevel.TWO:
        return _onwards()
    form = UnionPay()
    if not form.is_submitted():
        return _page(form, person)
    if sms.wanted():
        return _send_code(form, person)
    return _submitted(form, person)


def _submitted(form: UnionPay, person: Person) -> ResponseReturnValue:
    if not form.validate():
        return _page(form, person), 400
    try:
        limits.registration()
        _verify(form, person.id)
    except PersonDataRefused as refused:
        for error in refused.errors:
            form.refuse(error)
        return _page(form, person), refused.status
    except DomainError as error:
        form.refuse(error)
        return _page(form, person), error.status
    frame.notify("success", _("实名认证成功，您已达到二级实名。"))
    return _with_new_secret(_onwards())


def _verify(form: UnionPay, person_id: str) -> None:
    card = unionpay_check.check_card(form.bank_card.data or "", form.phone.data or "")
    proof = sms_codes.check(Asked(unionpay_check.SMS_PURPOSE, card.phone, web.browser_id()), form.code.data or "")
    gateways: Gateways = current_app.extensions["jingban.gateways"]
    unionpay_check.verify(person_id, card, proof, gateways.unionpay)


def _send_code(form: UnionPay, person: Person) -> ResponseReturnValue:
    try:
        phone = check_phone(form.phone.data or "")
    except DomainError as error:
        form.refuse(error)
        return _page(form, person), error.status
    code = sms.send(form, Asked(unionpay_check.SMS_PURPOSE, phone, web.browser_id()))
    return _page(form, person, code), 200 if code.notice else 429


def _onwards() -> Response:
    """Return to the interaction, or to the levels."""
    belongs_to = journey.current()
    return redirect(belongs_to.resume_url if belongs_to else url_for("raise_level.page"), 303)


def _with_new_secret(response: Response) -> Response:
    """Renew the session's secret: its level changed (DESIGN 8)."""
    token = browser_sessions.renew(web.current().session_id)
    if token is not None:
        web.set_session_cookie(response, token)
    return response


def _page(form: UnionPay, person: Person, code: CodeRequest = NOTHING_SENT) -> str:
    return render_template(
        "account/unionpay.html",
        form=form,
        person={"name": mask_name(person.full_name), "document_number": mask_document(person.document_number)},
        code=code,
        back_url=url_for("raise_level.page", interaction=request.args.get("interaction")),
        **frame.of_person(person),
    )
