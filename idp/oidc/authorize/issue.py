"""Issuing the authorization code: everything that it stands for is written in ONE transaction.

Authlib checks, then stores, then answers, each on its own; parallel requests meet in between (DESIGN 3, traps 1–3).
Here the end of the interaction is claimed first, the session is held until the commit, and what the person may do is
asked once more inside, so that a sign-out, an unbinding or a second click at the same moment finds either all or
nothing.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients import consents
from idp.delegation.acting import Refused
from idp.delegation.granting import Granted
from idp.oidc.authorize.situation import Situation
from idp.oidc.errors import OAuth2Error
from idp.rules.levels import amr_claim
from idp.sessions import interactions, portal_sessions
from idp.sessions.interactions import InteractionGone
from idp.sessions.model import Authorization, AuthorizationCode, BrowserSession
from idp.settings import settings
from idp.store import hot
from idp.store.base import from_millis
from idp.store.db import transaction

OPENID = "openid"


class SituationChanged(Exception):
    """Between the last need and the transaction something changed: the needs must be asked anew."""


def code(situation: Situation) -> str:
    """Store what the client is granted and return the authorization code for it: 256 bits, kept as SHA-256.

    Raises InteractionGone when the interaction was finished meanwhile (by another tab, or by a second click), and
    SituationChanged.
    """
    secret = ids.new_secret()
    with transaction() as session:
        _claim(session, situation)
        _hold_session(session, situation)
        granted = situation.granted(hot.within(session))
        if isinstance(granted, Refused):
            raise SituationChanged
        _store(session, situation, _consented(session, situation, granted), secret)
    return secret


def refusal(situation: Situation, error: OAuth2Error) -> None:
    """Close the interaction with an error for the client. Raises InteractionGone when it was finished meanwhile."""
    if situation.progress.interaction_id is None:
        return
    with transaction() as session:
        _claim(session, situation)
        record(
            session,
            Entry(
                "authorization.refused",
                actor_id=situation.who.subject_id if situation.who else None,
                client_id=situation.client.client_id,
                outcome="refused",
                details={"error": str(error.error)},
            ),
        )


def _claim(session: Session, situation: Situation) -> None:
    interaction_id = situation.progress.interaction_id
    if interaction_id is not None and not interactions.finish(session, interaction_id):
        raise InteractionGone


def _hold_session(session: Session, situation: Situation) -> None:
    """Let nobody end the browser session until this commits: a portal session under it would never be told.

    SQLite has one writer anyway.
    """
    alive = session.scalars(
        select(BrowserSession.id)
        .where(BrowserSession.id == situation.subject.session_id, BrowserSession.ended_at.is_(None))
        .with_for_update(read=True)
    ).one_or_none()
    if alive is None:
        raise SituationChanged


def _consented(session: Session, situation: Situation, granted: Granted) -> Granted:
    """Leave out what the person did not agree to; to sign in at all they have agreed."""
    if not situation.client.consent_required:
        return granted
    given = consents.given(
        session,
        subject_id=situation.subject.subject_id,
        client_id=situation.client.client_id,
        unit_id=situation.unit_id,
    )
    return Granted(
        tuple(each for each in granted.scope if each in given or each == OPENID),
        tuple(each for each in granted.businesses if each in given),
        granted.acting,
    )


def _store(session: Session, situation: Situation, granted: Granted, secret: str) -> None:
    now, who, request = clock.now(), situation.subject, situation.request
    sid = portal_sessions.open_or_join(
        session,
        session_id=who.session_id,
        client_id=situation.client.client_id,
        subject_id=who.subject_id,
        unit_id=situation.unit_id,
    )
    authorization = Authorization(
        id=ids.new_id("a_"),
        portal_session_id=sid,
        client_id=situation.client.client_id,
        kind=who.kind,
        subject_id=who.subject_id,
        unit_id=situation.unit_id,
        scope=" ".join(granted.scope),
        businesses=" ".join(granted.businesses),
        # RFC 9068 §3: without a resource the audience is a default of ours, the provider's own UserInfo.
        resource=request.resource or situation.client.resource or settings().issuer,
        nonce=request.nonce,
        claims=request.claims,
        auth_time=from_millis(who.auth_time),
        acr=situation.level.urn,
        amr=" ".join(amr_claim(who.amr)),
        created_at=now,
    )
    session.add(authorization)
    session.flush()
    session.add(
        AuthorizationCode(
            code_hash=ids.fingerprint(secret),
            authorization_id=authorization.id,
            client_id=authorization.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            expires_at=now + timedelta(seconds=settings().code_lifetime),
        )
    )
    record(
        session,
        Entry(
            "authorization.granted",
            actor_id=who.subject_id,
            subject_id=who.subject_id,
            unit_id=situation.unit_id,
            client_id=situation.client.client_id,
            details={"authorization": authorization.id, "scope": list(granted.scope), "sid": sid},
        ),
    )
