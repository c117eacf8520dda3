"""The digital certificates of an account: persons add and remove theirs in 登录安全, units see and remove theirs."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import limits, web
from idp.errors import DomainError
from idp.factors import freshness
from idp.factors.certificates import accounts
from idp.factors.certificates.challenges import Asked, Purpose
from idp.factors.errors import FactorGone
from idp.flows import certificate_doors as doors
from idp.flows import frame, sign_in_certificate, unit_frame
from idp.flows.forms.base import Confirmation
from idp.flows.forms.certificates import CertificateAnswer
from idp.flows.security import led_back
from idp.persons import records
from idp.units import records as units
from idp.web import Access, access

blueprint = Blueprint("certificates", __name__)


@blueprint.route("/account/security/certificates/new", methods=["GET", "POST"])
@access(Access.PERSON)
@led_back
def add() -> ResponseReturnValue:
    """Take a certificate of the person's who is signed in."""
    doors.demand_offered()
    who = web.current()
    freshness.demand_for_enrolment(who)
    form, asked = CertificateAnswer(), Asked(Purpose.ENROL, web.browser_id(), owner_id=who.subject_id)
    if not form.is_submitted():
        return _new(form, asked)
    if not form.validate():
        return _new(form, asked), 400
    try:
        limits.sign_in()
        if doors.wants_to_present():
            return doors.lead_out(asked)
        accounts.enrol(who, doors.signed(form, asked))
    except DomainError as error:
        if not doors.is_at_the_form(error):
            return sign_in_certificate.refused(error, asked)
        form.refuse(error)
        return _new(form, asked), error.status
    frame.notify("success", _("数字证书已添加，下次可用它直接登录。"))
    return redirect(url_for("security.page"), 303)


@blueprint.get("/unit/certificates")
@access(Access.UNIT)
def of_unit() -> ResponseReturnValue:
    """Show the certificates of a unit. Its next sign-in by another one adds that."""
    return render_template(
        "unit_account/certificates.html", certificates=doors.owned(web.current().subject_id), **_frame_of_unit()
    )


@blueprint.route("/account/security/certificates/<certificate_id>/remove", methods=["GET", "POST"])
@access(Access.SIGNED_IN)
@led_back
def remove(certificate_id: str) -> ResponseReturnValue:
    """Remove a certificate, after asking again."""
    who = web.current()
    freshness.demand(who)
    back = url_for("security.page" if who.is_person else "certificates.of_unit")
    found = [each for each in accounts.of_account(who.subject_id) if each.id == certificate_id]
    if not found:
        raise FactorGone
    if Confirmation().validate_on_submit():
        accounts.remove(who, certificate_id)
        frame.notify("success", _("数字证书已移除。"))
        return redirect(back, 303)
    return render_template(
        "account/confirm.html",
        form=Confirmation(),
        title_text=_("移除数字证书"),
        nav_id="security" if who.is_person else "certificates",
        question=_("确定移除“%(issuer)s”颁发的数字证书吗？", issuer=found[0].issuer),
        consequences=[
            _("不能再用它登录或验证身份，除非重新添加。"),
            _("证书或 USB Key 遗失时，请另向颁发机构申请吊销。"),
        ],
        button=_("移除数字证书"),
        back_url=back,
        **(frame.of_person(records.person(who.subject_id)) if who.is_person else _frame_of_unit()),
    )


def _new(form: CertificateAnswer, asked: Asked) -> str:
    return render_template(
        "account/certificate.html",
        form=form,
        back_url=url_for("security.page"),
        **doors.shown(form, asked),
        **frame.of_person(records.person(asked.owner_id)),
    )


def _frame_of_unit() -> dict[str, Any]:
    return unit_frame.of_unit(units.unit(web.current().subject_id))
