"""子账号信息 (U8–U10, U12, C5): the persons bound to a unit; asking for one, setting the common contact, unbinding.

Above them stand the requests of agents for grants.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from idp import limits, web
from idp.delegation import bindings, grant_requests, listing
from idp.delegation.errors import CommonContactStays
from idp.delegation.grant_requests import Waiting
from idp.delegation.listing import GrantState, SubAccount
from idp.delegation.model import BindingKind, BindingStatus
from idp.errors import DomainError
from idp.flows import frame, unit_frame
from idp.flows.forms.base import Confirmation
from idp.flows.forms.delegation import KIND_NAMES, Bind
from idp.messages import sentence
from idp.store.db import db
from idp.units import records
from idp.web import Access, access

blueprint = Blueprint("sub_accounts", __name__)

PAGE_SIZE = 20


@blueprint.get("/unit/sub-accounts")
@access(Access.UNIT)
def page() -> ResponseReturnValue:
    """List the unit's persons."""
    unit = records.unit(web.current().subject_id)
    pages = max(1, -(-listing.count_sub_accounts(db.session(), unit.id) // PAGE_SIZE))
    number = min(max(request.args.get("page", 1, type=int), 1), pages)
    found = listing.sub_accounts(db.session(), unit.id, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    return render_template(
        "unit_account/sub_accounts.html",
        agents=[_line(each) for each in found],
        requests=[_request(each) for each in grant_requests.waiting(db.session(), unit.id)],
        has_contact=listing.common_contact(db.session(), unit.id) is not None,
        page=number,
        pages=pages,
        previous_url=url_for("sub_accounts.page", page=number - 1) if number > 1 else None,
        next_url=url_for("sub_accounts.page", page=number + 1) if number < pages else None,
        links={"bind": url_for("sub_accounts.new")},
        **unit_frame.of_unit(unit),
    )


@blueprint.route("/unit/sub-accounts/new", methods=["GET", "POST"])
@access(Access.UNIT)
def new() -> ResponseReturnValue:
    """Ask a person to be bound (新增 → 发起绑定, U9)."""
    form = Bind()
    if not form.is_submitted():
        return _new_page(form)
    if not form.validate():
        return _new_page(form), 400
    try:
        limits.registration()
        bindings.request(web.current().subject_id, form.wanted(), BindingKind(form.kind.data))
    except DomainError as error:
        form.refuse(error)
        return _new_page(form), error.status
    frame.notify("success", _("绑定请求已发出，对方登录个人账号在「父账号信息」中接受后生效。"))
    return redirect(url_for("sub_accounts.page"), 303)


@blueprint.route("/unit/sub-accounts/<binding_id>/common-contact", methods=["GET", "POST"])
@access(Access.UNIT)
def common_contact(binding_id: str) -> ResponseReturnValue:
    """Make a bound person the common contact, after asking again (U8, U12)."""
    unit_id = web.current().subject_id
    account = listing.active_sub_account(db.session(), unit_id, binding_id)
    if Confirmation().validate_on_submit():
        return _carry_out(bindings.set_common_contact, binding_id, _("常用联系人已设置。"))
    before = listing.common_contact(db.session(), unit_id)
    consequences = [_("找回单位账号和密码时，将由 %(name)s 确认。", name=account.name)]
    if before is not None:
        consequences.append(_("原常用联系人 %(name)s 变为经办人员，绑定和授权不变。", name=before))
    question = _("将 %(name)s 设为常用联系人？", name=account.name)
    return _confirm(_("设置常用联系人"), question, consequences, _("设为常用联系人"))


@blueprint.route("/unit/sub-accounts/<binding_id>/unbind", methods=["GET", "POST"])
@access(Access.UNIT)
def unbind(binding_id: str) -> ResponseReturnValue:
    """取消绑定, after asking again (U12, U13)."""
    account = listing.active_sub_account(db.session(), web.current().subject_id, binding_id)
    if Confirmation().validate_on_submit():
        return _carry_out(bindings.unbind, binding_id, _("已取消绑定。"))
    if account.kind is BindingKind.COMMON_CONTACT:
        frame.notify("error", sentence(CommonContactStays()))
        return redirect(url_for("sub_accounts.page"))
    consequences = [
        _("%(name)s 立即不能再为本单位办理业务，已登录的应用同时退出。", name=account.name),
        _("已授权的业务全部收回；重新绑定后须重新授权。"),
    ]
    question = _("取消与 %(name)s 的绑定？", name=account.name)
    return _confirm(_("取消绑定"), question, consequences, _("取消绑定"))


@blueprint.post("/unit/sub-accounts/<binding_id>/withdraw")
@access(Access.UNIT)
def withdraw(binding_id: str) -> ResponseReturnValue:
    """Take a request back that was not answered yet."""
    return _carry_out(bindings.withdraw_request, binding_id, _("绑定请求已撤回。"))


@blueprint.post("/unit/sub-accounts/requests/<request_id>/refuse")
@access(Access.UNIT)
def refuse_request(request_id: str) -> ResponseReturnValue:
    """Refuse an agent's request for a grant (C5). It is granted on the page of grants, with its window."""
    return _carry_out(grant_requests.refuse, request_id, _("已拒绝该授权申请，对方 7 天内不能再次申请。"))


def _carry_out(change: Callable[[str, str], None], which: str, said: str) -> ResponseReturnValue:
    """Do it and say so on the list; a refusal is said there too."""
    try:
        change(web.current().subject_id, which)
    except DomainError as error:
        frame.notify("error", sentence(error))
    else:
        frame.notify("success", said)
    return redirect(url_for("sub_accounts.page"), 303)


def _confirm(title: str, question: str, consequences: list[str], button: str) -> str:
    return frame.confirmation(
        title=title,
        nav_id="sub_accounts",
        question=question,
        consequences=consequences,
        button=button,
        back_url=url_for("sub_accounts.page"),
        around=unit_frame.of_unit(records.unit(web.current().subject_id)),
    )


def _new_page(form: Bind) -> str:
    return render_template(
        "unit_account/bind.html",
        form=form,
        links={"sub_accounts": url_for("sub_accounts.page")},
        **unit_frame.of_unit(records.unit(web.current().subject_id)),
    )


def _request(asked: Waiting) -> dict[str, str]:
    return {
        "name": asked.person,
        "document_number": asked.document_number,
        "business": asked.business,
        "asked_on": format_date(asked.requested_at, "yyyy-MM-dd"),
        "grant_url": url_for("grants.page", binding_id=asked.binding_id, business=asked.code, _anchor="grant"),
        "refuse_url": url_for("sub_accounts.refuse_request", request_id=asked.request_id),
    }


def _line(account: SubAccount) -> dict[str, Any]:
    states = {
        BindingStatus.ACTIVE: _("已绑定"),
        BindingStatus.PENDING: _("待对方确认"),
        BindingStatus.REFUSED: _("对方已拒绝"),
    }
    urls = {
        name: url_for(endpoint, binding_id=account.binding_id)
        for name, endpoint in (
            ("grants_url", "grants.page"),
            ("unbind_url", "sub_accounts.unbind"),
            ("contact_url", "sub_accounts.common_contact"),
            ("withdraw_url", "sub_accounts.withdraw"),
        )
    }
    if account.kind is BindingKind.COMMON_CONTACT:
        urls["contact_url"] = ""
    return {
        "name": account.name,
        "document_number": account.document_number,
        "phone": account.phone,
        "kind": KIND_NAMES[account.kind],
        "state": account.status.value,
        "state_name": states[account.status],
        "businesses": [grant.business for grant in account.grants if grant.state is GrantState.ACTIVE],
        **urls,
    }
