"""单位资料 (U7, U8, U16): what is on record of a unit, and changing what may be changed."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from idp import web
from idp.delegation import listing, representing
from idp.errors import DomainError
from idp.flows import frame, journey, unit_frame
from idp.flows.forms.units import UnitData
from idp.gateways import Gateways
from idp.messages import UNIT_DOCUMENTS
from idp.rules.documents import UnitDocument
from idp.rules.levels import TrustLevel, UnitGrade, grade_of_trust_level
from idp.rules.masking import mask_name
from idp.store.db import db
from idp.units import changes, records, regions
from idp.units.model import Unit
from idp.web import Access, access

blueprint = Blueprint("unit_account", __name__)

CHECKS_SHOWN = 5


@blueprint.get("/unit")
@access(Access.UNIT)
def page() -> ResponseReturnValue:
    """Show the unit's data, and what is still to be done: a common contact, agents (U8)."""
    unit = records.unit(web.current().subject_id)
    edit_url = url_for("unit_account.edit")
    links = {"move": edit_url, "contact": url_for("sub_accounts.page"), "bind": url_for("sub_accounts.new")}
    if unit.verified_at is None:
        links["rename"] = edit_url
        links["verify"] = url_for("unit_verification.of_unit")
    return render_template(
        "unit_account/overview.html",
        unit=_shown(unit),
        agents=listing.count_active(db.session(), unit.id),
        checks=[
            {"business": each.business, "at": format_datetime(each.at, "yyyy-MM-dd HH:mm")}
            for each in representing.uses(db.session(), unit.id, limit=CHECKS_SHOWN)
        ],
        links=links,
        **unit_frame.of_unit(unit),
    )


@blueprint.route("/unit/edit", methods=["GET", "POST"])
@access(Access.UNIT)
def edit() -> ResponseReturnValue:
    """Change name, legal representative and seat while unverified; the seat alone afterwards (U16).

    With `?interaction=` it is completed on the way to a portal (U18), which goes on afterwards.
    """
    journey.current()
    unit = records.unit(web.current().subject_id)
    form = _edit_form(unit)
    if not form.is_submitted() or request.form.get("action") == "load_region":
        return _edit_page(form, unit)
    if not form.validate():
        return _edit_page(form, unit), 400
    try:
        _change(unit, form)
    except DomainError as error:
        form.refuse(error)
        return _edit_page(form, unit), error.status
    belongs_to = journey.current()
    if belongs_to is not None:
        return redirect(belongs_to.resume_url, 303)
    frame.notify("success", _("单位资料已保存。"))
    return redirect(url_for("unit_account.page"), 303)


def _edit_form(unit: Unit) -> UnitData:
    """Return the form, filled; a verified unit's has the seat alone."""
    form = UnitData(data={"name": unit.full_name, "legal_representative": unit.legal_representative})
    if unit.verified_at is not None:
        del form.name
        del form.legal_representative
    if not form.is_submitted():
        form.choose_region(db.session(), unit.region_code)
    form.fill_regions(db.session())
    return form


def _change(unit: Unit, form: UnitData) -> None:
    if unit.verified_at is not None:
        changes.move(unit.id, form.region_code)
        return
    gateways: Gateways = current_app.extensions["jingban.gateways"]
    changes.change(unit.id, form.typed(), gateways.company_register)


def _edit_page(form: UnitData, unit: Unit) -> str:
    belongs_to = journey.current()
    return render_template(
        "unit_account/edit.html",
        form=form,
        unit=_shown(unit),
        regions_url=url_for("regions.page"),
        links={"back": belongs_to.resume_url if belongs_to else url_for("unit_account.page")},
        **unit_frame.of_unit(unit),
    )


def _shown(unit: Unit) -> dict[str, Any]:
    return {
        "name": unit.full_name,
        "document_type": _(UNIT_DOCUMENTS[UnitDocument(unit.document_type)]),
        "document_number": unit.document_number,
        "seat": regions.whole_name(db.session(), unit.region_code),
        "legal_representative": mask_name(unit.legal_representative),
        "username": unit.login_name,
        "verified": unit.verified_at is not None,
        "trust": _trust(TrustLevel(unit.trust_level)),
        "registered_on": format_date(unit.created_at, "yyyy-MM-dd"),
        "contact": listing.common_contact(db.session(), unit.id),
    }


def _trust(level: TrustLevel) -> str:
    """Return the trust level in the province's words (F2): 三级（L1） … 五级（L3）."""
    names = {UnitGrade.THREE: _("三级"), UnitGrade.FOUR: _("四级"), UnitGrade.FIVE: _("五级")}
    grade = grade_of_trust_level(level)
    if grade is None:
        return str(_("未核验"))
    return str(_("%(grade)s（%(level)s）", grade=names[grade], level=level.name))
