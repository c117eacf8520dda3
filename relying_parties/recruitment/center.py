"""企业中心: the overview and 基本信息 of the unit that is acted for (R2)."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from relying_parties.recruitment import choices, companies, positions
from relying_parties.recruitment.access import for_unit
from relying_parties.recruitment.forms import CompanyForm
from relying_parties.recruitment.identities import Identity
from relying_parties.recruitment.positions import STATE_NAMES, State
from relying_parties.recruitment.provider import BUSINESSES

NEWEST = 5

pages = Blueprint("center", __name__, url_prefix="/center/<unit_id>")


@pages.get("/")
@for_unit(complete=False)
def overview(identity: Identity) -> ResponseReturnValue:
    """Show who acts for whom, what the unit granted, and how its jobs stand."""
    unit = identity.acted_for
    company = companies.find(unit.id)
    if company is None and identity.may("rec.company"):
        return redirect(url_for("center.company", unit_id=unit.id), 303)
    may_see_jobs = identity.may("rec.position") and company is not None
    return render_template(
        "center/overview.html",
        identity=identity,
        company=company,
        businesses=BUSINESSES,
        counts=positions.counts(unit.id) if may_see_jobs else None,
        newest=positions.of_unit(unit.id, State.PUBLISHED, limit=NEWEST) if may_see_jobs else [],
        state_names=STATE_NAMES,
    )


@pages.route("/company", methods=["GET", "POST"])
@for_unit("rec.company", complete=False)
def company(identity: Identity) -> ResponseReturnValue:
    """Complete or change 基本信息; on the first entry this comes before everything else (R2)."""
    unit = identity.acted_for
    known = companies.find(unit.id)
    form = CompanyForm(obj=known.data if known else None)
    if form.validate_on_submit():
        companies.save(unit, form.company_data(), identity.person)
        flash("单位基本信息已保存。", "success")
        return redirect(url_for("center.overview", unit_id=unit.id), 303)
    page = render_template(
        "center/company.html",
        form=form,
        identity=identity,
        company=known,
        status_names=companies.STATUS_NAMES,
        choices=choices,
    )
    return page, 422 if form.errors else 200
