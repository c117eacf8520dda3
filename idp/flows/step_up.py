"""验证身份: a further factor in the living session (F6), and back: into the interaction, or to the page that asked.

`?interaction=` names the authorization request that needs it, `?next=` a page of ours.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import limits, web
from idp.errors import DomainError
from idp.factors import passkeys, recovery_codes, totp, ways
from idp.factors import sms as sms_factor
from idp.factors.certificates import accounts, challenges
from idp.factors.errors import FactorGone
from idp.factors.ways import Way
from idp.flows import certificate_doors as doors
from idp.flows import journey, sms
from idp.flows.forms.base import Form
from idp.flows.forms.certificates import CertificateAnswer
from idp.flows.forms.factors import AppCode, OneRecoveryCode, PasskeyAnswer, Password, SmsCode
from idp.flows.local_path import local_path
from idp.flows.sms import NOTHING_SENT, CodeRequest
from idp.notify.sms_codes import Asked
from idp.persons import records
from idp.rules.levels import Acr
from idp.rules.masking import mask_phone
from idp.sessions import sign_in
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("step_up", __name__)


@blueprint.get("/step-up")
@access(Access.PERSON)
def page() -> ResponseReturnValue:
    """Offer the ways that make this session one of two kinds of factor; go on if it is one already."""
    if ways.ceiling(web.current()) >= Acr.L2:
        return redirect(_onwards())
    found = ways.that_strengthen(db.session(), web.current())
    return render_template("step_up/index.html", ways=shown(found), back_url=url_for("security.page"))


@blueprint.route("/step-up/sms", methods=["GET", "POST"])
@access(Access.PERSON)
def by_sms() -> ResponseReturnValue:
    """Send a code to the phone on record; take it."""
    who, form = _for(Way.SMS), SmsCode()
    phone = records.person(who.subject_id).phone
    asked = Asked(sms_factor.STEP_UP, phone, web.browser_id())

    def show(code: CodeRequest = NOTHING_SENT) -> str:
        return _page("step_up/sms.html", form, Way.SMS, code=code, phone=mask_phone(phone))

    if sms.wanted():
        code = sms.send(form, asked)
        return show(code), 200 if code.notice else 429
    return _answer(form, lambda: sms_factor.step_up(who, asked, form.code.data or ""), show)


@blueprint.route("/step-up/totp", methods=["GET", "POST"])
@access(Access.PERSON)
def by_totp() -> ResponseReturnValue:
    """Take a code of the authenticator app."""
    who, form = _for(Way.TOTP), AppCode()
    return _answer(
        form,
        lambda: totp.step_up(who, form.code.data or ""),
        lambda: _page("step_up/totp.html", form, Way.TOTP),
    )


@blueprint.route("/step-up/recovery-code", methods=["GET", "POST"])
@access(Access.PERSON)
def by_recovery_code() -> ResponseReturnValue:
    """Take a recovery code, which is then used up."""
    who, form = _for(Way.RECOVERY_CODE), OneRecoveryCode()
    return _answer(
        form,
        lambda: recovery_codes.step_up(who, form.code.data or ""),
        lambda: _page("step_up/recovery_code.html", form, Way.RECOVERY_CODE),
    )


@blueprint.route("/step-up/password", methods=["GET", "POST"])
@access(Access.PERSON)
def by_password() -> ResponseReturnValue:
    """Take the password, of whoever signed in without it."""
    who, form = _for(Way.PASSWORD), Password()
    return _answer(
        form,
        lambda: sign_in.add_password(who, form.password.data or ""),
        lambda: _page("step_up/password.html", form, Way.PASSWORD),
    )


@blueprint.route("/step-up/passkey", methods=["GET", "POST"])
@access(Access.PERSON)
def by_passkey() -> ResponseReturnValue:
    """Take what one of the person's passkeys answered."""
    who, form = _for(Way.PASSKEY), PasskeyAnswer()

    def show() -> str:
        form.credential.data = ""  # an answer is never sent twice
        options = passkeys.begin_step_up(who, web.browser_id())
        return _page("step_up/passkey.html", form, Way.PASSKEY, options=options)

    return _answer(form, lambda: passkeys.step_up(who, web.browser_id(), form.credential.data or ""), show)


@blueprint.route("/step-up/certificate", methods=["GET", "POST"])
@access(Access.PERSON)
def by_certificate() -> ResponseReturnValue:
    """Take what was signed with one of the person's certificates, or lead to where it is presented."""
    who, form, belongs_to = _for(Way.CERTIFICATE), CertificateAnswer(), journey.current()
    asked = challenges.Asked(
        challenges.Purpose.STEP_UP,
        web.browser_id(),
        owner_id=who.subject_id,
        interaction_id=belongs_to.interaction_id if belongs_to else challenges.NO_INTERACTION,
        next_path=local_path(request.args.get("next")),
    )
    if doors.wants_to_present() and form.validate_on_submit():
        limits.sign_in()
        return doors.lead_out(asked)
    return _answer(
        form,
        lambda: accounts.step_up(who, doors.signed(form, asked)),
        lambda: _page("step_up/certificate.html", form, Way.CERTIFICATE, **doors.shown(form, asked)),
    )


def shown(found: list[Way]) -> list[dict[str, str]]:
    """Return the ways as buttons that lead on from here: [{label, icon, url}]."""
    labels = {
        Way.PASSKEY: (_("通行密钥"), "fingerprint-pattern", "step_up.by_passkey"),
        Way.CERTIFICATE: (_("数字证书"), "file-badge", "step_up.by_certificate"),
        Way.TOTP: (_("身份验证器动态码"), "shield-check", "step_up.by_totp"),
        Way.SMS: (_("短信验证码"), "smartphone", "step_up.by_sms"),
        Way.PASSWORD: (_("登录密码"), "lock-keyhole", "step_up.by_password"),
        Way.RECOVERY_CODE: (_("备用码"), "key-round", "step_up.by_recovery_code"),
    }
    here = _here()
    return [
        {"label": label, "icon": icon, "url": url_for(endpoint, **here)}
        for label, icon, endpoint in (labels[way] for way in found)
    ]


def _here() -> dict[str, Any]:
    return {name: request.args.get(name) for name in ("interaction", "next")}


def _for(way: Way) -> SignedIn:
    """Return who is signed in, and has this way. Raises FactorGone."""
    who = web.current()
    if way not in ways.of(db.session(), records.person(who.subject_id)):
        raise FactorGone
    return who


def _answer(form: Form, use: Callable[[], str], show: Callable[[], str]) -> ResponseReturnValue:
    """Show the form, or take what was sent and go on with the session's new secret."""
    journey.current()
    if not form.is_submitted():
        return show()
    if not form.validate():
        return show(), 400
    try:
        limits.sign_in()
        token = use()
    except DomainError as error:
        form.refuse(error)
        return show(), error.status
    response = redirect(_onwards(), 303)
    web.set_session_cookie(response, token)
    return response


def _onwards() -> str:
    """Return where this leads: back into the interaction, or to the page that asked."""
    belongs_to = journey.current()
    if belongs_to is not None:
        return belongs_to.resume_url
    return local_path(request.args.get("next")) or url_for("security.page")


def _page(template: str, form: Form, way: Way, **context: object) -> str:
    """Show one way, with the person's others below it."""
    belongs_to = journey.current()
    others = [other for other in ways.that_strengthen(db.session(), web.current()) if other is not way]
    return render_template(
        template,
        form=form,
        portal=belongs_to.client.client_name if belongs_to else None,
        others=shown(others),
        back_url=url_for("raise_level.page", interaction=belongs_to.interaction_id)
        if belongs_to
        else url_for("security.page"),
        **context,
    )
