"""What is signed with a certificate's key, or presented a certificate for: once, by one browser, for one purpose.

Two doors. `sign`: the page shows a text, the holder signs it outside of the browser, and the same page takes the
signature. `present`: the browser goes to the address at which the proxy asks for a client certificate, with the
challenge; what it presents there is kept, and a second secret leads it back. Whoever lures somebody else's browser to
that address learns nothing: the second secret goes to that other browser, which has no such challenge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute

from idp import clock, ids
from idp.factors.certificates.errors import ChallengeGone
from idp.factors.model import CertificateChallenge
from idp.settings import settings
from idp.store.db import db, release, transaction

LIFETIME = timedelta(minutes=10)
"""Long enough to find the token and to type a command."""

NOBODY = ""
NO_INTERACTION = ""
_LONGEST = 100


class Purpose(StrEnum):
    """What a challenge is for: an answer to one is no answer to another."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    ENROL = "enrol"


class Door(StrEnum):
    """How the challenge is answered."""

    SIGN = "sign"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for a certificate and what for, and where the browser goes on afterwards."""

    purpose: Purpose
    browser_id: str
    owner_id: str = NOBODY
    tab: str = "person"
    as_unit: bool = False
    interaction_id: str = NO_INTERACTION
    next_path: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A certificate that this browser presented at the other address, as PEM, and what it had been asked."""

    asked: Asked
    chain: str


def begin(asked: Asked, door: Door) -> str:
    """Return a new challenge."""
    challenge = ids.new_secret()
    row = CertificateChallenge(
        challenge_hash=ids.fingerprint(challenge),
        door=door,
        purpose=asked.purpose,
        browser_id=asked.browser_id,
        owner_id=asked.owner_id,
        tab=asked.tab,
        as_unit=asked.as_unit,
        interaction_id=asked.interaction_id,
        next_path=asked.next_path,
        expires_at=clock.now() + LIFETIME,
    )
    release()
    with transaction() as session:
        session.add(row)
    return challenge


def to_sign(purpose: Purpose, challenge: str) -> str:
    """Return the line that is signed: it names who asks and what for, so that a signature serves nowhere else."""
    return f"jingban-certificate {settings().issuer} {purpose} {challenge}"


def claim(challenge: str, asked: Asked) -> None:
    """Use up a challenge that was signed. Raises ChallengeGone but for one caller, who may look at the signature."""
    which = (
        CertificateChallenge.door == Door.SIGN,
        CertificateChallenge.purpose == asked.purpose,
        CertificateChallenge.browser_id == asked.browser_id,
        CertificateChallenge.owner_id == asked.owner_id,
        CertificateChallenge.interaction_id == asked.interaction_id,
    )
    _claim_open(CertificateChallenge.challenge_hash, challenge, *which, used_at=clock.now())


def present(challenge: str, chain: str) -> str:
    """Keep what was presented for this challenge, once; return the secret that leads back. Raises ChallengeGone."""
    code = ids.new_secret()
    which = (CertificateChallenge.door == Door.PRESENT, CertificateChallenge.code_hash.is_(None))
    kept = {"chain": chain, "code_hash": ids.fingerprint(code)}
    _claim_open(CertificateChallenge.challenge_hash, challenge, *which, **kept)
    return code


def claim_presented(code: str, browser_id: str) -> Answered:
    """Return what this browser presented: once. Raises ChallengeGone."""
    here = CertificateChallenge.browser_id == browser_id
    row = _claim_open(CertificateChallenge.code_hash, code, here, used_at=clock.now())
    if row[-1] is None:
        raise ChallengeGone
    return Answered(_asked(row), row[-1])


def begun_here(challenge: str, browser_id: str) -> Asked:
    """Return what this browser was asked, used up or not: it says where to go on when nothing came of it.

    Raises ChallengeGone.
    """
    if not _can_be(challenge):
        raise ChallengeGone
    row = (
        db.session()
        .execute(
            select(*_ASKED).where(
                CertificateChallenge.challenge_hash == ids.fingerprint(challenge),
                CertificateChallenge.browser_id == browser_id,
            )
        )
        .one_or_none()
    )
    if row is None:
        raise ChallengeGone
    return _asked(row)


_ASKED = (
    CertificateChallenge.purpose,
    CertificateChallenge.browser_id,
    CertificateChallenge.owner_id,
    CertificateChallenge.tab,
    CertificateChallenge.as_unit,
    CertificateChallenge.interaction_id,
    CertificateChallenge.next_path,
)


def _claim_open(
    place: InstrumentedAttribute[Any], secret: str, *which: ColumnElement[bool], **values: object
) -> Sequence[Any]:
    """Change the one open challenge that has the secret in `place` and is like `which`; return what it holds.

    That is `_ASKED`, then the chain. Raises ChallengeGone but for one caller.
    """
    if not _can_be(secret):
        raise ChallengeGone
    is_open = (CertificateChallenge.used_at.is_(None), CertificateChallenge.expires_at > clock.now())
    with transaction() as session:
        row = session.execute(
            update(CertificateChallenge)
            .where(place == ids.fingerprint(secret), *which, *is_open)
            .values(**values)
            .returning(*_ASKED, CertificateChallenge.chain)
        ).one_or_none()
    if row is None:
        raise ChallengeGone
    return row


def _asked(row: Sequence[Any]) -> Asked:
    purpose, browser_id, owner_id, tab, as_unit, interaction_id, next_path = row[: len(_ASKED)]
    return Asked(Purpose(purpose), browser_id, owner_id, tab, as_unit, interaction_id, next_path)


def _can_be(secret: str) -> bool:
    return secret.isascii() and 0 < len(secret) <= _LONGEST
