"""业务授权 (U11): the businesses that one bound person may do for the unit, and until when."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from idp import clock, web
from idp.delegation import catalogue, grants, listing
from idp.delegation.errors import GrantGone
from idp.delegation.listing import GrantLine, GrantState, SubAccount
from idp.errors import DomainError
from idp.flows import frame, unit_frame
from idp.flows.forms.base import Confirmation
from idp.flows.forms.delegation import KIND_NAMES, Grant
from idp.messages import sentence
from idp.store.db import db
from idp.units import records
from idp.units.model import Unit
from idp.web import Access, access

blueprint = Blueprint("grants", __name__)

_INSTANT = timedelta(milliseconds=1)


@blueprint.route("/unit/sub-accounts/<binding_id>/grants", methods=["GET", "POST"])
@access(Access.UNIT)
def page(binding_id: str) -> ResponseReturnValue:
    """Show the grants; give one, or change the window of one (`?business=` fills the form with it)."""
    unit = records.unit(web.current().subject_id)
    account = listing.active_sub_account(db.session(), unit.id, binding_id)
    form = _form(account)
    if not form.is_submitted():
        return _page(form, unit, account)
    if not form.validate():
        return _page(form, unit, account), 400
    try:
        span = grants.window(form.valid_from.data, form.valid_to.data)
        grants.grant(unit.id, binding_id, form.business.data, span)
    except DomainError as error:
        form.refuse(error)
        return _page(form, unit, account), error.status
    frame.notify("success", _("授权已保存，立即生效。"))
    return redirect(url_for("grants.page", binding_id=binding_id), 303)


@blueprint.route("/unit/sub-accounts/<binding_id>/grants/<business>/withdraw", methods=["GET", "POST"])
@access(Access.UNIT)
def withdraw(binding_id: str, business: str) -> ResponseReturnValue:
    """收回授权, after asking again (U11, U13)."""
    unit = records.unit(web.current().subject_id)
    account = listing.active_sub_account(db.session(), unit.id, binding_id)
    back = url_for("grants.page", binding_id=binding_id)
    if Confirmation().validate_on_submit():
        try:
            grants.withdraw(unit.id, binding_id, business)
        except DomainError as error:
            frame.notify("error", sentence(error))
        else:
            frame.notify("success", _("授权已收回。"))
        return redirect(back, 303)
    line = next((each for each in account.grants if each.code == business), None)
    if line is None:
        raise GrantGone
    return frame.confirmation(
        title=_("收回授权"),
        nav_id="sub_accounts",
        question=_("收回 %(name)s 的「%(business)s」授权？", name=account.name, business=line.business),
        consequences=[
            _("%(name)s 立即不能再为本单位办理该业务，正在使用它的应用同时退出。", name=account.name),
        ],
        back_url=back,
        around=unit_frame.of_unit(unit),
    )


def _form(account: SubAccount) -> Grant:
    """Return the form; filled with the grant that is to be changed or was asked for, if the address names one."""
    named = request.args.get("business")
    line = next((each for each in account.grants if each.code == named), None)
    form = Grant(data={"business": named} if line is None else _filled(line))
    granted = {each.code for each in account.grants}
    form.business.choices = {"": _("请选择…")} | {
        each.code: _("%(name)s（已授权，保存即更改）", name=each.name) if each.code in granted else each.name
        for each in catalogue.open_businesses(db.session())
    }
    return form


def _filled(line: GrantLine) -> dict[str, Any]:
    return {
        "business": line.code,
        "valid_from": line.valid_from.astimezone(clock.CHINA).date(),
        "valid_to": None if line.valid_to is None else (line.valid_to - _INSTANT).astimezone(clock.CHINA).date(),
    }


def _page(form: Grant, unit: Unit, account: SubAccount) -> str:
    return render_template(
        "unit_account/grants.html",
        form=form,
        agent={
            "name": account.name,
            "document_number": account.document_number,
            "kind": KIND_NAMES[account.kind],
        },
        grants=[_line(each, account.binding_id, verified=unit.verified_at is not None) for each in account.grants],
        links={"sub_accounts": url_for("sub_accounts.page"), "verify": url_for("unit_verification.of_unit")},
        **unit_frame.of_unit(unit),
    )


def _line(line: GrantLine, binding_id: str, *, verified: bool) -> dict[str, Any]:
    states = {GrantState.ACTIVE: _("有效"), GrantState.FUTURE: _("未开始"), GrantState.EXPIRED: _("已到期")}
    return {
        "business": line.business,
        "text": line.description,
        "valid": window_in_words(line),
        "state": line.state.value,
        "state_name": states[line.state],
        "blocked": _("单位实名认证后方可办理") if line.needs_verified_unit and not verified else "",
        "change_url": url_for("grants.page", binding_id=binding_id, business=line.code, _anchor="grant"),
        "withdraw_url": url_for("grants.withdraw", binding_id=binding_id, business=line.code),
    }


def window_in_words(line: GrantLine) -> str:
    """Return a window as its first and last day: 2026-01-01 至 2026-12-31, 自 2026-01-01 起长期有效."""
    first = format_date(line.valid_from, "yyyy-MM-dd")
    if line.valid_to is None:
        return str(_("自 %(first)s 起长期有效", first=first))
    last = format_date(line.valid_to - _INSTANT, "yyyy-MM-dd")
    return str(_("%(first)s 至 %(last)s", first=first, last=last))
