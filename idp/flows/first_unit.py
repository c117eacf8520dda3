"""登录初始化 (F4): a unit's first login with an upstream, in two pages: who is the agent, then the unit's data."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import limits, web
from idp.delegation import registration as registering
from idp.delegation.errors import AgentLevelTooLow
from idp.delegation.registration import Agent
from idp.errors import DomainError
from idp.federation import first_unit, pending
from idp.federation.arrival import Arrived
from idp.federation.pending import Pending
from idp.flows import federation, first_login, signing_in, sms, upstreams
from idp.flows.forms import units as unit_forms
from idp.flows.forms.federation import CompleteUnit
from idp.flows.sms import NOTHING_SENT, CodeRequest
from idp.messages import sentence
from idp.notify import sms_codes
from idp.notify.sms_codes import Asked
from idp.rules.masking import mask_phone
from idp.sessions import passwords
from idp.store.db import db
from idp.units import registration
from idp.units.errors import UnitDataRefused
from idp.web import Access, access

blueprint = Blueprint("first_unit", __name__)


@blueprint.route("/federation/unit", methods=["GET", "POST"])
@access(Access.ANYONE)
def agent() -> ResponseReturnValue:
    """Ask who the agent is: a real-named person, by login name and document number, as at registration (U1, U2)."""
    waiting = first_login.read()
    if waiting is None:
        return first_login.begin_anew()
    form = unit_forms.Agent()
    if not form.is_submitted():
        return _agent_page(form, waiting)
    if not form.validate():
        return _agent_page(form, waiting), 400
    try:
        limits.registration()
        found = registering.find_agent(form.agent_username.data or "", form.agent_document_number.data or "")
    except AgentLevelTooLow as error:
        return _agent_page(form, waiting, too_low=error), error.status
    except DomainError as error:
        form.refuse(error)
        return _agent_page(form, waiting), error.status
    draft = request.args["draft"]
    pending.note_agent(web.browser_id(), draft, waiting, found.person_id)
    return redirect(url_for("first_unit.page", draft=draft, interaction=request.args.get("interaction")), 303)


@blueprint.route("/federation/unit/2", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Show what the upstream vouches for, take the rest and the agent's code; register, link, sign in."""
    waiting = first_login.read()
    if waiting is None:
        return first_login.begin_anew()
    if waiting.agent_id is None or request.form.get("action") == "back":
        return _to_agent()
    try:
        found = registering.agent(waiting.agent_id)
    except DomainError:
        return _to_agent()
    return _complete(_form(waiting), waiting, found)


def _form(waiting: Pending) -> CompleteUnit:
    form = CompleteUnit()
    if waiting.vouched.legal_representative is not None:
        del form.legal_representative
    form.fill_regions(db.session())
    return form


def _complete(form: CompleteUnit, waiting: Pending, found: Agent) -> ResponseReturnValue:
    if not form.is_submitted() or request.form.get("action") == "load_region":
        return _page(form, waiting, found)
    if sms.wanted():
        code = sms.send(form, _asked(found))
        return _page(form, waiting, found, code), 200 if code.notice else 429
    if not form.validate():
        return _page(form, waiting, found), 400
    try:
        limits.registration()
        arrived = _register(form, waiting, found)
    except UnitDataRefused as refused:
        for each in refused.errors:
            form.refuse(each)
        return _page(form, waiting, found), refused.status
    except DomainError as error:
        form.refuse(error)
        return _page(form, waiting, found), error.status
    return federation.go_on(arrived, waiting.vouched, waiting.destination)


def _register(form: CompleteUnit, waiting: Pending, found: Agent) -> Arrived:
    typed = first_unit.typed(waiting.vouched, form.completion())
    checked = registration.check(typed, passwords.policy(), agent_phone=found.phone)
    proof = sms_codes.check(_asked(found), form.code.data or "")
    password_hash = passwords.hash_password(checked.password or "")
    return first_unit.register(waiting.vouched, found.person_id, checked, password_hash, proof, signing_in.browser())


def _asked(found: Agent) -> Asked:
    return Asked(first_unit.SMS_PURPOSE, found.phone, web.browser_id())


def _to_agent() -> ResponseReturnValue:
    draft, interaction = request.args["draft"], request.args.get("interaction")
    return redirect(url_for("first_unit.agent", draft=draft, interaction=interaction), 303)


def _agent_page(form: unit_forms.Agent, waiting: Pending, too_low: DomainError | None = None) -> str:
    return render_template(
        "federation/agent.html",
        form=form,
        upstream=upstreams.setting(waiting.vouched.upstream).title,
        identity=first_login.identity(waiting.vouched),
        too_low=sentence(too_low) if too_low else None,
        links={**_links(), "unionpay": url_for("unionpay.page")},
    )


def _page(form: CompleteUnit, waiting: Pending, found: Agent, code: CodeRequest = NOTHING_SENT) -> str:
    vouched = waiting.vouched
    representative = vouched.legal_representative
    return render_template(
        "federation/unit.html",
        form=form,
        upstream=upstreams.setting(vouched.upstream).title,
        identity=first_login.identity(vouched),
        legal_representative=representative.name if representative else None,
        regions_url=url_for("regions.page"),
        phone=mask_phone(found.phone),
        code=code,
        wait=code.wait,
        links=_links(),
    )


def _links() -> dict[str, str]:
    return {
        "register_person": url_for("register_person.page"),
        "recover_password": url_for("help.recover", _anchor="password"),
    }
