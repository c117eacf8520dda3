"""省统一身份认证 and its like (F1, F3): there, back, and what a refusal says. The interaction goes on where it was."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import limits, web
from idp.errors import DomainError
from idp.federation import arrival, errors, pending, trips
from idp.federation.arrival import Entered, Step
from idp.federation.errors import NotRealNamed
from idp.federation.model import Purpose
from idp.federation.trips import Destination, Trip
from idp.flows import journey, signing_in, upstreams
from idp.flows.local_path import local_path
from idp.gateways.province import Vouched
from idp.messages import sentence
from idp.sessions import drafts
from idp.sessions.interactions import InteractionGone
from idp.settings import UpstreamSetting
from idp.store.db import release
from idp.web import Access, access

blueprint = Blueprint("federation", __name__)

PERSON, UNIT = "person", "unit"
_LONGEST_CODE = 2048
_PAGES = {
    Step.FIRST_LOGIN: "first_login.page",
    Step.FIRST_UNIT: "first_unit.agent",
    Step.PROVE: "first_login.prove",
}


@blueprint.get("/federation/<name>")
@access(Access.ANYONE)
def start(name: str) -> ResponseReturnValue:
    """Send the browser to the upstream."""
    here = upstreams.setting(name)
    destination = _destination()
    try:
        limits.authorize()
        secrets = trips.begin(name, web.browser_id(), destination)
        release()
        return redirect(
            upstreams.adapter(name).authorize_url(secrets, upstreams.outside("federation.come_back", name))
        )
    except DomainError as error:
        return refused(here, error, destination)


@blueprint.get("/federation/<name>/return")
@access(Access.ANYONE)
def come_back(name: str) -> ResponseReturnValue:
    """Take the browser back: sign in whoever is linked, else ask what must be asked first."""
    here = upstreams.setting(name)
    trip: Trip | None = None
    try:
        limits.sign_in()
        trip = trips.claim(name, web.browser_id(), request.args.get("state", ""))
        vouched = _vouched(here, trip)
        arrived = arrival.arrive(vouched, signing_in.browser(), web.signed_in())
    except DomainError as error:
        return refused(here, error, trip.destination if trip else Destination(PERSON))
    return go_on(arrived, vouched, trip.destination)


@blueprint.get("/federation/<name>/upgrade")
@access(Access.ANYONE)
def upgrade(name: str) -> ResponseReturnValue:
    """[确认] (F3): to the pages over there that raise a level; from them one comes back to `upgraded`."""
    here = upstreams.setting(name)
    destination = _destination()
    if not here.upgrade_url:
        return redirect(_start_again(here, destination))
    try:
        limits.authorize()
        secrets = trips.begin(name, web.browser_id(), destination, Purpose.UPGRADE)
    except DomainError as error:
        return refused(here, error, destination)
    back = f"{upstreams.outside('federation.upgraded', name)}?{urlencode({'state': secrets.state})}"
    return redirect(f"{here.upgrade_url}?{urlencode({'redirect_uri': back})}")


@blueprint.get("/federation/<name>/upgraded")
@access(Access.ANYONE)
def upgraded(name: str) -> ResponseReturnValue:
    """Sign in anew, for only a sign-in tells the level that was reached; then back into the same interaction."""
    here = upstreams.setting(name)
    try:
        trip = trips.claim(name, web.browser_id(), request.args.get("state", ""), Purpose.UPGRADE)
    except DomainError as error:
        return refused(here, error, Destination(PERSON))
    return redirect(_start_again(here, trip.destination))


def go_on(arrived: Entered | Step, vouched: Vouched, destination: Destination) -> ResponseReturnValue:
    """Go on to where the browser was going, or to the page that comes first.

    What was vouched for and waited in the draft that the address names is forgotten: it signs nobody in again.
    """
    drafts.drop(web.browser_id(), request.args.get("draft", ""))
    if isinstance(arrived, Step):
        draft = pending.begin(web.browser_id(), vouched, destination)
        return redirect(url_for(_PAGES[arrived], draft=draft, interaction=destination.interaction_id), 303)
    return signing_in.welcome_back(
        arrived.token, destination.interaction_id, as_unit=destination.as_unit, next_path=destination.next_path
    )


def refused(here: UpstreamSetting, error: DomainError, destination: Destination) -> ResponseReturnValue:
    """Say why there is no sign-in, with 【重新登录】: by password too, which needs no upstream."""
    query: dict[str, Any] = {
        "interaction": destination.interaction_id,
        "next": destination.next_path,
        "tab": destination.tab,
        "as_unit": signing_in.AS_UNIT if destination.as_unit else None,
    }
    raise_url = None
    if isinstance(error, NotRealNamed) and here.upgrade_url:
        raise_url = url_for("federation.upgrade", name=here.name, **query)
    page = render_template(
        "federation/refused.html",
        upstream=here.title,
        happened=sentence(error),
        links={"sign_in": url_for("sign_in.page", **query), "raise": raise_url},
    )
    return page, error.status


def _vouched(here: UpstreamSetting, trip: Trip) -> Vouched:
    """Ask the upstream whose code it is. Raises GivenUp, KindRefused, and what `Upstream.fetch` does."""
    code = request.args.get("code", "")
    if not 0 < len(code) <= _LONGEST_CODE:
        raise errors.GivenUp
    release()
    back = upstreams.outside("federation.come_back", here.name)
    vouched = upstreams.adapter(here.name).fetch(code, trip.secrets, back)
    if vouched.kind.value not in here.kinds:
        raise errors.KindRefused
    return vouched


def _destination() -> Destination:
    """Return where to go on, from the address; an interaction of another browser is none of ours."""
    interaction_id = request.args.get("interaction")
    if interaction_id:
        try:
            interaction_id = journey.find(interaction_id).interaction_id
        except InteractionGone:
            interaction_id = None
    tab = UNIT if request.args.get("tab") == UNIT else PERSON
    as_unit = tab == PERSON and signing_in.ticked_before()
    return Destination(tab, interaction_id or None, local_path(request.args.get("next")), as_unit)


def _start_again(here: UpstreamSetting, destination: Destination) -> str:
    return url_for(
        "federation.start",
        name=here.name,
        tab=destination.tab,
        interaction=destination.interaction_id,
        next=destination.next_path,
        as_unit=signing_in.AS_UNIT if destination.as_unit else None,
    )
