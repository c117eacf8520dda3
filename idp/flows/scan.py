"""扫码登录 on the phone (P7): who scanned the QR code signs in, sees where and what for, and confirms or refuses.

Whoever has no account yet signs in with the province or the social-security card, which makes or links one, and comes
back here.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime

from idp import limits, web
from idp.clients import registry
from idp.factors import scan
from idp.factors.errors import ScanGone, ScanNumberWrong, ScanTaken
from idp.factors.scan import State, Ticket
from idp.flows import upstreams
from idp.flows.devices import name_of
from idp.flows.forms.factors import ScanNumber
from idp.limits import TooOften
from idp.messages import sentence
from idp.sessions.browser_sessions import SignedIn
from idp.web import Access, access

blueprint = Blueprint("scan", __name__)

REFUSE = "refuse"
OPEN = frozenset({State.WAITING, State.SCANNED})


@blueprint.route("/scan/<ticket_id>", methods=["GET", "POST"])
@access(Access.ANYONE)
def page(ticket_id: str) -> ResponseReturnValue:
    """Ask to sign in first, then whether the other browser may."""
    who = web.signed_in()
    try:
        limits.sign_in()
        ticket = scan.scan(ticket_id, web.browser_id()) if who else scan.look(ticket_id, web.browser_id())
        if ticket.state not in OPEN:
            return _over(ticket.state.value)
        if who is None or not _may_confirm(ticket, who):
            return _sign_in_first(ticket, who)
        if request.method == "POST":
            return _decide(ticket, who)
    except (ScanGone, ScanTaken, TooOften) as error:
        return _over("gone", sentence(error)), error.status
    return _ask(ScanNumber(), ticket, who)


def _decide(ticket: Ticket, who: SignedIn) -> ResponseReturnValue:
    """Take the answer, and show what became of it. Raises ScanGone."""
    form = ScanNumber()
    here = url_for("scan.page", ticket_id=scan.shown(ticket.id))
    if request.form.get("action") == REFUSE:
        scan.refuse(ticket.id, web.browser_id(), who)
        return redirect(here, 303)
    if not form.validate():
        return _ask(form, ticket, who), 400
    try:
        scan.confirm(ticket.id, web.browser_id(), who, form.number.data or "")
    except ScanNumberWrong as error:
        if not error.facts["left"]:
            return redirect(here, 303)
        form.refuse(error)
        return _ask(form, ticket, who), error.status
    return redirect(here, 303)


def _ask(form: ScanNumber, ticket: Ticket, who: SignedIn) -> str:
    return render_template("scan/confirm.html", form=form, login_name=who.login_name, **_facts(ticket))


def _may_confirm(ticket: Ticket, who: SignedIn) -> bool:
    """Whether this account is of the right kind, person or unit, and signed in just now."""
    return who.kind is ticket.wanted.kind and ticket.is_fresh(who)


def _sign_in_first(ticket: Ticket, who: SignedIn | None) -> str:
    """Say who may confirm, and lead there and back."""
    here = url_for("scan.page", ticket_id=scan.shown(ticket.id))
    tab = ticket.wanted.kind.value
    why, again = "nobody", None
    if who is not None:
        why, again = "old" if who.kind is ticket.wanted.kind else "kind", 1
    return render_template(
        "scan/sign_in.html",
        why=why,
        tab=tab,
        methods=upstreams.tiles(tab, here),
        sign_in_url=url_for("sign_in.page", tab=tab, next=here, again=again),
        **_facts(ticket),
    )


def _facts(ticket: Ticket) -> dict[str, Any]:
    """Return what a person knows the other browser by, and what it wants."""
    client = registry.find(ticket.wanted.client_id) if ticket.wanted.client_id else None
    return {
        "portal": client.client_name if client else None,
        "kind": ticket.wanted.kind.value,
        "as_unit": ticket.wanted.as_unit,
        "device": {
            "name": name_of(ticket.user_agent),
            "address": ticket.address,
            "begun_at": format_datetime(ticket.begun_at, "HH:mm"),
        },
    }


def _over(state: str, happened: str | None = None) -> str:
    """Say how it ended. `happened` is a sentence where it is not the person's own doing."""
    who = web.signed_in()
    return render_template(
        "scan/over.html",
        state=state,
        happened=happened,
        devices_url=url_for("devices.page") if who is not None and who.is_person else None,
    )
