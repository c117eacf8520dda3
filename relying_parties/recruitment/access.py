"""Who may do what: the one decorator of 企业中心, and the identities of the browser that asks.

The unit stands in the address, so two tabs can work for two units and neither can act for the other's (C4).
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from relying_parties.recruitment import companies, problems
from relying_parties.recruitment.businesses import BUSINESSES
from relying_parties.shared import browsers, clock, identities
from relying_parties.shared.identities import Ended, Identity
from relying_parties.shared.keys import SealBroken
from relying_parties.shared.provider import ProviderDown, ProviderRefused, provider
from relying_parties.shared.sign_in import tokens_of, unit_of

REFRESH_BEFORE = 30  # seconds before its end an access token is renewed
WAIT_FOR_OTHER = 6.0  # seconds that one request waits for another one's refresh
SAFE_METHODS = {"GET", "HEAD"}

_log = logging.getLogger("recruitment")

View = Callable[..., ResponseReturnValue]


def for_unit(business: str | None = None, *, complete: bool = True) -> Callable[[View], View]:
    """Let only agents in who are signed in for the unit in the address; the view gets their `Identity` first.

    `business` is the scope that the unit must have granted (R7); `complete` demands 基本信息 first (R2). The access
    token is renewed when it is about to end, and before a change the provider is asked whether it still holds (U13).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(unit_id: str, **path: Any) -> ResponseReturnValue:
            if browsers.browser() is None:
                back = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
                return redirect(url_for("login.choose", next=back))
            identity = _current(_of_unit(unit_id))
            if business is not None and not identity.may(business):
                raise problems.lacks_business(identity, BUSINESSES[business])
            if request.method not in SAFE_METHODS:
                _confirm(identity)
            g.identity = identity
            _note_use(identity)
            if complete and not companies.is_complete(unit_id):
                return redirect(url_for("center.company", unit_id=unit_id), 303)
            return view(identity, **path)

        guarded.for_unit = True  # type: ignore[attr-defined]
        return guarded

    return decorate


def _note_use(identity: Identity) -> None:
    """Let 企业中心 open with this unit next time; most clicks change nothing and so write nothing."""
    if browsers.everyone()[0].id != identity.id or clock.now() - identity.used_at > identities.TOUCH_SECONDS:
        identities.touch(identity)


def _of_unit(unit_id: str) -> Identity:
    known = [identity for identity in browsers.everyone() if identity.unit is not None and identity.unit.id == unit_id]
    if not known:
        raise problems.not_signed_in_for_unit()
    return known[0]


def _current(identity: Identity) -> Identity:
    """Return the identity with a fresh access token. Raises Problem if it ended, ProviderDown."""
    unit = identity.unit
    if identity.ended_at is None and unit and unit.ends_at is not None and unit.ends_at <= clock.now():
        identity = _ended(identity, Ended.EXPIRED)
    if identity.ended_at is not None:
        raise problems.ended(identity)
    if identity.access_ends_at - REFRESH_BEFORE > clock.now():
        return identity
    return _refreshed(identity)


def _refreshed(identity: Identity) -> Identity:
    try:
        refresh_token = identities.claim_refresh(identity)
    except SealBroken:
        raise problems.ended(_ended(identity, Ended.REFUSED)) from None
    if refresh_token is None:
        return _refreshed_by_other(identity)
    try:
        answer = provider().refresh(refresh_token)
        unit = unit_of(answer["userinfo"]) if "userinfo" in answer else identity.unit
        _check_same(identity, answer.get("userinfo"))
        tokens = tokens_of(answer, identity.scope, identities.id_token(identity), refresh_token)
    except ProviderDown:
        identities.release_refresh(identity)
        if identity.access_ends_at > clock.now():
            return identity
        raise
    except ProviderRefused as refused:
        _log.info("refresh refused: %s", refused.code)
        raise problems.ended(_ended(identity, Ended.REFUSED)) from None
    identities.store_refreshed(identity, tokens, unit)
    if unit is not None:
        companies.note_name(unit)
    return _again(identity)


def _refreshed_by_other(identity: Identity) -> Identity:
    """Wait for the request that refreshes this identity now. Raises Problem if it ended, ProviderDown."""
    give_up = time.monotonic() + WAIT_FOR_OTHER
    while time.monotonic() < give_up:
        seen = _again(identity)
        if seen.access_ends_at != identity.access_ends_at:
            return seen
        if not identities.has_refresh_token(seen):
            break
        time.sleep(0.05)
    if identity.access_ends_at > clock.now():
        return identity
    if not identities.has_refresh_token(identity):
        raise problems.ended(_ended(identity, Ended.REFUSED))
    raise ProviderDown("another request is still refreshing")


def _check_same(identity: Identity, claims: dict[str, Any] | None) -> None:
    """A refreshed ID token speaks of the same person and unit (OpenID Connect Core 1.0 §12.2)."""
    if claims is None:
        return
    unit = unit_of(claims)
    same_unit = (unit and unit.id) == (identity.unit and identity.unit.id)
    if claims.get("sub") != identity.person or not same_unit:
        raise ProviderRefused("invalid_id_token")


def _confirm(identity: Identity) -> None:
    """Ask the provider whether the access token holds now. Raises Problem if not, ProviderDown."""
    try:
        token = identities.access_token(identity)
        active = token is not None and provider().introspect(token).get("active") is True
    except SealBroken:
        active = False
    if not active:
        raise problems.ended(_ended(identity, Ended.REFUSED))


def _ended(identity: Identity, why: Ended) -> Identity:
    identities.end(identity.id, why)
    return identities.find(identity.id) or identity


def _again(identity: Identity) -> Identity:
    """Return the identity as it stands now. Raises Problem if it ended meanwhile."""
    seen = identities.find(identity.id)
    if seen is None:
        raise problems.not_signed_in_for_unit()
    if seen.ended_at is not None:
        raise problems.ended(seen)
    return seen
