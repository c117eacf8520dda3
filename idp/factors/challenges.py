"""Challenges of passkeys: each for one browser, one purpose and one use, whatever its answer is (WebAuthn §13.4.3)."""

import secrets
from datetime import timedelta
from enum import StrEnum

from idp import clock, ids
from idp.factors.model import WebauthnChallenge
from idp.store import hot
from idp.store.db import release, transaction

LIFETIME = timedelta(minutes=5)
BYTES = 32
NOBODY = ""

CLAIM = hot.Statement(
    "DELETE FROM webauthn_challenge WHERE challenge_hash = :challenge_hash AND browser_id = :browser_id "
    "AND purpose = :purpose AND person_id = :person_id AND expires_at > :now RETURNING challenge_hash"
)


class Purpose(StrEnum):
    """What a challenge is for: an answer to one is no answer to another."""

    ENROL = "enrol"
    SIGN_IN = "sign_in"
    STEP_UP = "step_up"


def make(purpose: Purpose, browser_id: str, person_id: str = NOBODY) -> bytes:
    """Return a new challenge for this browser; at sign-in nobody knows yet for whom."""
    challenge = secrets.token_bytes(BYTES)
    row = WebauthnChallenge(
        challenge_hash=ids.fingerprint(challenge.hex()),
        browser_id=browser_id,
        purpose=purpose,
        person_id=person_id,
        expires_at=clock.now() + LIFETIME,
    )
    release()
    with transaction() as session:
        session.add(row)
    return challenge


def claim(challenge: bytes, purpose: Purpose, browser_id: str, person_id: str = NOBODY) -> bool:
    """Use a challenge up: True for exactly one caller, who may look at the answer."""
    found = hot.reader().one(
        CLAIM,
        challenge_hash=ids.fingerprint(challenge.hex()),
        browser_id=browser_id,
        purpose=purpose.value,
        person_id=person_id,
        now=clock.millis(),
    )
    return found is not None
