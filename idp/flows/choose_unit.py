"""单位选择 (C1, C4, C5): for whom does the person act in this sign-in? Never a dead end: one can always go back."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import web
from idp.delegation import context_class, for_whom, granting, options
from idp.delegation.acting import Reason, Refused
from idp.delegation.grant_requests import Standing
from idp.delegation.options import Obstacle, UnitOption
from idp.errors import DomainError
from idp.flows import journey, unit_verification
from idp.flows.forms.delegation import KIND_NAMES, Choose
from idp.flows.journey import Journey
from idp.messages import N_
from idp.persons import records
from idp.rules.levels import Acr
from idp.rules.masking import mask_name
from idp.sessions import interactions
from idp.sessions.interactions import MYSELF
from idp.sessions.levels import acr_of_session
from idp.store import hot
from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("choose_unit", __name__)


class ChoiceNeeded(DomainError):
    """Nothing was ticked."""

    code = "choice_needed"


class ChoiceRefused(DomainError):
    """What was ticked cannot be chosen: not bound, withdrawn, expired meanwhile, or tampered with."""

    code = "choice_refused"


OBSTACLES = {
    Obstacle.PENDING: N_("该单位请求绑定您，等待您确认"),
    Obstacle.WITHDRAWN: N_("该单位已收回授权，请联系单位重新授权"),
    Obstacle.NOT_BOUND: N_("您与该单位的绑定已解除"),
    Obstacle.PERSON_INACTIVE: N_("您的账号已停用"),
    Obstacle.UNIT_INACTIVE: N_("该单位账号已停用"),
    Obstacle.NOT_GRANTED: N_("该单位尚未授权您办理此应用的业务，请联系单位授权"),
    Obstacle.NOT_YET_VALID: N_("授权尚未开始生效"),
    Obstacle.EXPIRED: N_("授权已到期，请联系单位续期"),
    Obstacle.UNIT_UNVERIFIED: N_("该单位未完成实名认证，暂不能办理此业务"),
    Obstacle.NEEDS_USCC: N_("请使用统一社会信用代码注册的账号登录办理业务"),
    Obstacle.PERSON_LEVEL: N_("您的实名等级不足，提升后即可办理"),
    Obstacle.UNIT_LEVEL: N_("该单位的可信等级不足，暂不能办理此业务"),
}


ASKED: dict[Standing | None, str] = {
    Standing.WAITING: N_("已向该单位申请授权，等待单位处理"),
    Standing.REFUSED: N_("该单位已拒绝您的授权申请，7 天后可再次申请"),
}
"""What is said instead once the unit was asked for the grant."""


@blueprint.route("/choose-unit", methods=["GET", "POST"])
@access(Access.PERSON)
def page() -> ResponseReturnValue:
    """Show the units and oneself; note the choice."""
    belongs_to = journey.demanded()
    form = Choose()
    if not form.is_submitted():
        return _page(form, belongs_to)
    try:
        choice = _check(belongs_to, form.unit.data or "")
    except DomainError as error:
        form.unit.errors = ()
        form.refuse(error)
        return _page(form, belongs_to), error.status
    interactions.choose(belongs_to.interaction_id, choice)
    return redirect(belongs_to.resume_url, 303)


@blueprint.post("/choose-unit/give-up")
@access(Access.PERSON)
def give_up() -> ResponseReturnValue:
    """Go back to the portal without a choice; it is told `access_denied` (C5)."""
    belongs_to = journey.demanded()
    interactions.refuse(belongs_to.interaction_id)
    return redirect(belongs_to.resume_url, 303)


def _check(belongs_to: Journey, choice: str) -> str:
    """Return the choice, asked of the judge afresh. Raises ChoiceNeeded, ChoiceRefused."""
    if not choice:
        raise ChoiceNeeded("unit")
    if choice == MYSELF:
        if for_whom.must_act(belongs_to.client, belongs_to.asked):
            raise ChoiceRefused("unit")
        return choice
    answer = granting.for_unit(
        hot.reader(),
        belongs_to.client,
        belongs_to.asked,
        person_id=web.current().subject_id,
        unit_id=choice,
        level=_level(belongs_to),
    )
    if isinstance(answer, Refused) or _demanded(belongs_to) not in {None, choice}:
        raise ChoiceRefused("unit")
    return choice


def _demanded(belongs_to: Journey) -> str | None:
    """Return the one unit that the client takes (RFC 9396 `identifier`); `org_hint` only hints."""
    delegation = belongs_to.asked.unit_delegation
    return delegation.identifier if delegation else None


def _level(belongs_to: Journey) -> Acr:
    """Return the level on which the decision rests: the `acr` that the tokens will state."""
    return context_class.stated(belongs_to.asked, acr_of_session(web.current()))


def _page(form: Choose, belongs_to: Journey) -> str:
    found = options.options(
        db.session(),
        web.current().subject_id,
        granting.businesses_asked(belongs_to.client, belongs_to.asked),
        minimum=granting.minimum_of(belongs_to.client),
        level=_level(belongs_to),
    )
    shown = [_option(each, belongs_to) for each in found]
    must_act = for_whom.must_act(belongs_to.client, belongs_to.asked)
    person = records.person(web.current().subject_id)
    here = belongs_to.interaction_id
    return render_template(
        "choose_unit/index.html",
        form=form,
        options=shown,
        chosen=_chosen(form, belongs_to, [each["id"] for each in shown if not each["reason"]]),
        myself=None if must_act else {"name": mask_name(person.full_name), "detail": _("办理本人业务")},
        portal=belongs_to.client.client_name,
        why=_why_shown(),
        links={
            "how_to_bind": url_for("help.page", _anchor="bind"),
            "parents": url_for("parent_accounts.page", interaction=here),
            "sign_out": url_for("sign_in.page", interaction=here),
            "give_up": url_for("choose_unit.give_up", interaction=here),
        },
    )


def _option(option: UnitOption, belongs_to: Journey) -> dict[str, Any]:
    reason = "" if option.obstacle is None else str(_(ASKED.get(option.asking) or OBSTACLES[option.obstacle]))
    mend = _mend(option, belongs_to)
    if _demanded(belongs_to) not in {None, option.unit_id}:
        reason, mend = str(_("应用要求为另一个单位办理")), None
    return {
        "id": option.unit_id,
        "name": option.name,
        "code": option.number,
        "kind": KIND_NAMES[option.kind],
        "verified": option.verified,
        "reason": reason,
        "mend": mend,
        "note": "" if reason or option.verified else str(_("该单位未完成实名认证，只能办理无需实名的业务")),
    }


def _mend(option: UnitOption, belongs_to: Journey) -> dict[str, str] | None:
    """Return the button that mends it (C5): here and now, by asking the unit, or by telling what the unit must do.

    A unit that can be chosen and is unverified has the same button as one that therefore cannot (U15).
    """
    here = belongs_to.interaction_id
    if option.asking is Standing.MAY_ASK:
        url = url_for("ask_for_grant.page", unit_id=option.unit_id, interaction=here)
        return {"label": _("申请授权"), "url": url}
    ways = {
        Obstacle.PENDING: (_("去确认"), url_for("parent_accounts.page", interaction=here)),
        Obstacle.PERSON_LEVEL: (_("提升实名等级"), url_for("raise_level.page", interaction=here)),
        Obstacle.UNIT_UNVERIFIED: (_("单位实名认证"), unit_verification.url_of_agent(option.binding_id, here)),
        Obstacle.UNIT_LEVEL: (_("单位如何提升等级"), url_for("help.page", _anchor="unit-level")),
    }
    unmet = Obstacle.UNIT_UNVERIFIED if option.obstacle is None and not option.verified else option.obstacle
    way = None if unmet is None else ways.get(unmet)
    return None if way is None else {"label": way[0], "url": way[1]}


def _chosen(form: Choose, belongs_to: Journey, usable: list[str]) -> str | None:
    """Return what is ticked: what was ticked before, the unit that the client names, or all that is left to choose."""
    if form.unit.data:
        return str(form.unit.data)
    named = for_whom.certain_unit(db.session(), belongs_to.asked) if for_whom.names_a_unit(belongs_to.asked) else None
    if named in usable:
        return named
    if not usable:
        return None if for_whom.must_act(belongs_to.client, belongs_to.asked) else MYSELF
    return usable[0] if len(usable) == 1 else None


def _why_shown() -> str | None:
    """Return why the unit that client or person had settled on does not do, from the address."""
    try:
        return str(_(OBSTACLES[Obstacle(Reason(request.args.get("reason", "")))]))
    except ValueError:
        return None
