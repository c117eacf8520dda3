"""A person's first login with an upstream (P7), and the proof that an account with the same number is one's own."""

import secrets
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import limits, web
from idp.errors import DomainError
from idp.federation import arrival, pending
from idp.federation.errors import SeveralAccounts
from idp.federation.pending import Pending
from idp.flows import federation, frame, journey, signing_in, upstreams
from idp.flows.forms.federation import FirstLogin, Prove
from idp.gateways.province import SubjectKind, Vouched
from idp.messages import PERSON_DOCUMENTS, UNIT_DOCUMENTS, sentence
from idp.persons.errors import PersonDataRefused
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.masking import mask_document, mask_name, mask_phone
from idp.sessions.drafts import DraftGone
from idp.sessions.freshness import FRESH_FOR
from idp.web import Access, access

blueprint = Blueprint("first_login", __name__)

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@blueprint.route("/federation/first-login", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Show what the upstream vouches for; take the login name and the agreement to the terms; sign in."""
    waiting = read()
    if waiting is None:
        return begin_anew()
    form = FirstLogin()
    supersede = "supersede" in request.args and arrival.may_supersede(waiting.vouched)
    if not form.is_submitted():
        form.username.data = _some_login_name()
        return _page(form, waiting, supersede=supersede)
    if not form.validate():
        return _page(form, waiting, supersede=supersede), 400
    try:
        limits.registration()
        name = (form.username.data or "").strip()
        arrived = arrival.first_login(waiting.vouched, name, signing_in.browser(), supersede=supersede)
    except PersonDataRefused as refused:
        for each in refused.errors:
            form.refuse(each)
        return _page(form, waiting, supersede=supersede), refused.status
    except DomainError as error:
        form.refuse(error)
        return _page(form, waiting, supersede=supersede), error.status
    return federation.go_on(arrived, waiting.vouched, waiting.destination)


@blueprint.route("/federation/prove", methods=["GET", "POST"])
@access(Access.ANYONE)
def prove() -> ResponseReturnValue:
    """Ask for the password of the account that has the same number; then it is linked (DESIGN 6)."""
    waiting = read()
    if waiting is None:
        return begin_anew()
    form = Prove()
    if not form.is_submitted():
        return _prove_page(form, waiting)
    if not form.validate():
        return _prove_page(form, waiting), 400
    try:
        limits.sign_in()
        arrived = arrival.prove(waiting.vouched, form.password.data or "", signing_in.browser())
    except DomainError as error:
        form.refuse(error)
        return _prove_page(form, waiting, sentence(error)), error.status
    return federation.go_on(arrived, waiting.vouched, waiting.destination)


def read() -> Pending | None:
    """Return the arrival that the address names; None when it names none of this browser's."""
    journey.current()
    try:
        return pending.read(web.browser_id(), request.args.get("draft", ""))
    except DraftGone:
        return None


def begin_anew() -> ResponseReturnValue:
    """Go back to sign-in: what the upstream vouched for is forgotten."""
    frame.notify("warning", sentence(DraftGone()))
    return redirect(url_for("sign_in.page", interaction=request.args.get("interaction")), 303)


def identity(vouched: Vouched) -> list[dict[str, str]]:
    """Return what the upstream vouches for, masked, as lines of a page."""
    if vouched.kind is SubjectKind.PERSON:
        kind = _(PERSON_DOCUMENTS[PersonDocument(vouched.document_type)])
        name, number = mask_name(vouched.name), mask_document(vouched.document_number)
        lines = [(_("姓名"), name), (kind, number), (_("手机号"), mask_phone(vouched.phone or ""))]
    else:
        kind = _(UNIT_DOCUMENTS[UnitDocument(vouched.document_type)])
        lines = [(_("单位名称"), vouched.name), (kind, vouched.document_number)]
    return [{"label": label, "value": value} for label, value in lines if value]


def _page(form: FirstLogin, waiting: Pending, *, supersede: bool) -> str:
    return render_template(
        "federation/first_login.html",
        form=form,
        upstream=upstreams.setting(waiting.vouched.upstream).title,
        identity=identity(waiting.vouched),
        supersede=supersede,
    )


def _prove_page(form: Prove, waiting: Pending, wrong: str | None = None) -> str:
    vouched = waiting.vouched
    try:
        may_supersede = arrival.may_supersede(vouched)
    except SeveralAccounts:
        may_supersede = False
    supersede = url_for(
        "first_login.page", draft=request.args["draft"], interaction=request.args.get("interaction"), supersede=1
    )
    return render_template(
        "federation/prove.html",
        form=form,
        upstream=upstreams.setting(vouched.upstream).title,
        identity=identity(vouched),
        minutes=FRESH_FOR // timedelta(minutes=1),
        is_person=vouched.kind is SubjectKind.PERSON,
        alert={"kind": "error", "text": wrong} if wrong else None,
        links={
            "supersede": supersede if may_supersede else None,
            "recover_password": url_for("help.recover", _anchor="password"),
        },
    )


def _some_login_name() -> str:
    """Return a login name to begin with; people may keep it, for they sign in without it (P2)."""
    return "u_" + "".join(secrets.choice(_LETTERS) for _each in range(10))
