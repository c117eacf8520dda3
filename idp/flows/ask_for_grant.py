"""申请授权 (C5): an agent to whom the chooser shows a unit greyed asks it for the business, and returns there."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from idp import web
from idp.delegation import grant_requests, granting, listing
from idp.delegation.listing import ParentAccount
from idp.delegation.model import BindingStatus, Business
from idp.errors import DomainError
from idp.flows import journey
from idp.flows.forms.base import Confirmation
from idp.flows.journey import Journey
from idp.sessions.interactions import InteractionGone
from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("ask_for_grant", __name__)


@blueprint.route("/choose-unit/<unit_id>/ask", methods=["GET", "POST"])
@access(Access.PERSON)
def page(unit_id: str) -> ResponseReturnValue:
    """Show what would be asked for; ask. What the portal asked for is all that can be asked of the unit here."""
    belongs_to = journey.current()
    if belongs_to is None:
        raise InteractionGone
    form = Confirmation()
    back = url_for("choose_unit.page", interaction=belongs_to.interaction_id)
    status = 200
    if form.validate_on_submit():
        try:
            grant_requests.ask(
                web.current().subject_id, unit_id, granting.businesses_asked(belongs_to.client, belongs_to.asked)
            )
        except DomainError as error:
            form.refuse(error)
            status = error.status
        else:
            return redirect(back, 303)
    unit = _bound_to(unit_id)
    if unit is None:
        return redirect(back, 303)
    wanted = _wanted(belongs_to, unit)
    if not wanted and not form.form_errors:
        return redirect(back, 303)
    page = render_template(
        "choose_unit/ask.html",
        form=form,
        unit={"name": unit.unit, "code": unit.number},
        businesses=[{"name": each.name, "text": each.description} for each in wanted],
        portal=belongs_to.client.client_name,
        back_url=back,
    )
    return page, status


def _bound_to(unit_id: str) -> ParentAccount | None:
    """Return the unit if it has bound the person."""
    bound = listing.parent_accounts(db.session(), web.current().subject_id)
    return next((each for each in bound if each.unit_id == unit_id and each.status is BindingStatus.ACTIVE), None)


def _wanted(belongs_to: Journey, unit: ParentAccount) -> list[Business]:
    asked = granting.businesses_asked(belongs_to.client, belongs_to.asked)
    return grant_requests.missing(db.session(), unit.binding_id, asked)
