"""授权确认: which portal gets what, for whom. Only what is new is asked for, with prompt=consent all of it.

The form carries what the page showed. A grant that comes in the meantime is not consented to by a click on the old
page, and another unit chosen in another tab shows the page anew.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime

from idp import web
from idp.clients import consents
from idp.clients.model import ActsFor
from idp.delegation import context_class, for_whom, granting, listing, representing
from idp.delegation.acting import Refused
from idp.delegation.for_whom import Answers
from idp.delegation.granting import Granted
from idp.delegation.model import BindingKind
from idp.flows import journey, unit_verification
from idp.flows.forms.base import Confirmation
from idp.flows.forms.delegation import KIND_NAMES
from idp.flows.journey import Journey
from idp.flows.scope_words import in_words
from idp.persons import records as persons
from idp.rules.masking import mask_name
from idp.sessions import device_codes, interactions
from idp.sessions.interactions import MYSELF, InteractionGone
from idp.sessions.levels import acr_of_session
from idp.store import hot
from idp.store.db import db
from idp.units import records as units
from idp.web import Access, access

blueprint = Blueprint("consent", __name__)

ALLOW, DENY = "allow", "deny"


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for in one journey: for whom (a unit's id or MYSELF), all of it, and the part that is new."""

    acting_for: str
    granted: Granted
    new: tuple[str, ...]


@blueprint.route("/consent", methods=["GET", "POST"])
@access(Access.SIGNED_IN)
def page() -> ResponseReturnValue:
    """Show what the portal asks for; note the answer."""
    belongs_to = journey.current()
    if belongs_to is None:
        raise InteractionGone
    asking = _asking(belongs_to)
    if asking is None or not asking.new:
        return redirect(belongs_to.resume_url, 303)
    form = Confirmation()
    if not form.is_submitted() or request.form.get("for") != asking.acting_for:
        return _page(form, belongs_to, asking)
    answer = request.form.get("consent")
    if answer == DENY:
        interactions.refuse(belongs_to.interaction_id)
    elif answer == ALLOW:
        shown = set(request.form.get("shown", "").split())
        interactions.consent(
            belongs_to.interaction_id,
            subject_id=web.current().subject_id,
            unit_id=_unit_id(asking),
            scopes=[scope for scope in asking.granted.to_consent if scope in shown],
        )
    else:
        abort(400)
    return redirect(belongs_to.resume_url, 303)


def _asking(belongs_to: Journey) -> Asking | None:
    """Return what is to be asked; None where the dispatcher must see to something else first."""
    who = web.current()
    interaction = interactions.find(belongs_to.interaction_id, web.browser_id())
    if interaction.session_id != who.session_id:
        return None
    client, asked = belongs_to.client, belongs_to.asked
    answers = Answers(interaction.acting_for, interaction.as_unit)
    acting_for = for_whom.resolve(db.session(), client, asked, who, answers)
    if acting_for is None:
        return None
    granted: Granted | Refused = granting.for_oneself(client, asked)
    if not who.is_person:
        check = representing.passed(hot.reader(), belongs_to.interaction_id, who.subject_id)
        granted = representing.granted(hot.reader(), client, asked, who.subject_id, check)
    elif acting_for != MYSELF:
        level = context_class.stated(asked, acr_of_session(who))
        granted = granting.for_unit(
            hot.reader(), client, asked, person_id=who.subject_id, unit_id=acting_for, level=level
        )
    if isinstance(granted, Refused):
        return None
    new = consents.missing(
        db.session(),
        subject_id=who.subject_id,
        client_id=client.client_id,
        unit_id=None if acting_for == MYSELF else acting_for,
        scopes=granted.to_consent,
    )
    return Asking(acting_for, granted, granted.to_consent if "consent" in asked.prompt else new)


def _unit_id(asking: Asking) -> str | None:
    return None if asking.acting_for == MYSELF else asking.acting_for


def _page(form: Confirmation, belongs_to: Journey, asking: Asking) -> str:
    client, parts = belongs_to.client, urlsplit(belongs_to.asked.redirect_uri)
    device = belongs_to.asked.device
    before = [scope for scope in asking.granted.to_consent if scope not in asking.new]
    may_switch = web.current().is_person and client.acts_for is not ActsFor.NEVER
    chooser = url_for("choose_unit.page", interaction=belongs_to.interaction_id)
    return render_template(
        "consent/index.html",
        form=form,
        hidden={"for": asking.acting_for, "shown": " ".join(asking.granted.to_consent)},
        portal={
            "name": client.client_name,
            "host": parts.netloc or parts.scheme,
            "home_url": _link(client.client_uri),
            "privacy_url": _link(client.protocol.policy_uri),
            "terms_url": _link(client.protocol.tos_uri),
        },
        person={"name": _own_name(), "is_unit": not web.current().is_person},
        acting=_acting(asking, belongs_to.interaction_id),
        scopes=in_words(db.session(), asking.new),
        agreed=[each.label for each in in_words(db.session(), before)],
        device=None if device is None else _device(device),
        links={"switch": chooser if may_switch else None},
    )


def _device(device_id: str) -> dict[str, str]:
    """Return what a person knows the device by, for the page that lets it sign in (RFC 8628 §5.4)."""
    waiting = device_codes.waiting(device_id)
    return {
        "user_code": waiting.user_code,
        "address": waiting.address,
        "asked_at": format_datetime(waiting.asked_at, "HH:mm"),
    }


def _link(uri: str | None) -> str | None:
    """Return an address of the client's that may be followed from here. Nobody fetches it, a logo's least of all."""
    return uri if uri is not None and uri.startswith("https://") else None


def _own_name() -> str:
    """Return the name of whoever is signed in: a person's masked, a unit's as it is."""
    who = web.current()
    if who.is_person:
        return mask_name(persons.person(who.subject_id).full_name)
    return units.unit(who.subject_id).full_name


def _acting(asking: Asking, interaction_id: str) -> dict[str, Any] | None:
    acting = asking.granted.acting
    if acting is None:
        return None
    unit = units.unit(asking.acting_for)
    return {
        "name": unit.full_name,
        "code": listing.masked_number(unit),
        "kind": KIND_NAMES[BindingKind(acting.kind)],
        "verify_url": None if acting.verified else unit_verification.url_of_agent(acting.binding_id, interaction_id),
    }
