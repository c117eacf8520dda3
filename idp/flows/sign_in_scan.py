"""扫码登录 in the browser that signs in (P7): the QR code, what became of it, and going on. The phone has scan.py."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import limits, web
from idp.clients.model import ActsFor
from idp.errors import DomainError
from idp.factors import scan
from idp.factors.errors import ScanGone
from idp.factors.scan import State, Ticket, Wanted
from idp.flows import journey, qr, sign_in, signing_in
from idp.flows.forms.base import Confirmation
from idp.flows.journey import Journey
from idp.flows.local_path import local_path
from idp.messages import sentence
from idp.persons.model import AccountKind
from idp.sessions.freshness import FRESH_FOR
from idp.settings import settings
from idp.web import Access, access

blueprint = Blueprint("sign_in_scan", __name__)

OPEN = frozenset({State.WAITING, State.SCANNED, State.CONFIRMED})
"""What can still come to a sign-in."""


@blueprint.get("/sign-in/scan")
@access(Access.ANYONE)
def begin() -> ResponseReturnValue:
    """Make a QR code and show it. Opened again, it makes another: 「刷新二维码」."""
    belongs_to = journey.current()
    found = web.signed_in()
    if found is not None and not signing_in.is_needed(belongs_to):
        return redirect(signing_in.onwards(found))
    limits.authorize()
    tab = sign_in.tab_of(belongs_to)
    wanted = Wanted(
        kind=AccountKind(tab),
        as_unit=_may_act(tab, belongs_to) and signing_in.ticked_before(),
        client_id=belongs_to.client.client_id if belongs_to else None,
        interaction_id=belongs_to.interaction_id if belongs_to else None,
        next_path=local_path(request.args.get("next")),
        oldest=_oldest(belongs_to),
    )
    ticket_id = scan.begin(wanted, web.browser_id(), signing_in.browser())
    return redirect(url_for("sign_in_scan.page", ticket_id=ticket_id, **_here(wanted)), 303)


@blueprint.route("/sign-in/scan/<ticket_id>", methods=["GET", "POST"])
@access(Access.ANYONE)
def page(ticket_id: str) -> ResponseReturnValue:
    """Show what became of the QR code; go on once it was confirmed."""
    belongs_to = journey.current()
    form = Confirmation()
    try:
        ticket = scan.watch(ticket_id, web.browser_id())
        if not form.validate_on_submit():
            return _page(form, ticket, belongs_to)
        if ticket.state is not State.CONFIRMED:
            notice = {"kind": "info", "text": _("手机上还没有确认，请确认后再继续。")}
            return _page(form, ticket, belongs_to, notice if ticket.state in OPEN else None)
        limits.sign_in()
        taken = scan.take(ticket_id, web.browser_id(), signing_in.browser())
    except ScanGone as error:
        return _page(form, None, belongs_to), error.status
    except DomainError as error:
        return _page(form, ticket, belongs_to, {"kind": "error", "text": sentence(error)}), error.status
    wanted = taken.wanted
    return signing_in.welcome_back(
        taken.token, wanted.interaction_id, as_unit=wanted.as_unit, next_path=wanted.next_path
    )


@blueprint.get("/sign-in/scan-state")
@access(Access.ANYONE)
def state() -> ResponseReturnValue:
    """Tell the page's script what became of the QR code `ticket`."""
    try:
        return jsonify(state=scan.watch(request.args.get("ticket", ""), web.browser_id()).state)
    except ScanGone:
        return jsonify(state=State.EXPIRED)


def _may_act(tab: str, belongs_to: Journey | None) -> bool:
    """Whether 「以单位身份登录」 is offered (C1)."""
    return tab == sign_in.PERSON and (belongs_to is None or belongs_to.client.acts_for is not ActsFor.NEVER)


def _oldest(belongs_to: Journey | None) -> timedelta:
    """Return how old the phone's sign-in may be: none at all where a new sign-in is asked for (Core §3.1.2.1)."""
    asked = belongs_to.asked if belongs_to else None
    if request.args.get("again") == "1" or (asked is not None and "login" in asked.prompt):
        return timedelta(0)
    if asked is None or asked.max_age is None:
        return FRESH_FOR
    return min(FRESH_FOR, timedelta(seconds=asked.max_age))


def _here(wanted: Wanted) -> dict[str, Any]:
    """Return the part of the address that says for whom this is, and where it leads."""
    return {"tab": wanted.kind.value, "as_unit": 1 if wanted.as_unit else None, **signing_in.destination()}


def _page(
    form: Confirmation, ticket: Ticket | None, belongs_to: Journey | None, notice: dict[str, str] | None = None
) -> str:
    """Show a ticket; None stands for one that is gone. After an error the script does not try again by itself."""
    wanted = ticket.wanted if ticket else Wanted(AccountKind(sign_in.tab_of(belongs_to)))
    here = _here(wanted)
    ticket_id = ticket.id if ticket else ""
    address = settings().issuer + url_for("scan.page", ticket_id=scan.shown(ticket_id))
    other = here | {"as_unit": None if wanted.as_unit else 1}
    is_open = ticket is not None and ticket.state in OPEN
    follows = is_open and (notice is None or notice["kind"] != "error")
    return render_template(
        "sign_in/scan.html",
        form=form,
        state=ticket.state.value if ticket is not None else State.EXPIRED.value,
        is_open=is_open,
        tabs=sign_in.tabs("sign_in_scan.begin", wanted.kind.value, belongs_to),
        portal=belongs_to.client.client_name if belongs_to else None,
        notice=notice,
        picture=qr.picture(address) if ticket is not None and ticket.state is State.WAITING else None,
        address=address,
        minutes=settings().scan_lifetime // 60,
        number=ticket.number if ticket else None,
        as_unit=wanted.as_unit,
        links={
            "state": url_for("sign_in_scan.state", ticket=ticket_id) if follows else None,
            "refresh": url_for("sign_in_scan.begin", **here),
            "switch": url_for("sign_in_scan.begin", **other) if _may_act(wanted.kind.value, belongs_to) else None,
            "others": url_for("sign_in.page", tab=wanted.kind.value, **signing_in.destination()),
        },
    )
