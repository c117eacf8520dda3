"""登录安全: the ways to prove who one is; adding an authenticator app or a passkey, and removing them.

Whoever signed in too long ago, or with one factor alone, is led to sign in or to 验证身份 first, and back.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from idp import limits, web
from idp.factors import freshness, passkeys, password, recovery_codes, totp, ways, webauthn_messages
from idp.factors.certificates import trust
from idp.factors.errors import (
    ConfirmationWrong,
    FactorGone,
    FreshLoginNeeded,
    PasskeyKnown,
    PasskeyRefused,
    PasswordThere,
    SecondFactorNeeded,
)
from idp.factors.passkeys import LONGEST_NAME, Owned
from idp.flows import certificate_doors, frame, qr, upstreams
from idp.flows.devices import name_of
from idp.flows.forms.base import Confirmation
from idp.flows.forms.factors import AppCode, FirstPassword, NewPasskey
from idp.limits import TooOften
from idp.messages import sentence
from idp.persons import records
from idp.persons.errors import PersonDataRefused
from idp.rules.masking import mask_phone
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import db
from idp.web import Access, access

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint("security", __name__)

GROUP = 4  # letters of a secret that are typed in one go


def led_back(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Let whoever is not signed in freshly or strongly enough be so first, and then come back to this page."""

    @wraps(view)
    def leading(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        try:
            return view(*args, **kwargs)
        except FreshLoginNeeded:
            tab = None if web.current().is_person else "unit"
            return redirect(url_for("sign_in.page", next=request.path, again=1, tab=tab), 303)
        except SecondFactorNeeded:
            return redirect(url_for("step_up.page", next=request.path), 303)

    return leading


@blueprint.get("/account/security")
@access(Access.PERSON)
def page() -> ResponseReturnValue:
    """Show what there is."""
    person = records.person(web.current().subject_id)
    session = db.session()
    app = totp.enrolled(session, person.id)
    return render_template(
        "account/security.html",
        login_name=person.login_name,
        has_password=person.password_hash is not None,
        phone=mask_phone(person.phone),
        totp={"added": _day(app.created_at)} if app else None,
        codes_left=ways.recovery_codes_left(session, person.id),
        passkeys=[_shown(each) for each in passkeys.of(session, person.id)],
        passkeys_possible=webauthn_messages.is_possible(),
        certificates=certificate_doors.owned(person.id),
        upstreams=upstreams.linked(person.id),
        links={
            "set_password": url_for("security.set_password"),
            "add_totp": url_for("security.add_totp"),
            "remove_totp": url_for("security.remove_totp"),
            "renew_codes": url_for("security.renew_codes"),
            "add_passkey": url_for("security.add_passkey"),
            "add_certificate": url_for("certificates.add") if trust.is_offered() else None,
        },
        **frame.of_person(person),
    )


@blueprint.route("/account/security/password", methods=["GET", "POST"])
@access(Access.PERSON)
@led_back
def set_password() -> ResponseReturnValue:
    """Set login name and password, where an upstream made the account and there is no password yet (P2, P3)."""
    who, form = web.current(), FirstPassword()
    if records.person(who.subject_id).password_hash is not None:
        return _said("info", sentence(PasswordThere()))
    if not _may_set_password(who):
        return _said("warning", _("请改用其他登录方式（如省统一身份认证）登录后，再设置密码。"))
    if not form.is_submitted():
        form.username.data = who.login_name
        return _first_password(form)
    if not form.validate():
        return _first_password(form), 400
    try:
        limits.registration()  # which names are taken is not to be found out faster here
        password.set_first(who, (form.username.data or "").strip(), form.password.data or "")
    except (PersonDataRefused, TooOften) as refused:
        for error in refused.errors if isinstance(refused, PersonDataRefused) else (refused,):
            form.refuse(error)
        return _first_password(form), refused.status
    return _changed(_("用户名和密码已设置，下次可用它们登录。"))


@blueprint.route("/account/security/totp", methods=["GET", "POST"])
@access(Access.PERSON)
@led_back
def add_totp() -> ResponseReturnValue:
    """Show a new secret; take the first code of the app that holds it; show the recovery codes, once."""
    who, form = web.current(), AppCode()
    draft = request.args.get("draft")
    if draft is None:
        return redirect(url_for("security.add_totp", draft=totp.begin(who, web.browser_id())), 303)
    if not form.validate_on_submit():
        return _secret(form, draft), 400 if form.is_submitted() else 200
    try:
        codes = totp.enrol(who, web.browser_id(), draft, form.code.data or "")
    except ConfirmationWrong as error:
        form.refuse(error)
        return _secret(form, draft), error.status
    return _codes(codes, _("身份验证器已添加"))


@blueprint.route("/account/security/totp/remove", methods=["GET", "POST"])
@access(Access.PERSON)
@led_back
def remove_totp() -> ResponseReturnValue:
    """Remove the authenticator app, after asking again."""
    who = web.current()
    freshness.demand(who)
    if Confirmation().validate_on_submit():
        totp.remove(who)
        return _changed(_("身份验证器已移除。"))
    return _confirm(
        _("移除身份验证器"),
        _("确定移除身份验证器吗？"),
        [_("应用中的动态验证码和剩余的备用码立即失效。"), _("需要进一步验证身份时，可改用短信验证码等其他方式。")],
    )


@blueprint.route("/account/security/recovery-codes", methods=["GET", "POST"])
@access(Access.PERSON)
@led_back
def renew_codes() -> ResponseReturnValue:
    """Make new recovery codes, after asking again, and show them, once."""
    who = web.current()
    freshness.demand_for_enrolment(who)
    if Confirmation().validate_on_submit():
        return _codes(recovery_codes.renew(who), _("备用码已重新生成"))
    return _confirm(
        _("重新生成备用码"),
        _("确定重新生成备用码吗？"),
        [_("原有的备用码立即失效。"), _("新的备用码只显示一次，请妥善保存。")],
    )


@blueprint.route("/account/security/passkeys/new", methods=["GET", "POST"])
@access(Access.PERSON)
@led_back
def add_passkey() -> ResponseReturnValue:
    """Let the browser make a passkey, and take it."""
    if not webauthn_messages.is_possible():
        raise FactorGone
    who, form = web.current(), NewPasskey()
    if not form.is_submitted():
        form.name.data = name_of(request.user_agent.string)[:LONGEST_NAME]
        return _new_passkey(form)
    if not form.validate():
        return _new_passkey(form), 400
    try:
        passkeys.enrol(who, web.browser_id(), form.credential.data or "", form.name.data or "")
    except (PasskeyRefused, PasskeyKnown) as error:
        form.refuse(error)
        return _new_passkey(form), error.status
    return _changed(_("通行密钥已添加，下次可用它直接登录。"))


@blueprint.route("/account/security/passkeys/<passkey_id>/remove", methods=["GET", "POST"])
@access(Access.PERSON)
@led_back
def remove_passkey(passkey_id: str) -> ResponseReturnValue:
    """Remove a passkey, after asking again."""
    who = web.current()
    freshness.demand(who)
    found = [each for each in passkeys.of(db.session(), who.subject_id) if each.id == passkey_id]
    if not found:
        raise FactorGone
    if Confirmation().validate_on_submit():
        passkeys.remove(who, passkey_id)
        return _changed(_("通行密钥已移除。"))
    return _confirm(
        _("移除通行密钥"),
        _("确定移除通行密钥“%(name)s”吗？", name=found[0].name),
        [_("不能再用它登录或验证身份。"), _("设备或密码管理器中保存的通行密钥，请在那里自行删除。")],
    )


def _changed(said: str) -> ResponseReturnValue:
    return _said("success", said)


def _said(kind: str, said: str) -> ResponseReturnValue:
    frame.notify(kind, said)
    return redirect(url_for("security.page"), 303)


def _may_set_password(who: SignedIn) -> bool:
    """Whether the sign-in is strong enough for it, or can be made so by a way that the person has.

    Raises FreshLoginNeeded, SecondFactorNeeded.
    """
    try:
        freshness.demand_for_password(who)
    except SecondFactorNeeded:
        if ways.that_strengthen(db.session(), who):
            raise
        return False
    return True


def _first_password(form: FirstPassword) -> str:
    return render_template("account/password.html", form=form, back_url=url_for("security.page"), **_frame())


def _confirm(title: str, question: str, consequences: list[str]) -> str:
    return frame.confirmation(
        title=title,
        nav_id="security",
        question=question,
        consequences=consequences,
        back_url=url_for("security.page"),
        around=_frame(),
    )


def _secret(form: AppCode, draft: str) -> str:
    """Show a waiting secret as a QR code and as text."""
    who = web.current()
    secret = totp.waiting_secret(who, web.browser_id(), draft)
    uri = totp.provisioning_uri(secret, account=who.login_name, issuer=_("统一身份认证平台"))
    return render_template(
        "account/totp.html",
        form=form,
        picture=qr.picture(uri),
        uri=uri,
        secret=" ".join(secret[start : start + GROUP] for start in range(0, len(secret), GROUP)),
        back_url=url_for("security.page"),
        **_frame(),
    )


def _codes(codes: list[str], title: str) -> str:
    """Show recovery codes, this once; the file to keep them in is part of the page, so that nothing is stored."""
    lines = [_("统一身份认证平台备用码"), web.current().login_name, "", *codes, "", _("每个备用码只能使用一次。")]
    return render_template(
        "account/recovery_codes.html",
        title_text=title,
        codes=codes,
        file="data:text/plain;charset=utf-8," + quote("\r\n".join(lines)),
        done_url=url_for("security.page"),
        **_frame(),
    )


def _new_passkey(form: NewPasskey) -> str:
    form.credential.data = ""  # an answer is never sent twice
    options = passkeys.begin_enrolment(web.current(), web.browser_id(), site=_("统一身份认证平台"))
    return render_template(
        "account/passkey.html", form=form, options=options, back_url=url_for("security.page"), **_frame()
    )


def _shown(passkey: Owned) -> dict[str, str]:
    return {
        "id": passkey.id,
        "name": passkey.name,
        "added": _day(passkey.created_at),
        "used": format_datetime(passkey.used_at, "yyyy-MM-dd HH:mm") if passkey.used_at else "",
        "remove_url": url_for("security.remove_passkey", passkey_id=passkey.id),
    }


def _day(moment: datetime) -> str:
    return str(format_date(moment, "yyyy-MM-dd"))


def _frame() -> dict[str, Any]:
    return frame.of_person(records.person(web.current().subject_id))
