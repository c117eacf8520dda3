"""The digital certificates of an account: persons add and remove theirs in 登录安全, units remove theirs."""

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
from idp.flows import frame, sign_in_certificate, withdrawn
from idp.flows.forms.base import Confirmation
from idp.flows.forms.certificates import CertificateAnswer
from idp.flows.security import led_back
from idp.persons import records
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


@blueprint.route("/account/security/certificates/<certificate_id>/remove", methods=["GET", "POST"])
@access(Access.SIGNED_IN)
@led_back
def remove(certificate_id: str) -> ResponseReturnValue:
    """Remove a certificate, after asking again."""
    who = web.current()
    freshness.demand(who)
    found = [each for each in accounts.of_account(who.subject_id) if each.id == certificate_id]
    if not found:
        raise FactorGone
    if Confirmation().validate_on_submit():
        accounts.remove(who, certificate_id)
        return withdrawn.done(who, _("数字证书已移除。"))
    return withdrawn.ask(
        who,
        certificate_id,
        title=_("移除数字证书"),
        question=_("确定移除“%(issuer)s”颁发的数字证书吗？", issuer=found[0].issuer),
        consequences=[
            _("不能再用它登录或验证身份，除非重新添加。"),
            _("证书或 USB Key 遗失时，请另向颁发机构申请吊销。"),
        ],
    )


def _new(form: CertificateAnswer, asked: Asked) -> str:
    return render_template(
        "account/certificate.html",
        form=form,
        back_url=url_for("security.page"),
        **doors.shown(form, asked),
        **frame.of_person(records.person(asked.owner_id)),
    )
