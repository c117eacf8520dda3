"""实名等级 (U2, F3, F6): what a higher level needs and the ways to it; with `?interaction=` on the way to a portal.

Two things may be missing there: proof of who the person is, or a further factor in this session.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import web
from idp.delegation import context_class, representing
from idp.factors import ways
from idp.flows import frame, journey, step_up, upstreams
from idp.flows.forms.base import Confirmation
from idp.flows.journey import Journey
from idp.persons import records
from idp.rules.levels import Acr, RealNameLevel, TrustLevel
from idp.sessions import interactions
from idp.sessions.levels import acr_of_session
from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("raise_level", __name__)

UNMET = "unmet_authentication_requirements"  # OpenID Connect Core Error Code UNMET_AUTHENTICATION_REQUIREMENTS 1.0


@blueprint.get("/raise-level")
@access(Access.SIGNED_IN)
def page() -> ResponseReturnValue:
    """Show the levels, the one that is reached, and how to reach the others."""
    belongs_to = journey.current()
    if not web.current().is_person:
        return _of_unit(belongs_to)
    person = records.person(web.current().subject_id)
    levels = _levels(person.real_name_level)
    if belongs_to is None:
        return render_template(
            "account/level.html", level=person.real_name_level, levels=levels, **frame.of_person(person)
        )
    demanded = _demanded(belongs_to)
    further = step_up.shown(ways.that_lift(db.session(), web.current(), _target(belongs_to, demanded)))
    by_upstream = upstreams.ways_up(web.current(), belongs_to)
    return render_template(
        "raise_level/index.html",
        form=Confirmation(),
        portal=belongs_to.client.client_name,
        level=person.real_name_level,
        level_name=frame.level_name(person.real_name_level),
        missing=acr_of_session(web.current()) < demanded,
        further=further,
        out_of_reach=demanded > Acr.L1 and not further and not by_upstream,
        by_upstream=by_upstream,
        levels=[item for item in levels if item["ways"]],
        resume_url=belongs_to.resume_url,
        give_up_url=url_for("raise_level.give_up", interaction=belongs_to.interaction_id),
    )


@blueprint.post("/raise-level/give-up")
@access(Access.SIGNED_IN)
def give_up() -> ResponseReturnValue:
    """Go back to the portal without the level it asked for; it is told so."""
    belongs_to = journey.current()
    if belongs_to is None:
        return redirect(url_for("home.page"), 303)
    interactions.refuse(belongs_to.interaction_id, UNMET)
    return redirect(belongs_to.resume_url, 303)


def _of_unit(belongs_to: Journey | None) -> ResponseReturnValue:
    """Tell a unit's own account what is missing: its trust level is the province's to lift (F2)."""
    if belongs_to is None:
        return redirect(url_for("unit_account.page"))
    return render_template(
        "raise_level/unit.html",
        form=Confirmation(),
        portal=belongs_to.client.client_name,
        level=TrustLevel(web.current().trust_level).name,
        demanded=TrustLevel(representing.level_needed(db.session(), belongs_to.client, belongs_to.asked)).name,
        upgrade_url=upstreams.upgrade_of_units(belongs_to.interaction_id),
        sign_in_url=url_for("sign_in.page", interaction=belongs_to.interaction_id, tab="unit"),
        give_up_url=url_for("raise_level.give_up", interaction=belongs_to.interaction_id),
    )


def _demanded(belongs_to: Journey) -> Acr:
    """Return the lowest `acr` that is of use here: the same that the dispatcher asks for."""
    return context_class.demanded_of_person(db.session(), belongs_to.client, belongs_to.asked)


def _target(belongs_to: Journey, demanded: Acr) -> Acr:
    """Return the `acr` that a further factor must lead to: what is demanded, else wished for, at least one of use."""
    level = acr_of_session(web.current())
    if level < demanded:
        return demanded
    of_use = context_class.next_of_use(db.session(), belongs_to.client, belongs_to.asked, level)
    return max(context_class.voluntary(belongs_to.asked), of_use)


def _levels(reached: int) -> list[dict[str, Any]]:
    """Return the levels with the ways to them; an upstream lifts to what it vouches for, so it stands at both."""
    interaction = request.args.get("interaction")
    check = url_for("unionpay.page", interaction=interaction)
    unionpay = {"label": _("银联实名认证"), "url": check, "icon": "credit-card"}
    by_upstream = upstreams.ways_up(web.current(), None) if interaction is None else []
    lifting = {RealNameLevel.TWO: [unionpay, *by_upstream], RealNameLevel.THREE: by_upstream}
    texts = {
        RealNameLevel.ONE: _("已注册，证件信息尚未核验。"),
        RealNameLevel.TWO: _("姓名、证件、银行卡和手机号经银联核验一致。"),
        RealNameLevel.THREE: _("经权威机构人脸比对，或通过数字证书认证。")
        if upstreams.offered("person")
        else _("经权威机构人脸比对，或通过数字证书认证。线上办理方式暂未开通。"),
    }
    return [
        {
            "number": int(level),
            "name": frame.level_name(level),
            "text": text,
            "ways": lifting.get(level, []) if reached < level else [],
        }
        for level, text in texts.items()
    ]
