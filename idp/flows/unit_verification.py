"""单位实名认证 (U14): the unit, or an agent or common contact of it, types the authorisation code.

With `?interaction=` the sign-in that lacked it goes on afterwards: the chooser shows the unit anew. How a code is got
stands on the page; applying for one here will be another page beside it.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import web
from idp.delegation import listing, unit_verification
from idp.delegation.errors import BindingGone
from idp.delegation.listing import ParentAccount
from idp.delegation.model import BindingStatus
from idp.errors import DomainError
from idp.flows import frame, journey, unit_frame
from idp.flows.forms.units import AuthorisationCode
from idp.messages import UNIT_DOCUMENTS
from idp.persons import records as persons
from idp.rules.documents import UnitDocument
from idp.store.db import db
from idp.units import records, regions
from idp.units.model import Unit
from idp.web import Access, access

blueprint = Blueprint("unit_verification", __name__)


@blueprint.route("/unit/verification", methods=["GET", "POST"])
@access(Access.UNIT)
def of_unit() -> ResponseReturnValue:
    """Let the unit's own account type the code."""
    unit = records.unit(web.current().subject_id)
    here = {"nav_id": "overview", "number": unit.document_number, **unit_frame.of_unit(unit)}
    return _answer(unit, url_for("unit_account.page"), here)


@blueprint.route("/account/parent-accounts/<binding_id>/verification", methods=["GET", "POST"])
@access(Access.PERSON)
def of_agent(binding_id: str) -> ResponseReturnValue:
    """Let a person who is bound to the unit type the code."""
    person = persons.person(web.current().subject_id)
    unit = records.unit(_bound_to(person.id, binding_id).unit_id)
    here = {"nav_id": "parents", "number": listing.masked_number(unit), **frame.of_person(person)}
    return _answer(unit, url_for("parent_accounts.page"), here)


def url_of_agent(binding_id: str, interaction: str | None = None) -> str:
    """Return where a bound person verifies the unit, and comes back to this interaction."""
    return url_for("unit_verification.of_agent", binding_id=binding_id, interaction=interaction)


def _bound_to(person_id: str, binding_id: str) -> ParentAccount:
    """Return the active unit that has bound the person. Raises BindingGone."""
    account = listing.parent_account(db.session(), person_id, binding_id)
    if account is None or account.status is not BindingStatus.ACTIVE or not account.active:
        raise BindingGone
    return account


def _answer(unit: Unit, account_url: str, here: dict[str, Any]) -> ResponseReturnValue:
    """Show the form; take the code. A unit that is verified has nothing to do here."""
    belongs_to = journey.current()
    back = belongs_to.resume_url if belongs_to else account_url
    if unit.verified_at is not None:
        return redirect(back, 303)
    form = AuthorisationCode()
    if not form.is_submitted():
        return _page(form, unit, back, here)
    if not form.validate():
        return _page(form, unit, back, here), 400
    try:
        unit_verification.verify(web.current().subject_id, unit.id, form.code.data or "")
    except DomainError as error:
        form.refuse(error)
        return _page(form, unit, back, here), error.status
    if belongs_to is None:
        frame.notify("success", _("%(unit)s已完成实名认证，可以办理需要实名的业务。", unit=unit.full_name))
    return redirect(back, 303)


def _page(form: AuthorisationCode, unit: Unit, back: str, here: dict[str, Any]) -> str:
    return render_template(
        "unit_account/verification.html",
        form=form,
        unit={
            "name": unit.full_name,
            "document_type": _(UNIT_DOCUMENTS[UnitDocument(unit.document_type)]),
            "seat": regions.whole_name(db.session(), unit.region_code),
        },
        on_the_way="interaction" in request.args,
        back_url=back,
        **here,
    )
