"""Issuing what the person granted, to a code or to a device that waits: all of it is written in ONE transaction.

Authlib checks, then stores, then answers, each on its own; parallel requests meet in between (DESIGN 3, traps 1–3).
Here the end of the interaction is claimed first, the session is held until the commit, and what the person may do is
asked once more inside, so that a sign-out, an unbinding or a second click at the same moment finds either all or
nothing.
"""

import json
from dataclasses import replace
from typing import Any

from idp import clock, ids
from idp.audit.log import INSERT_ENTRY, Entry, columns, record
from idp.delegation import representing
from idp.delegation.acting import Refused
from idp.delegation.granting import Granted
from idp.oidc import resources
from idp.oidc.authorize import statements
from idp.oidc.authorize.situation import Situation
from idp.oidc.errors import OAuth2Error
from idp.rules import claims
from idp.rules.levels import amr_claim
from idp.sessions import device_codes, interactions, portal_sessions, pushed_requests
from idp.sessions.interactions import InteractionGone
from idp.settings import settings
from idp.store import hot
from idp.store.db import release

OPENID = "openid"
LONGEST_FAPI_CODE = 60


class SituationChanged(Exception):
    """Between the last need and the transaction something changed: the needs must be asked anew."""


def code(situation: Situation) -> str:
    """Store what the client is granted and return the authorization code for it: 256 bits, kept as SHA-256.

    Raises InteractionGone when the interaction was finished meanwhile (by another tab, or by a second click), and
    SituationChanged.
    """
    secret = ids.new_secret()
    release()  # what was read before must not stand in the way of writing (SQLite)
    if _code_at_once(situation, secret):
        return secret
    with hot.transaction() as on:
        authorization_id = _grant(on, situation)
        on.run(statements.INSERT_CODE, authorization_id=authorization_id, **_code_row(situation, secret))
    return secret


def _code_at_once(situation: Situation, secret: str) -> bool:
    """Store everything with one claim, for who acts for themselves: neither delegation nor face check can be lost.

    Returns False when it is not so, or something else is not as it was: then step by step.
    """
    if situation.unit_id is not None or situation.request.pushed or situation.represented is not None:
        return False
    granted = situation.granted(hot.reader())
    if isinstance(granted, Refused):
        return False
    granted = _consented(situation, granted)
    place = {"session_id": situation.subject.session_id, "client_id": situation.client.client_id}
    joined = portal_sessions.find(hot.reader(), **place, unit_id=None)
    sid, authorization_id = joined or portal_sessions.new_id(), ids.new_id("a_")
    rows = (
        {"id": authorization_id, "portal_session_id": sid, "authorization_id": authorization_id}
        | columns(_entry(situation, granted, authorization_id, sid))
        | _columns(situation, granted)
        | _code_row(situation, secret)
    )
    interaction_id = situation.progress.interaction_id
    claim = statements.in_place(joins=bool(joined), finishes=interaction_id is not None)
    opens = () if joined else (portal_sessions.OPEN,)
    writes = (*opens, statements.INSERT_AUTHORIZATION, INSERT_ENTRY, statements.INSERT_CODE)
    session_id = situation.subject.session_id
    return hot.claim_and_write(claim, writes, session_id=session_id, interaction_id=interaction_id, **rows)


def _code_row(situation: Situation, secret: str) -> dict[str, Any]:
    return {
        "code_hash": ids.fingerprint(secret),
        "client_id": situation.client.client_id,
        "redirect_uri": situation.request.redirect_uri,
        "code_challenge": situation.request.code_challenge,
        "dpop_jkt": situation.request.dpop_jkt,
        "expires_at": clock.millis() + _code_lifetime(situation) * 1000,
    }


def _code_lifetime(situation: Situation) -> int:
    """Seconds. FAPI 2.0 Security Profile §5.3.2.1: at most 60."""
    lifetime = settings().code_lifetime
    return min(lifetime, LONGEST_FAPI_CODE) if situation.client.protocol.profile else lifetime


def to_device(situation: Situation, device_id: str) -> None:
    """Store what the client is granted, for the device that waits (RFC 8628 §3.5).

    Raises InteractionGone, SituationChanged as `code` does, and DeviceGone when the device's code expired meanwhile.
    """
    release()
    with hot.transaction() as on:
        device_codes.approve(on, device_id, _grant(on, situation))


def _grant(on: hot.Executor, situation: Situation) -> str:
    """Claim the end of the interaction, store the authorization and return its id."""
    _claim(on, situation)
    held = on.one(statements.HOLD_SESSION, id=situation.subject.session_id, client_id=situation.client.client_id)
    if held is None:
        raise SituationChanged
    if held[0] is not None:  # disabled, and this process does not know it yet
        raise InteractionGone
    granted = situation.granted(on)
    if isinstance(granted, Refused):
        raise SituationChanged
    granted = _consented(situation, granted)
    _use_check(on, situation, granted)
    return _store(on, situation, granted)


def _use_check(on: hot.Executor, situation: Situation, granted: Granted) -> None:
    """U18: what a unit's own account does it does by a face check, which serves once."""
    check = situation.represented
    if check is None:
        return
    # Not granted: an agent was bound, or the business closed, at this very moment.
    if check.business not in granted.businesses or not representing.claim(on, check, situation.subject.subject_id):
        raise SituationChanged


def refusal(situation: Situation, error: OAuth2Error) -> None:
    """Close the interaction with an error for the client. Raises InteractionGone when it was finished meanwhile."""
    if situation.progress.interaction_id is None and situation.request.pushed is None:
        return
    release()
    with hot.transaction() as on:
        _claim(on, situation)
        if situation.request.device is not None:
            device_codes.refuse(on, situation.request.device)
        record(
            on,
            Entry(
                "authorization.refused",
                actor_id=situation.who.subject_id if situation.who else None,
                client_id=situation.client.client_id,
                outcome="refused",
                details={"error": str(error.error)},
            ),
        )


def _claim(on: hot.Executor, situation: Situation) -> None:
    interaction_id = situation.progress.interaction_id
    if interaction_id is not None and not interactions.finish(on, interaction_id):
        raise InteractionGone
    pushed = situation.request.pushed
    if pushed is not None and not pushed_requests.claim(on, pushed):  # RFC 9126 §4: it serves once
        raise InteractionGone


def _consented(situation: Situation, granted: Granted) -> Granted:
    """Leave out what the person did not agree to; to sign in at all they have agreed."""
    if not situation.client.consent_required:
        return granted
    given = situation.consented
    return replace(
        granted,
        scope=tuple(each for each in granted.scope if each in given or each == OPENID),
        businesses=tuple(each for each in granted.businesses if each in given),
        claims_scope=tuple(each for each in granted.claims_scope if each in given),
    )


def _store(on: hot.Executor, situation: Situation, granted: Granted) -> str:
    who, client_id = situation.subject, situation.client.client_id
    sid = portal_sessions.open_or_join(
        on,
        session_id=who.session_id,
        client_id=client_id,
        subject_id=who.subject_id,
        unit_id=situation.unit_id,
    )
    authorization_id = ids.new_id("a_")
    on.run(statements.INSERT_AUTHORIZATION, id=authorization_id, portal_session_id=sid, **_columns(situation, granted))
    record(on, _entry(situation, granted, authorization_id, sid))
    return authorization_id


def _entry(situation: Situation, granted: Granted, authorization_id: str, sid: str) -> Entry:
    details = {"authorization": authorization_id, "scope": list(granted.scope), "sid": sid}
    if situation.represented is not None:
        details["representative_check"] = situation.represented.check_id
    return Entry(
        "authorization.granted",
        actor_id=situation.subject.subject_id,
        subject_id=situation.subject.subject_id,
        unit_id=situation.unit_id,
        client_id=situation.client.client_id,
        details=details,
    )


def _columns(situation: Situation, granted: Granted) -> dict[str, Any]:
    """Return what the row of an authorization says beside its keys. `auth_time` is that of the sign-in (trap 3)."""
    who, request = situation.subject, situation.request
    return {
        "client_id": situation.client.client_id,
        "kind": who.kind.value,
        "subject_id": who.subject_id,
        "unit_id": situation.unit_id,
        "scope": " ".join(granted.scope),
        "businesses": " ".join(granted.businesses),
        "resource": " ".join(request.resources or resources.registered(situation.client)[:1]),
        "nonce": request.nonce,
        "claims": json.dumps(claims.allowed(request.claims, granted.to_consent), separators=(",", ":")),
        "auth_time": who.auth_time,
        "acr": situation.level.urn,
        "amr": " ".join(amr_claim(situation.methods)),
        "now": clock.millis(),
    }
