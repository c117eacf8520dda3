"""单位注册 (U1) in three steps: the agent, the unit, the agent's SMS code.

What was typed waits in a draft on the server, named in the address and bound to the browser, so going back and forth
loses nothing. A password is kept as its hash only, and only once it was accepted.
"""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup, escape

from idp import limits, web
from idp.delegation import registration as registering
from idp.delegation.errors import AgentLevelTooLow
from idp.delegation.registration import Agent
from idp.errors import DomainError, NotFound
from idp.flows import frame, sms, upstreams
from idp.flows.forms import units as forms
from idp.flows.forms.base import Form
from idp.flows.sms import NOTHING_SENT, CodeRequest
from idp.gateways import Gateways
from idp.messages import UNIT_DOCUMENTS, sentence
from idp.notify import sms_codes
from idp.notify.sms_codes import Asked
from idp.rules.documents import UnitDocument
from idp.rules.masking import mask_document, mask_phone
from idp.sessions import drafts, passwords
from idp.sessions.drafts import DraftGone
from idp.store.db import db
from idp.units import records, regions, registration
from idp.units.errors import PasswordNeededAgain, UnitDataRefused, UnitNumberTaken
from idp.units.registration import Checked, NewUnit
from idp.web import Access, access

blueprint = Blueprint("register_unit", __name__)

FORM = "register_unit"
_REGISTERED = "registered_unit"

Draft = dict[str, Any]
"""{"agent": {username, document_number, id}, "typed": fields of step 2 as typed, "unit": canonical data or None,
"password_hash": text or None}"""


@blueprint.route("/register/unit", methods=["GET", "POST"])
@access(Access.ANYONE)
def step1() -> ResponseReturnValue:
    """Ask who the agent is, and whether they may register a unit (U1, U2, U5, P13)."""
    form = forms.Agent()
    draft = _read_draft()
    if not form.is_submitted():
        _fill_agent(form, draft)
        return _page1(form)
    if not form.validate():
        return _page1(form), 400
    try:
        limits.registration()
        agent = registering.find_agent(form.agent_username.data or "", form.agent_document_number.data or "")
    except AgentLevelTooLow as error:
        return _page1(form, too_low=error), error.status
    except DomainError as error:
        form.refuse(error)
        return _page1(form), error.status
    draft_id = _keep_agent(form, agent, draft)
    return redirect(url_for("register_unit.step2", draft=draft_id), 303)


@blueprint.route("/register/unit/2", methods=["GET", "POST"])
@access(Access.ANYONE)
def step2() -> ResponseReturnValue:
    """Take the unit's data (U1, U3, U4)."""
    draft = _read_draft()
    if draft is None:
        return _begin_anew(DraftGone())
    form = forms.Unit(data=draft["typed"])
    form.ask_for_password(needed=draft["password_hash"] is None)
    if not form.is_submitted() and draft["typed"]:
        form.choose_region(db.session(), draft["typed"]["region_code"])
    form.fill_regions(db.session())
    if not form.is_submitted():
        return _page2(form, draft)
    draft["typed"] = _typed_fields(form)
    _keep(draft)
    if request.form.get("action") == "back":
        return redirect(url_for("register_unit.step1", draft=request.args["draft"]), 303)
    if request.form.get("action") == "load_region":
        return _page2(form, draft)
    return _accept_unit(form, draft)


@blueprint.route("/register/unit/3", methods=["GET", "POST"])
@access(Access.ANYONE)
def step3() -> ResponseReturnValue:
    """Show all of it, send the code, register (U1, U8)."""
    draft = _read_draft()
    if draft is None:
        return _begin_anew(DraftGone())
    if draft["unit"] is None or request.form.get("action") == "back":
        return redirect(url_for("register_unit.step2", draft=request.args["draft"]), 303)
    try:
        agent = registering.agent(draft["agent"]["id"])
    except DomainError as error:
        return _begin_anew(error)
    form = forms.Code()
    if not form.is_submitted():
        return _page3(form, draft, agent)
    if sms.wanted():
        code = sms.send(form, _asked(agent))
        return _page3(form, draft, agent, code), 200 if code.notice else 429
    return _register(form, draft, agent)


@blueprint.get("/register/unit/done")
@access(Access.ANYONE)
def done() -> ResponseReturnValue:
    """Lead the unit to its common contact and its agents (U8)."""
    unit_id = session.get(_REGISTERED)
    if not isinstance(unit_id, str):
        return redirect(url_for("register_unit.step1"))
    try:
        unit = records.unit(unit_id)
    except NotFound:
        return redirect(url_for("register_unit.step1"))
    links = {
        "common_contact": url_for("sub_accounts.page"),
        "sub_accounts": url_for("sub_accounts.new"),
        "sign_in": url_for("sign_in.page", tab="unit", next=url_for("sub_accounts.page")),
    }
    return render_template("register_unit/done.html", unit_name=unit.full_name, links=links)


def _accept_unit(form: forms.Unit, draft: Draft) -> ResponseReturnValue:
    """Check what was typed, hash the password, and go on to the code."""
    if not form.validate():
        return _page2(form, draft), 400
    try:
        limits.registration()
        agent = registering.agent(draft["agent"]["id"])
        checked = registration.check(form.typed(), passwords.policy(), agent_phone=agent.phone)
        _check_password_kept(checked, draft)
        registration.check_free(checked, asked_by=agent.person_id)
    except UnitDataRefused as refused:
        for error in refused.errors:
            form.refuse(error)
        return _page2(form, draft), refused.status
    except DomainError as error:
        form.refuse(error, _with_way_out(error))
        return _page2(form, draft), error.status
    if checked.password is not None:
        draft["password_hash"] = passwords.hash_password(checked.password)
    draft["unit"] = {name: value for name, value in asdict(checked).items() if name != "password"}
    _keep(draft)
    return redirect(url_for("register_unit.step3", draft=request.args["draft"]), 303)


def _check_password_kept(checked: Checked, draft: Draft) -> None:
    """An accepted password may stay while nothing changes that it was compared with (P3). PasswordNeededAgain."""
    if checked.password is not None:
        return
    before = draft["unit"]
    now = (checked.login_name, checked.document_number)
    if draft["password_hash"] is None or (before["login_name"], before["document_number"]) != now:
        raise PasswordNeededAgain("password")


def _register(form: forms.Code, draft: Draft, agent: Agent) -> ResponseReturnValue:
    if not form.validate():
        return _page3(form, draft, agent), 400
    gateways: Gateways = current_app.extensions["jingban.gateways"]
    new = NewUnit(**draft["unit"], document_type=UnitDocument.USCC, password_hash=draft["password_hash"])
    try:
        limits.registration()
        proof = sms_codes.check(_asked(agent), form.code.data or "")
        unit_id = registering.register(agent.person_id, new, gateways.company_register, proof)
    except DomainError as error:
        form.refuse(error, _with_way_out(error))
        return _page3(form, draft, agent), error.status
    drafts.drop(web.browser_id(), request.args["draft"])
    session[_REGISTERED] = unit_id
    return redirect(url_for("register_unit.done"), 303)


def _asked(agent: Agent) -> Asked:
    return Asked(registering.SMS_PURPOSE, agent.phone, web.browser_id())


def _with_way_out(error: DomainError) -> str:
    """Return the sentence; for a number that is taken with the link to unit password recovery (U4)."""
    if not isinstance(error, UnitNumberTaken):
        return sentence(error)
    link = Markup(' <a href="{}">{}</a>').format(_recovery(), _("单位找回密码"))
    return escape(sentence(error)) + link


def _recovery() -> str:
    return url_for("help.recover", _anchor="password")


def _read_draft() -> Draft | None:
    """Return the draft that the address names, or None when it names none or it is gone."""
    draft_id = request.args.get("draft")
    if not draft_id:
        return None
    try:
        return drafts.read(FORM, web.browser_id(), draft_id)
    except DraftGone:
        return None


def _keep(draft: Draft) -> None:
    drafts.keep(FORM, web.browser_id(), request.args["draft"], draft)


def _keep_agent(form: forms.Agent, agent: Agent, draft: Draft | None) -> str:
    """Keep the agent in the draft there is, or in a new one; return its id."""
    typed = {
        "username": form.agent_username.data,
        "document_number": form.agent_document_number.data,
        "id": agent.person_id,
    }
    if draft is None:
        return drafts.begin(FORM, web.browser_id(), {"agent": typed, "typed": {}, "unit": None, "password_hash": None})
    draft["agent"] = typed
    _keep(draft)
    return request.args["draft"]


def _fill_agent(form: forms.Agent, draft: Draft | None) -> None:
    if draft is not None:
        form.agent_username.data = draft["agent"]["username"]
        form.agent_document_number.data = draft["agent"]["document_number"]


def _typed_fields(form: forms.Unit) -> dict[str, str]:
    """Return what step 2 shows again: all that was typed, except the password."""
    fields = (form.document_number, form.name, form.legal_representative, form.username)
    return {field.name: field.data or "" for field in fields} | {"region_code": form.region_code}


def _begin_anew(error: DomainError) -> ResponseReturnValue:
    """Go back to the first step and say why: the draft is gone, or the agent may not register any more."""
    frame.notify("warning", sentence(error))
    return redirect(url_for("register_unit.step1", draft=request.args.get("draft")), 303)


def _page1(form: forms.Agent, too_low: DomainError | None = None) -> str:
    tabs = (
        (pgettext("tab", "个人注册"), url_for("register_person.page"), "user", False),
        (pgettext("tab", "单位注册"), url_for("register_unit.step1"), "building-2", True),
    )
    unionpay = {"label": _("银联实名认证"), "url": url_for("unionpay.page"), "icon": "credit-card"}
    ways = [*upstreams.tiles("person"), unionpay]
    return render_template(
        "register_unit/step1.html",
        form=form,
        tabs=[{"label": label, "url": url, "icon": icon, "current": current} for label, url, icon, current in tabs],
        notice=frame.notice(),
        level_too_low={"text": sentence(too_low), "ways": ways} if too_low else None,
        links=_links(),
    )


def _page2(form: forms.Unit, draft: Draft) -> str:
    return render_template(
        "register_unit/step2.html",
        form=form,
        password_set=draft["password_hash"] is not None,
        regions_url=url_for("regions.page"),
        links=_links(),
    )


def _page3(form: Form, draft: Draft, agent: Agent, code: CodeRequest = NOTHING_SENT) -> str:
    return render_template(
        "register_unit/step3.html",
        form=form,
        summary=_summary(draft),
        phone=mask_phone(agent.phone),
        code=code,
        wait=code.wait,
        links=_links(),
    )


def _summary(draft: Draft) -> list[dict[str, str]]:
    first, second = (url_for(f"register_unit.{step}", draft=request.args["draft"]) for step in ("step1", "step2"))
    agent, unit = draft["agent"], draft["unit"]
    lines = (
        (_("经办人员"), f"{agent['username']} · {mask_document(agent['document_number'].strip())}", first),
        (_("证件类型"), _(UNIT_DOCUMENTS[UnitDocument.USCC]), second),
        (_("证件号码"), unit["document_number"], second),
        (_("单位名称"), unit["full_name"], second),
        (_("单位所在地"), regions.whole_name(db.session(), unit["region_code"]), second),
        (_("法定代表人"), unit["legal_representative"], second),
        (_("用户名"), unit["login_name"], second),
    )
    return [{"label": label, "value": value, "step_url": url} for label, value, url in lines]


def _links() -> dict[str, str]:
    return {
        "sign_in": url_for("sign_in.page", tab="unit"),
        "register_person": url_for("register_person.page"),
        "recover_password": _recovery(),
    }
