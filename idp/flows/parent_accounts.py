"""父账号信息 (P14, U10): units that ask for a person, units they are bound to, and what each lets them do where.

With `?interaction=` the way back to the sign-in that led here is shown: accepting a request may be what it lacked.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from idp import web
from idp.delegation import bindings, catalogue, listing
from idp.delegation.catalogue import Portals
from idp.delegation.errors import BindingGone
from idp.delegation.listing import GrantState, ParentAccount
from idp.delegation.model import BindingStatus
from idp.errors import DomainError
from idp.flows import frame, journey, unit_verification
from idp.flows.forms.base import Confirmation
from idp.flows.forms.delegation import KIND_NAMES
from idp.flows.grants import window_in_words
from idp.flows.journey import Journey
from idp.messages import sentence
from idp.persons import records
from idp.sessions.interactions import InteractionGone
from idp.settings import settings
from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("parent_accounts", __name__)


@blueprint.get("/account/parent-accounts")
@access(Access.PERSON)
def page() -> ResponseReturnValue:
    """List requests and bindings."""
    person = records.person(web.current().subject_id)
    belongs_to = _sign_in_that_waits()
    interaction = belongs_to.interaction_id if belongs_to else None
    found = listing.parent_accounts(db.session(), person.id)
    portals = catalogue.portals(db.session(), settings().issuer)
    return render_template(
        "account/parents.html",
        requests=[_request(each, interaction) for each in found if each.status is BindingStatus.PENDING],
        bindings=[_binding(each, portals, interaction) for each in found if each.status is BindingStatus.ACTIVE],
        resume_url=belongs_to.resume_url if belongs_to else None,
        portal=belongs_to.client.client_name if belongs_to else None,
        links={"how_to_bind": url_for("help.page", _anchor="bind")},
        **frame.of_person(person),
    )


@blueprint.post("/account/parent-accounts/<binding_id>/answer")
@access(Access.PERSON)
def answer(binding_id: str) -> ResponseReturnValue:
    """Accept or refuse a request (U10)."""
    answers = {
        "accept": (bindings.accept, _("已接受绑定。单位授权业务后，您即可为其办理。")),
        "refuse": (bindings.refuse, _("已拒绝绑定。")),
    }
    given = answers.get(request.form.get("answer", ""))
    if given is None:
        abort(HTTPStatus.BAD_REQUEST)
    carry_out, said = given
    try:
        carry_out(web.current().subject_id, binding_id)
        frame.notify("success", said)
    except DomainError as error:
        frame.notify("error", sentence(error))
    return redirect(url_for("parent_accounts.page", interaction=request.args.get("interaction")), 303)


@blueprint.route("/account/parent-accounts/<binding_id>/leave", methods=["GET", "POST"])
@access(Access.PERSON)
def leave(binding_id: str) -> ResponseReturnValue:
    """退出单位, after asking again (P14, U13)."""
    person = records.person(web.current().subject_id)
    back = url_for("parent_accounts.page")
    if Confirmation().validate_on_submit():
        try:
            bindings.leave(person.id, binding_id)
        except DomainError as error:
            frame.notify("error", sentence(error))
        else:
            frame.notify("success", _("您已退出该单位。"))
        return redirect(back, 303)
    account = listing.parent_account(db.session(), person.id, binding_id)
    if account is None or account.status is not BindingStatus.ACTIVE:
        raise BindingGone
    return frame.confirmation(
        title=_("退出单位"),
        nav_id="parents",
        question=_("确定退出%(unit)s吗？", unit=account.unit),
        consequences=[
            _("您立即不能再为该单位办理业务，正在使用的应用会同时退出。"),
            _("如需恢复，须由单位重新发起绑定并授权。"),
        ],
        back_url=back,
        around=frame.of_person(person),
    )


def _sign_in_that_waits() -> Journey | None:
    """Return the journey of this page; one that is over is no reason to hide the account."""
    try:
        return journey.current()
    except InteractionGone:
        return None


def _request(account: ParentAccount, interaction: str | None) -> dict[str, Any]:
    return _unit(account) | {
        "asked_on": format_date(account.since, "yyyy-MM-dd"),
        "answer_url": url_for("parent_accounts.answer", binding_id=account.binding_id, interaction=interaction),
    }


def _binding(account: ParentAccount, portals: Portals, interaction: str | None) -> dict[str, Any]:
    return _unit(account) | {
        "since": format_date(account.since, "yyyy-MM-dd"),
        "verified": account.verified,
        "active": account.active,
        "businesses": [grant.business for grant in account.grants],
        "grants": [
            {
                "business": grant.business,
                "valid": window_in_words(grant),
                "state": grant.state.value,
                "blocked": _("单位实名认证后方可办理") if grant.needs_verified_unit and not account.verified else "",
                "portal": portals.get(grant.code) if account.active and grant.state is GrantState.ACTIVE else None,
            }
            for grant in account.grants
        ],
        "verify_url": unit_verification.url_of_agent(account.binding_id, interaction)
        if account.active and not account.verified
        else None,
        "leave_url": url_for("parent_accounts.leave", binding_id=account.binding_id),
    }


def _unit(account: ParentAccount) -> dict[str, Any]:
    return {"unit": account.unit, "code": account.number, "kind": KIND_NAMES[account.kind]}
