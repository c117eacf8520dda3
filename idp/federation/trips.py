"""Trips to an upstream and back: bound to the browser, for one return, for some minutes.

The upstream may know no state of its own (DESIGN 6), so ours is what ties the return to the request: 256 random bits
of which only the hash is kept, claimed by one conditional statement together with browser and upstream.
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import update

from idp import clock, ids
from idp.federation.errors import TripGone
from idp.federation.model import Purpose, UpstreamTrip
from idp.gateways.province import TripSecrets
from idp.store.db import transaction

LIFETIME = timedelta(minutes=15)
"""Long enough to find the phone and to scan; raising a level over there takes longer and gets more."""

UPGRADE_LIFETIME = timedelta(hours=1)
_LONGEST_STATE = 100


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the browser goes on after the trip: the tab it left, the interaction or the page that it came from.

    `as_unit`: 「以单位身份登录」 was ticked there (C1).
    """

    tab: str
    interaction_id: str | None = None
    next_path: str | None = None
    as_unit: bool = False


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip that has just been claimed."""

    purpose: Purpose
    secrets: TripSecrets
    destination: Destination


def begin(upstream: str, browser_id: str, destination: Destination, purpose: Purpose = Purpose.SIGN_IN) -> TripSecrets:
    """Store a trip of this browser and return its secrets, `state` among them."""
    secrets = TripSecrets(state=ids.new_secret(), nonce=ids.new_secret(), code_verifier=ids.new_secret())
    lifetime = UPGRADE_LIFETIME if purpose is Purpose.UPGRADE else LIFETIME
    with transaction() as session:
        session.add(
            UpstreamTrip(
                state_hash=ids.fingerprint(secrets.state),
                upstream=upstream,
                browser_id=browser_id,
                purpose=purpose,
                secrets=json.dumps(asdict(secrets)),
                tab=destination.tab,
                interaction_id=destination.interaction_id,
                next_path=destination.next_path,
                as_unit=destination.as_unit,
                expires_at=clock.now() + lifetime,
            )
        )
    return secrets


def claim(upstream: str, browser_id: str, state: str, purpose: Purpose = Purpose.SIGN_IN) -> Trip:
    """Return the trip of this browser that `state` belongs to: once, of however many. Raises TripGone."""
    if not state.isascii() or len(state) > _LONGEST_STATE:
        raise TripGone
    now = clock.now()
    with transaction() as session:
        claimed = session.execute(
            update(UpstreamTrip)
            .where(
                UpstreamTrip.state_hash == ids.fingerprint(state),
                UpstreamTrip.upstream == upstream,
                UpstreamTrip.browser_id == browser_id,
                UpstreamTrip.purpose == purpose,
                UpstreamTrip.used_at.is_(None),
                UpstreamTrip.expires_at > now,
            )
            .values(used_at=now)
            .returning(
                UpstreamTrip.secrets,
                UpstreamTrip.tab,
                UpstreamTrip.interaction_id,
                UpstreamTrip.next_path,
                UpstreamTrip.as_unit,
            )
        ).one_or_none()
    if claimed is None:
        raise TripGone
    secrets, tab, interaction_id, next_path, as_unit = claimed
    return Trip(purpose, TripSecrets(**json.loads(secrets)), Destination(tab, interaction_id, next_path, as_unit))
