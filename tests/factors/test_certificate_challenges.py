"""What is signed with a digital certificate's key, or waits for the browser that presented it (P8): bound, once."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from idp.factors.certificates import accounts, challenges, errors, proofs, reading
from idp.factors.certificates.challenges import Door, Purpose
from idp.factors.certificates.proofs import Proven
from idp.factors.model import Certificate
from idp.store.db import db
from tests.factors.certifying import ASKED, HERE, PERSON, app, person_id
from tests.factors.sessions import BROWSER
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority
from tests.support.clocks import MovedClock, moved_clock
from tests.support.parallel import all_at_once

__all__ = ["app", "moved_clock", "person_id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"browser_id": "another"},
        {"purpose": Purpose.STEP_UP},
        {"owner_id": "p_somebody"},
        {"interaction_id": "another"},
    ],
)
def test_a_challenge_is_bound(ca: RunningAuthority, person_id: str, changes: dict[str, Any]) -> None:
    """To browser, purpose, account and interaction."""
    other = replace(ASKED, **changes)
    challenge = challenges.begin(other, Door.SIGN)
    token = ca.person()
    signature = token.signature(challenges.to_sign(Purpose.SIGN_IN, challenge))
    with pytest.raises(errors.ChallengeGone):
        proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), signature)


def test_a_challenge_expires(ca: RunningAuthority, person_id: str, moved_clock: MovedClock) -> None:
    challenge = challenges.begin(ASKED, Door.SIGN)
    moved_clock.advance(challenges.LIFETIME + timedelta(seconds=1))
    with pytest.raises(errors.ChallengeGone):
        challenges.claim(challenge, ASKED)


@pytest.mark.parametrize("challenge", ["", "unknown", "é", "x" * 5000])
def test_a_challenge_that_was_never_given(app: Flask, challenge: str) -> None:
    with pytest.raises(errors.ChallengeGone):
        challenges.claim(challenge, ASKED)
    with pytest.raises(errors.ChallengeGone):
        challenges.present(challenge, "")
    with pytest.raises(errors.ChallengeGone):
        challenges.claim_presented(challenge, HERE)


def test_a_wrong_signature_uses_it_up(ca: RunningAuthority, person_id: str) -> None:
    """… and the signature of another key, over another line, or none."""
    token, other = ca.person(), ca.person()
    challenge = challenges.begin(ASKED, Door.SIGN)
    line = challenges.to_sign(Purpose.SIGN_IN, challenge)
    for signature in (other.signature(line), token.signature("x" + line), b"", b"\x30\x00"):
        challenge = challenges.begin(ASKED, Door.SIGN)
        line = challenges.to_sign(Purpose.SIGN_IN, challenge)
        with pytest.raises(errors.SignatureWrong):
            proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), signature)
        with pytest.raises(errors.ChallengeGone):
            proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), token.signature(line))


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_what_an_editor_leaves_at_the_end(ca: RunningAuthority, person_id: str, ending: str) -> None:
    token, challenge = ca.person(), challenges.begin(ASKED, Door.SIGN)
    signature = token.signature(challenges.to_sign(Purpose.SIGN_IN, challenge) + ending)
    assert proofs.by_signature(ASKED, challenge, reading.from_text(token.pem), signature)


def test_a_signature_names_who_asked_and_what_for(app: Flask) -> None:
    """One that another site obtained, or one for another purpose, serves nowhere else."""
    assert challenges.to_sign(Purpose.ENROL, "abc") == "jingban-certificate http://localhost:8000 enrol abc"


def test_of_parallel_requests_with_one_signature_one_gets_through(
    make_app: MakeApp, migrated_postgres_url: str, ca: RunningAuthority
) -> None:
    """One conditional UPDATE decides, on PostgreSQL; and of parallel first uses one adds the certificate."""
    app = make_app(migrated_postgres_url, **ca.settings)
    with app.app_context():
        rows.person()
        token = ca.person()
        challenge = challenges.begin(ASKED, Door.SIGN)
        signature = token.signature(challenges.to_sign(Purpose.SIGN_IN, challenge))
        presented = reading.from_text(token.pem)
        results = all_at_once(app, [partial(proofs.by_signature, ASKED, challenge, presented, signature)] * 4)
        [proven] = [each for each in results if isinstance(each, Proven)]
        assert sum(isinstance(each, errors.ChallengeGone) for each in results) == 3
        tokens = all_at_once(app, [partial(accounts.sign_in_by, proven, PERSON, BROWSER, None)] * 4)
        assert all(isinstance(each, str) for each in tokens), tokens
        assert db.session.scalars(select(func.count()).select_from(Certificate)).one() == 1


def test_what_was_presented_is_taken_once_and_by_its_browser(ca: RunningAuthority, app: Flask) -> None:
    """Who lures another's browser to the address for certificates gets nothing by it."""
    challenge = challenges.begin(ASKED, Door.PRESENT)
    code = challenges.present(challenge, ca.person().pem)
    with pytest.raises(errors.ChallengeGone):
        challenges.present(challenge, ca.person().pem)
    with pytest.raises(errors.ChallengeGone):
        challenges.claim(challenge, ASKED)
    with pytest.raises(errors.ChallengeGone):
        challenges.claim_presented(code, "another")
    assert challenges.claim_presented(code, HERE).asked == ASKED
    with pytest.raises(errors.ChallengeGone):
        challenges.claim_presented(code, HERE)


def test_what_waits_is_encrypted(ca: RunningAuthority, app: Flask) -> None:
    challenges.present(challenges.begin(ASKED, Door.PRESENT), ca.person().pem)
    kept = db.session.execute(text("SELECT chain FROM certificate_challenge")).scalar_one()
    assert b"BEGIN CERTIFICATE" not in kept
