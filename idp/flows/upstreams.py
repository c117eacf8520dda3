"""The upstreams of the settings, as pages show them: tiles, ways to a higher level, linked accounts, addresses."""

from typing import Any

from flask import abort, current_app, request, url_for
from flask_babel import format_date, format_datetime

from idp.federation import links
from idp.federation.links import Linked
from idp.flows import signing_in
from idp.flows.journey import Journey
from idp.gateways.province import Upstream
from idp.rules.levels import Amr
from idp.sessions.browser_sessions import SignedIn
from idp.settings import UpstreamSetting, settings
from idp.store.db import db

ICON = "landmark"


def offered(kind: str) -> list[UpstreamSetting]:
    """Return the upstreams that have accounts of this kind: person or unit."""
    return [each for each in settings().upstreams if kind in each.kinds]


def setting(name: str) -> UpstreamSetting:
    """Return what the settings say of the upstream that an address names; 404 for none."""
    return next((each for each in settings().upstreams if each.name == name), None) or abort(404)


def title(name: str) -> str:
    """Return what people call an upstream; its name where the settings do not have it any more."""
    return next((each.title for each in settings().upstreams if each.name == name), name)


def adapter(name: str) -> Upstream:
    """Return the upstream's adapter."""
    adapters: dict[str, Upstream] = current_app.extensions["jingban.upstreams"]
    return adapters[name]


def tiles(tab: str, next_path: str | None = None) -> list[dict[str, str]]:
    """Return the tiles of a page of sign-in (F1), which keep interaction and next page, or lead to `next_path`."""
    here: dict[str, Any] = {name: request.args.get(name) for name in ("interaction", "next")}
    if next_path is not None:
        here = {"next": next_path}
    return [_way(each, url_for("federation.start", name=each.name, tab=tab, **here)) for each in offered(tab)]


def ways_up(who: SignedIn, belongs_to: Journey | None) -> list[dict[str, str]]:
    """Return the ways to a higher level for who is signed in; they keep the journey and its tick (C1).

    Who came by an upstream has what it says of them already, so they are led to where it lifts the level.
    """
    tab = "person" if who.is_person else "unit"
    came_by_it = Amr.FED in who.amr
    here: dict[str, Any] = {"interaction": belongs_to.interaction_id if belongs_to else None}
    if belongs_to is not None and belongs_to.as_unit:
        here["as_unit"] = signing_in.AS_UNIT
    ways = []
    for each in offered(tab):
        endpoint = "federation.upgrade" if came_by_it and each.upgrade_url else "federation.start"
        ways.append(_way(each, url_for(endpoint, name=each.name, tab=tab, **here)))
    return ways


def upgrade_of_units(interaction_id: str) -> str | None:
    """Return the address at which a unit's level is lifted over there and comes back here (F3); None without one."""
    for each in offered("unit"):
        if each.upgrade_url:
            return url_for("federation.upgrade", name=each.name, tab="unit", interaction=interaction_id)
    return None


def outside(endpoint: str, name: str) -> str:
    """Return the address of one of our pages as the upstream must know it: registered there as a whole."""
    path = url_for(endpoint, name=name)
    return settings().issuer + path


def linked(owner_id: str) -> list[dict[str, str]]:
    """Return the linked accounts of a person or a unit as pages list them."""
    return [_linked(each) for each in links.of(db.session(), owner_id)]


def _linked(account: Linked) -> dict[str, str]:
    return {
        "title": title(account.upstream),
        "added": format_date(account.linked_at, "yyyy-MM-dd"),
        "used": format_datetime(account.seen_at, "yyyy-MM-dd HH:mm"),
        "unlink_url": url_for("upstream_links.unlink", name=account.upstream),
    }


def _way(each: UpstreamSetting, url: str) -> dict[str, str]:
    return {"icon": ICON, "label": each.title, "url": url}
