"""Signing in with a password, as a person or as a unit's own account (P8, P9, U6, C1).

With `?interaction=` the form is shown even to whoever is signed in: the dispatcher leads here only when a sign-in is
needed (prompt=login, max_age), and gets the browser back afterwards.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext
from flask_wtf.csrf import generate_csrf

from idp import limits, web
from idp.clients.model import ActsFor
from idp.errors import DomainError
from idp.factors import webauthn_messages
from idp.factors.certificates import trust
from idp.flows import frame, journey, kept_page, signing_in, upstreams
from idp.flows.forms.base import Form
from idp.flows.forms.sign_in import PersonSignIn, UnitSignIn
from idp.flows.journey import Journey
from idp.look import html_lang
from idp.messages import sentence
from idp.sessions import sign_in
from idp.web import Access, access

blueprint = Blueprint("sign_in", __name__)

PERSON, UNIT = "person", "unit"
LONGEST_HINT = 100


@blueprint.route("/sign-in", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Show the form, or sign in and go on: to the portal, to the page that asked, or to the account."""
    belongs_to = journey.current()
    found = web.signed_in()
    if found is not None and request.method == "GET" and not signing_in.is_needed(belongs_to):
        return redirect(signing_in.onwards(found))
    tab = tab_of(belongs_to)
    if belongs_to is not None and _is_as_at_first(belongs_to):
        return _first_page(tab, belongs_to)
    form = _form(tab, belongs_to)
    if not form.is_submitted():
        return _page(form, tab, belongs_to)
    if not form.validate():
        return _page(form, tab, belongs_to), 400
    try:
        limits.sign_in()
        token = _sign_in(form, tab)
    except DomainError as error:
        form.refuse(error)
        return _page(form, tab, belongs_to, sentence(error)), error.status
    return signing_in.welcome(token, belongs_to, as_unit="as_unit" in form and bool(form.as_unit.data))


def _is_as_at_first(belongs_to: Journey) -> bool:
    """Whether the page is as every browser sees it that comes from this portal: nothing in it is this person's."""
    return (
        request.method == "GET"
        and request.query_string == f"interaction={belongs_to.interaction_id}".encode()
        and web.signed_in() is None
        and not belongs_to.asked.login_hint
        and not frame.is_notice_waiting()
    )


def _first_page(tab: str, belongs_to: Journey) -> str:
    """Return the page as it is first shown: it depends on the language and the portal."""
    key = ("sign_in", request.script_root, html_lang(), belongs_to.client.client_id, belongs_to.client.version)
    secrets = (generate_csrf(), belongs_to.interaction_id)
    return kept_page.kept(key, secrets, lambda: _page(_form(tab, belongs_to), tab, belongs_to))


def tab_of(belongs_to: Journey | None) -> str:
    """Return the tab of this request; a portal that takes no unit accounts has the person's alone."""
    if belongs_to is not None and not belongs_to.client.allows_unit_accounts:
        return PERSON
    return UNIT if request.args.get("tab") == UNIT else PERSON


def _form(tab: str, belongs_to: Journey | None) -> Form:
    form: Form = UnitSignIn() if tab == UNIT else PersonSignIn()
    if tab == PERSON and belongs_to is not None and belongs_to.client.acts_for == ActsFor.NEVER:
        del form.as_unit
    signing_in.tick(form)
    hint = belongs_to.asked.login_hint if belongs_to else None
    if hint and not form.is_submitted():
        form.username.data = hint[:LONGEST_HINT]
    return form


def _sign_in(form: Form, tab: str) -> str:
    by_password = sign_in.unit if tab == UNIT else sign_in.person
    return by_password(form.username.data, form.password.data, signing_in.browser())


def _page(form: Form, tab: str, belongs_to: Journey | None, wrong: str | None = None) -> str:
    methods = [*upstreams.tiles(tab), *_methods(tab)]
    if "as_unit" in form:
        methods = [each | {"as_unit_url": signing_in.ticked(each["url"])} for each in methods]
    return render_template(
        "sign_in/index.html",
        form=form,
        tab=tab,
        tabs=tabs("sign_in.page", tab, belongs_to),
        portal=belongs_to.client.client_name if belongs_to else None,
        alert={"kind": "error", "text": wrong} if wrong else frame.notice(),
        methods=methods,
        links={
            "recover_account": url_for("help.recover", _anchor="account"),
            "recover_password": url_for("help.recover", _anchor="password"),
            "register": url_for("register_unit.step1")
            if tab == UNIT
            else url_for("register_person.page", interaction=request.args.get("interaction")),
        },
    )


def _methods(tab: str) -> list[dict[str, str]]:
    """Return the ways to sign in without a password; a unit has neither phone nor passkey of its own (P7, P8, U6)."""
    here = signing_in.destination()
    scan = {"icon": "scan-qr-code", "label": _("扫码登录"), "url": url_for("sign_in_scan.begin", tab=tab, **here)}
    by_certificate = {
        "icon": "file-badge",
        "label": _("数字证书"),
        "url": url_for("sign_in_certificate.page", tab=tab, **here),
    }
    certificates = [by_certificate] if trust.is_offered() else []
    if tab == UNIT:
        return [scan, *certificates]
    found = [scan, {"icon": "smartphone", "label": _("短信验证码"), "url": url_for("sign_in_sms.page", **here)}]
    if webauthn_messages.is_possible():
        passkey = url_for("sign_in_passkey.page", **here)
        found.append({"icon": "fingerprint-pattern", "label": _("通行密钥"), "url": passkey})
    return found + certificates


def tabs(endpoint: str, tab: str, belongs_to: Journey | None) -> list[dict[str, object]]:
    """Return the tabs of a page of sign-in for persons and units; none where the portal takes no unit accounts."""
    if belongs_to is not None and not belongs_to.client.allows_unit_accounts:
        return []
    here = signing_in.destination()
    shown = ((PERSON, pgettext("tab", "个人登录"), "user"), (UNIT, pgettext("tab", "单位登录"), "building-2"))
    return [
        {"label": label, "icon": icon, "url": url_for(endpoint, tab=name, **here), "current": name == tab}
        for name, label, icon in shown
    ]
