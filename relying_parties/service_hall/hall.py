"""What is done for a unit. The unit stands in the address, so two tabs can work for two units (C4)."""

from dataclasses import dataclass

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from relying_parties.service_hall import filings, login, problems
from relying_parties.service_hall.businesses import (
    BUSINESSES,
    Business,
    UnitToken,
    lack,
    unit_token,
)
from relying_parties.service_hall.forms import FilingForm
from relying_parties.shared import browsers, clock, identities
from relying_parties.shared.identities import Ended, Identity
from relying_parties.shared.keys import SealBroken
from relying_parties.shared.provider import provider
from relying_parties.shared.settings import Settings
from relying_parties.shared.tokens import InvalidToken, NotForUnit

pages = Blueprint("hall", __name__, url_prefix="/unit/<unit_id>")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is signed in for the unit, their access token, and what it says. No token: it has expired."""

    identity: Identity
    token: str = ""
    said: UnitToken | None = None

    def may(self, business: Business) -> bool:
        """Whether it may be done now."""
        return self.said is not None and lack(self.said, business) is None

    @property
    def is_unit_itself(self) -> bool:
        """Whether the unit signed in with its own account."""
        return self.identity.person == self.identity.acted_for.id


@pages.get("/")
def overview(unit_id: str) -> ResponseReturnValue:
    """Show who acts for whom, as what, at which level, and what can be done."""
    asking = _asking(unit_id)
    return render_template(
        "overview.html",
        asking=asking,
        identity=asking.identity,
        businesses=[(each, filings.find(unit_id, each)) for each in BUSINESSES.values()],
    )


@pages.route("/<slug>", methods=["GET", "POST"])
def business(unit_id: str, slug: str) -> ResponseReturnValue:
    """Show a business and hand it in; the same rule as at the API decides (businesses.lack)."""
    wanted, asking = _business(slug), _asking(unit_id)
    if not asking.may(wanted):
        return _why_not(asking, wanted)
    form = FilingForm()
    if form.validate_on_submit():
        return _hand_in(asking, wanted, int(form.headcount.data or 0))
    page = render_template(
        "business.html",
        form=form,
        asking=asking,
        identity=asking.identity,
        business=wanted,
        filing=filings.find(unit_id, wanted),
    )
    return page, 422 if form.errors else 200


@pages.post("/<slug>/check")
def check(unit_id: str, slug: str) -> ResponseReturnValue:
    """Go to the provider, where the legal representative's face is checked for this business (U18)."""
    wanted, asking = _business(slug), _asking(unit_id)
    if not (asking.is_unit_itself and wanted.open_to_units):
        return _why_not(asking, wanted)
    here = url_for("hall.business", unit_id=unit_id, slug=slug)
    try:
        return login.for_business(asking.identity, wanted, here)
    except SealBroken:
        raise problems.not_signed_in_for_unit() from None


def _hand_in(asking: Asking, wanted: Business, headcount: int) -> ResponseReturnValue:
    """Hand in, after the provider said that the token holds now (U13). Raises Problem, ProviderDown."""
    said = asking.said
    if said is None or provider().introspect(asking.token).get("active") is not True:
        identities.end(asking.identity.id, Ended.REFUSED)
        raise problems.not_signed_in_for_unit()
    if filings.hand_in(said.unit, wanted, headcount, capacity=said.capacity, person=said.person):
        flash(f"“{wanted.name}”已提交。", "success")
    else:
        flash(f"本年度的“{wanted.name}”已经提交过，没有重复提交。", "warning")
    return redirect(url_for("hall.business", unit_id=said.unit, slug=wanted.slug), 303)


def _why_not(asking: Asking, wanted: Business) -> ResponseReturnValue:
    """Say why the business cannot be done with the token, and lead to what mends it."""
    if asking.is_unit_itself:
        if not wanted.open_to_units:
            raise problems.needs_agent(asking.identity, wanted)
        return render_template("check.html", identity=asking.identity, business=wanted)
    if asking.said is None:  # an agent's token is renewed at the provider, who is asked nothing
        here = url_for("hall.business", unit_id=asking.identity.acted_for.id, slug=wanted.slug)
        code = asking.identity.acted_for.uscc or None
        return redirect(url_for("login.for_agent", org_hint=code, next=here))
    raise problems.not_granted(asking.identity, wanted)


def _business(slug: str) -> Business:
    return BUSINESSES.get(slug) or abort(404)


def _asking(unit_id: str) -> Asking:
    """Return who is signed in for the unit in this browser. Raises Problem, ProviderDown."""
    known = (each for each in browsers.living() if each.unit is not None and each.unit.id == unit_id)
    identity = next(known, None)
    if identity is None:
        raise problems.not_signed_in_for_unit()
    g.identity = identity
    if identity.access_ends_at <= clock.now():
        return Asking(identity)
    settings: Settings = current_app.config["SETTINGS"]
    try:
        token = identities.access_token(identity) or ""
        return Asking(identity, token, unit_token(token, provider(), settings))
    except (SealBroken, InvalidToken, NotForUnit):
        return Asking(identity)
