"""企业中心: the overview and 基本信息 of the unit that is acted for (R2)."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from relying_parties.recruitment import choices, companies, drafts, login, positions, step_up
from relying_parties.recruitment.access import for_unit
from relying_parties.recruitment.businesses import BUSINESSES
from relying_parties.recruitment.companies import CompanyData
from relying_parties.recruitment.forms import CompanyForm, company_in_words
from relying_parties.recruitment.positions import STATE_NAMES, State
from relying_parties.shared.identities import Identity

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
    """Complete or change 基本信息; on the first entry this comes before everything else (R2).

    Another contact needs a strong and recent sign-in: without one what was typed waits in a draft meanwhile.
    """
    unit = identity.acted_for
    known = companies.find(unit.id)
    draft_id = request.args.get("draft", "")
    typed = drafts.find(unit.id, identity.person, draft_id)
    form = CompanyForm(obj=typed or (known.data if known else None))
    if form.validate_on_submit():
        data = form.company_data()
        challenge = step_up.lacking(identity.acr, identity.auth_time)
        if known is not None and data.contact != known.data.contact and challenge is not None:
            kept = drafts.keep(unit.id, identity.person, data)
            return login.step_up(identity, challenge, _change_url(identity, kept))
        return _saved(identity, data, draft_id)
    page = render_template(
        "center/company.html",
        form=form,
        identity=identity,
        company=known,
        status_names=companies.STATUS_NAMES,
        choices=choices,
    )
    return page, 422 if form.errors else 200


@pages.route("/company/changes/<draft_id>", methods=["GET", "POST"])
@for_unit("rec.company")
def change(identity: Identity, draft_id: str) -> ResponseReturnValue:
    """Show a change that waited for a strong sign-in; only 确认变更 makes it, never the mere return."""
    unit_id = identity.acted_for.id
    known, typed = companies.find(unit_id), drafts.find(unit_id, identity.person, draft_id)
    if known is None or typed is None:
        flash("这项更改已经提交或已失效，请查看当前信息后重新填写。", "warning")
        return redirect(url_for("center.company", unit_id=unit_id), 303)
    challenge = step_up.lacking(identity.acr, identity.auth_time)
    if request.method == "GET":
        return render_template(
            "center/change.html",
            identity=identity,
            changes=_changes(known.data, typed),
            lacking=challenge,
            minutes=step_up.MAX_AGE // 60,
            back_url=url_for("center.company", unit_id=unit_id, draft=draft_id),
        )
    if challenge is not None:
        return login.step_up(identity, challenge, _change_url(identity, draft_id))
    return _saved(identity, typed, draft_id)


def _saved(identity: Identity, data: CompanyData, draft_id: str) -> ResponseReturnValue:
    companies.save(identity.acted_for, data, identity.person)
    drafts.drop(identity.acted_for.id, identity.person, draft_id)  # only now: what goes wrong before loses nothing
    flash("单位基本信息已保存。", "success")
    return redirect(url_for("center.overview", unit_id=identity.acted_for.id), 303)


def _change_url(identity: Identity, draft_id: str) -> str:
    return url_for("center.change", unit_id=identity.acted_for.id, draft_id=draft_id)


def _changes(before: CompanyData, after: CompanyData) -> list[tuple[str, str, str]]:
    """Return what would change: [(label, text before, text after)]."""
    old, new = company_in_words(before), company_in_words(after)
    return [(label, old[label], new[label]) for label in new if old[label] != new[label]]
