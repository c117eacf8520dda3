"""Signing in with a password, as a person or as a unit's own account (P8, P9, U6, C1).

With `?interaction=` the form is shown even to whoever is signed in: the dispatcher leads here only when a sign-in is
needed (prompt=login, max_age), and gets the browser back afterwards.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import pgettext

from idp import limits, web
from idp.clients.model import ActsFor
from idp.errors import DomainError
from idp.flows import journey
from idp.flows.forms.base import Form
from idp.flows.forms.sign_in import PersonSignIn, UnitSignIn
from idp.flows.journey import Journey
from idp.flows.local_path import local_path
from idp.messages import sentence
from idp.sessions import browser_sessions, interactions, sign_in
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.sign_in import Browser
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
    if belongs_to is None and found is not None and request.method == "GET":
        return redirect(_onwards(found))
    tab = _tab(belongs_to)
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
    return _welcome(token, belongs_to, as_unit="as_unit" in form and bool(form.as_unit.data))


def _tab(belongs_to: Journey | None) -> str:
    """Return the tab of this request; a portal that takes no unit accounts has the person's alone."""
    if belongs_to is not None and not belongs_to.client.allows_unit_accounts:
        return PERSON
    return UNIT if request.args.get("tab") == UNIT else PERSON


def _form(tab: str, belongs_to: Journey | None) -> Form:
    form: Form = UnitSignIn() if tab == UNIT else PersonSignIn()
    if tab == PERSON and belongs_to is not None and belongs_to.client.acts_for == ActsFor.NEVER:
        del form.as_unit
    hint = belongs_to.asked.login_hint if belongs_to else None
    if hint and not form.is_submitted():
        form.username.data = hint[:LONGEST_HINT]
    return form


def _sign_in(form: Form, tab: str) -> str:
    found = web.signed_in()
    browser = Browser(
        address=request.remote_addr or "",
        user_agent=request.user_agent.string,
        replaces=found.session_id if found else None,
    )
    by_password = sign_in.unit if tab == UNIT else sign_in.person
    return by_password(form.username.data, form.password.data, browser)


def _welcome(token: str, belongs_to: Journey | None, *, as_unit: bool) -> ResponseReturnValue:
    """Hand the browser its new session and send it on (303: what was posted is not posted again)."""
    fresh = browser_sessions.find(token)
    if fresh is None:
        # Locked by an administrator between two statements: the next page asks to sign in again.
        return redirect(url_for("sign_in.page"), 303)
    if belongs_to is not None:
        interactions.signed_in(belongs_to.interaction_id, fresh.session_id, as_unit=as_unit)
        target = belongs_to.resume_url
    elif as_unit:
        target = url_for("parent_accounts.page")
    else:
        target = _onwards(fresh)
    response = redirect(target, 303)
    web.set_session_cookie(response, token)
    return response


def _onwards(found: SignedIn) -> str:
    """Return the page that asked for the sign-in, else the account."""
    return local_path(request.args.get("next")) or url_for("account.page" if found.is_person else "unit_account.page")


def _page(form: Form, tab: str, belongs_to: Journey | None, wrong: str | None = None) -> str:
    return render_template(
        "sign_in/index.html",
        form=form,
        tab=tab,
        tabs=_tabs(tab, belongs_to),
        portal=belongs_to.client.client_name if belongs_to else None,
        alert={"kind": "error", "text": wrong} if wrong else None,
        methods=[],
        links={
            "recover_account": url_for("help.recover", _anchor="account"),
            "recover_password": url_for("help.recover", _anchor="password"),
            "register": url_for("register_unit.step1")
            if tab == UNIT
            else url_for("register_person.page", interaction=request.args.get("interaction")),
        },
    )


def _tabs(tab: str, belongs_to: Journey | None) -> list[dict[str, object]]:
    if belongs_to is not None and not belongs_to.client.allows_unit_accounts:
        return []
    here: dict[str, Any] = {name: request.args.get(name) for name in ("interaction", "next")}
    shown = ((PERSON, pgettext("tab", "个人登录"), "user"), (UNIT, pgettext("tab", "单位登录"), "building-2"))
    return [
        {"label": label, "icon": icon, "url": url_for("sign_in.page", tab=name, **here), "current": name == tab}
        for name, label, icon in shown
    ]
