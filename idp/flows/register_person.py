"""个人注册 (P1–P5): one page, with 「获取验证码」 as a button of its own."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup, escape

from idp import limits, web
from idp.errors import DomainError
from idp.flows import sms
from idp.flows.forms.persons import RegisterPerson
from idp.flows.sms import NOTHING_SENT, CodeRequest
from idp.messages import sentence
from idp.notify import sms_codes
from idp.notify.sms_codes import Asked
from idp.persons import registration
from idp.persons.errors import DocumentTaken, PersonDataRefused
from idp.rules.phones import check_phone
from idp.sessions import passwords
from idp.web import Access, access

blueprint = Blueprint("register_person", __name__)


@blueprint.route("/register/person", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Show the form; send a code; register."""
    form = RegisterPerson()
    if not form.is_submitted():
        return _page(form)
    if sms.wanted():
        return _send_code(form)
    if not form.validate():
        return _page(form), 400
    try:
        limits.registration()
        _register(form)
    except PersonDataRefused as refused:
        for error in refused.errors:
            form.refuse(error, _with_way_out(error))
        return _page(form), refused.status
    except DomainError as error:
        form.refuse(error)
        return _page(form), error.status
    return redirect(url_for("register_person.done", interaction=request.args.get("interaction")), 303)


@blueprint.get("/register/person/done")
@access(Access.ANYONE)
def done() -> ResponseReturnValue:
    """Say that it worked, and lead to sign-in, back into the interaction where there is one."""
    sign_in = url_for("sign_in.page", interaction=request.args.get("interaction"))
    return render_template("register_person/done.html", links={"sign_in": sign_in})


def _register(form: RegisterPerson) -> None:
    new = registration.check(form.typed(), passwords.policy())
    proof = sms_codes.check(Asked(registration.SMS_PURPOSE, new.phone, web.browser_id()), form.code.data or "")
    registration.register(new, passwords.hash_password(new.password), proof)


def _send_code(form: RegisterPerson) -> ResponseReturnValue:
    try:
        phone = check_phone(form.phone.data or "")
    except DomainError as error:
        form.refuse(error)
        return _page(form), error.status
    code = sms.send(form, Asked(registration.SMS_PURPOSE, phone, web.browser_id()))
    return _page(form, code), 200 if code.notice else 429


def _with_way_out(error: DomainError) -> str:
    """Return the sentence, for a document that is taken with the link to account recovery (P4)."""
    if not isinstance(error, DocumentTaken):
        return sentence(error)
    link = Markup(' <a href="{}">{}</a>').format(url_for("help.recover", _anchor="account"), _("账号找回"))
    return escape(sentence(error)) + link


def _page(form: RegisterPerson, code: CodeRequest = NOTHING_SENT) -> str:
    interaction = request.args.get("interaction")
    tabs = (
        (pgettext("tab", "个人注册"), url_for("register_person.page", interaction=interaction), "user", True),
        (pgettext("tab", "单位注册"), url_for("register_unit.step1"), "building-2", False),
    )
    return render_template(
        "register_person/index.html",
        form=form,
        tabs=[{"label": label, "url": url, "icon": icon, "current": current} for label, url, icon, current in tabs],
        code=code,
        wait=code.wait,
        links={
            "sign_in": url_for("sign_in.page", interaction=interaction),
            "recover_account": url_for("help.recover", _anchor="account"),
        },
    )
