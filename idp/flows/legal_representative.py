"""法人实人认证 (U18): the register, then the legal representative's face on a phone, then back to the interaction.

The page on the desktop follows the phone by itself, and by a button without JavaScript. Whatever goes wrong is said
here, and nothing is lost: the interaction waits, and one can always go back to the portal.
"""

from typing import Any

from flask import Blueprint, current_app, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from idp import limits, web
from idp.delegation import granting, representative_checks, representing
from idp.delegation.model import Business
from idp.delegation.representative_checks import Check, RegisterDiffers, Wanted
from idp.delegation.representing import Obstacle
from idp.errors import DomainError
from idp.flows import journey, qr
from idp.flows.forms.base import Confirmation
from idp.flows.journey import Journey
from idp.gateways import FaceState, Gateways
from idp.messages import N_, sentence
from idp.rules.masking import mask_name
from idp.sessions import interactions
from idp.store import hot
from idp.store.db import db
from idp.units import records
from idp.units.model import Unit
from idp.units.register_check import Difference
from idp.web import Access, access

blueprint = Blueprint("legal_representative", __name__)

GO_ON = "confirmed"
"""What lets follow-scan.js send the form."""

OBSTACLES = {
    Obstacle.CLOSED: N_("该业务目前不支持以法人实人认证的方式办理，请由经办人员用个人账号登录办理。"),
    Obstacle.UNIT_INACTIVE: N_("单位账号已停用，不能办理业务。"),
    Obstacle.NEEDS_USCC: N_("请使用统一社会信用代码注册的账号登录办理业务"),
    Obstacle.HAS_AGENTS: N_(
        "单位已绑定经办人员，不能以单位账号办理。请由经办人员用个人账号登录，勾选“以单位身份登录”后选择本单位办理。"
    ),
}
PROBLEMS = {
    FaceState.FAILED: N_("人脸核验未通过。请由法定代表人本人在光线充足处重新认证。"),
    FaceState.EXPIRED: N_("二维码已失效，请重新认证。"),
}
DIFFERENCES = {
    Difference.NAME: N_("单位名称"),
    Difference.LEGAL_REPRESENTATIVE: N_("法定代表人"),
    Difference.STATUS: N_("登记状态"),
}


@blueprint.get("/legal-representative")
@access(Access.UNIT)
def page() -> ResponseReturnValue:
    """Explain, or show the code for the phone, or what came of it."""
    belongs_to, business = _asked()
    if business is None:
        return redirect(belongs_to.resume_url)
    against = _against(belongs_to, business)
    if against is Obstacle.UNIT_LEVEL:
        return redirect(belongs_to.resume_url)  # the dispatcher leads to where it is lifted
    if against is not None:
        return _refused(belongs_to, str(_(OBSTACLES[against]))), 403
    check = representative_checks.current(_wanted(belongs_to, business))
    if check is not None and check.state is FaceState.PASSED:
        return redirect(belongs_to.resume_url)
    return _shown(belongs_to, business, check)


@blueprint.post("/legal-representative")
@access(Access.UNIT)
def begin() -> ResponseReturnValue:
    """Compare with the register and begin a check (确定); what was under way before is given up."""
    belongs_to, business = _asked()
    if business is None or _against(belongs_to, business) is not None:
        return _here(belongs_to)
    try:
        limits.registration()
        representative_checks.begin(
            _wanted(belongs_to, business), _gateways().company_register, _gateways().face_check
        )
    except RegisterDiffers as error:
        return _differs(belongs_to, error), error.status
    except (representative_checks.NotInRegister, representative_checks.RepresentativeUnknown) as error:
        return _refused(belongs_to, sentence(error)), error.status
    except DomainError as error:
        return _shown(belongs_to, business, None, sentence(error)), error.status
    return _here(belongs_to)


@blueprint.post("/legal-representative/follow")
@access(Access.UNIT)
def follow() -> ResponseReturnValue:
    """我已完成认证: look how the check stands, and go on if it was passed."""
    belongs_to, business = _asked()
    if business is None:
        return redirect(belongs_to.resume_url, 303)
    wanted = _wanted(belongs_to, business)
    try:
        check = representative_checks.follow(wanted, _gateways().face_check)
    except DomainError as error:
        check = representative_checks.current(wanted)
        return _shown(belongs_to, business, check, sentence(error)), error.status
    if check is not None and check.state is FaceState.PENDING:
        return _shown(belongs_to, business, check, str(_("尚未收到认证结果，请在手机上完成认证后再继续。")))
    return _here(belongs_to)


@blueprint.get("/legal-representative/state")
@access(Access.UNIT)
def state() -> ResponseReturnValue:
    """Tell the page's script how the check stands, in the words of follow-scan.js."""
    belongs_to, business = _asked()
    try:
        wanted = None if business is None else _wanted(belongs_to, business)
        check = None if wanted is None else representative_checks.follow(wanted, _gateways().face_check)
    except DomainError:
        return jsonify(state=FaceState.PENDING)  # the gateway is away for a moment; the button says so in words
    if check is None or check.state is FaceState.PASSED:
        return jsonify(state=GO_ON)
    return jsonify(state=check.state)


@blueprint.post("/legal-representative/give-up")
@access(Access.UNIT)
def give_up() -> ResponseReturnValue:
    """Go back to the portal with nothing; it is told `access_denied`."""
    belongs_to = journey.demanded()
    interactions.refuse(belongs_to.interaction_id)
    return redirect(belongs_to.resume_url, 303)


def _asked() -> tuple[Journey, Business | None]:
    """Return the journey and the business that a check would open in it. Raises InteractionGone."""
    belongs_to = journey.demanded()
    return belongs_to, representing.business_asked(db.session(), belongs_to.client, belongs_to.asked)


def _against(belongs_to: Journey, business: Business) -> Obstacle | None:
    minimum = granting.minimum_of(belongs_to.client)
    return representing.obstacle(hot.reader(), web.current().subject_id, business.code, minimum)


def _wanted(belongs_to: Journey, business: Business) -> Wanted:
    unit_id = web.current().subject_id
    return Wanted(belongs_to.interaction_id, unit_id, business.code, belongs_to.client.client_id)


def _gateways() -> Gateways:
    found: Gateways = current_app.extensions["jingban.gateways"]
    return found


def _here(belongs_to: Journey) -> Response:
    return redirect(url_for("legal_representative.page", interaction=belongs_to.interaction_id), 303)


def _shown(belongs_to: Journey, business: Business, check: Check | None, problem: str = "") -> str:
    """Return the page of a check in this state."""
    waits = check is not None and check.state is FaceState.PENDING
    if check is not None and check.state in PROBLEMS and not problem:
        problem = str(_(PROBLEMS[check.state]))
    unit = records.unit(web.current().subject_id)
    return render_template(
        "legal_representative/index.html",
        form=Confirmation(),
        problem=problem,
        again=check is not None,
        waiting={"picture": qr.picture(check.url), "url": check.url} if check is not None and waits else None,
        unit={"name": unit.full_name, "legal_representative": mask_name(unit.legal_representative)},
        business=business.name,
        portal=belongs_to.client.client_name,
        links=_links(belongs_to),
    )


def _links(belongs_to: Journey) -> dict[str, str]:
    here: dict[str, Any] = {"interaction": belongs_to.interaction_id}
    return {
        "begin": url_for("legal_representative.begin", **here),
        "follow": url_for("legal_representative.follow", **here),
        "state": url_for("legal_representative.state", **here),
        "give_up": url_for("legal_representative.give_up", **here),
        "agents": url_for("sign_in.page", tab="person", **here),
        "complete": url_for("unit_account.edit", **here),
    }


def _refused(belongs_to: Journey, happened: str) -> str:
    return render_template(
        "legal_representative/refused.html",
        happened=happened,
        form=Confirmation(),
        portal=belongs_to.client.client_name,
        links=_links(belongs_to),
    )


def _differs(belongs_to: Journey, error: RegisterDiffers) -> str:
    """Name what differs. The register's name of a person is shown as little as ours is."""
    unit: Unit = records.unit(web.current().subject_id)
    company = error.company
    values = {
        Difference.NAME: (unit.full_name, company.name),
        Difference.LEGAL_REPRESENTATIVE: (
            mask_name(unit.legal_representative),
            mask_name(company.legal_representative),
        ),
        Difference.STATUS: (str(_("存续")), str(_("已吊销或已注销"))),
    }
    fixed = unit.verified_at is not None or Difference.STATUS in error.differences
    return render_template(
        "legal_representative/differs.html",
        form=Confirmation(),
        differences=[
            {"label": str(_(DIFFERENCES[each])), "here": values[each][0], "register": values[each][1]}
            for each in error.differences
        ],
        fixed=fixed,
        links=_links(belongs_to),
    )
