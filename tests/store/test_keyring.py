"""Signing keys: next, then active, then retired; published before they sign and until nobody needs them."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from joserfc import jwk, jwt
from sqlalchemy import select, text, update

from idp import clock
from idp.settings import settings
from idp.store import hot, keyring
from idp.store.db import db, transaction
from idp.store.keyring import ALGORITHMS, NextKeyTooYoung, NoSigningKey, UnknownAlgorithm
from idp.store.signing_keys import SigningKey
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys


def _states(alg: str) -> dict[str, str]:
    db.session.rollback()
    rows = db.session.execute(select(SigningKey.kid, SigningKey.state).where(SigningKey.alg == alg))
    return {state: kid for kid, state in rows}


def _published() -> list[dict[str, str]]:
    keys = json.loads(keyring.jwks())["keys"]
    assert isinstance(keys, list)
    return keys


def test_without_keys_nothing_signs(app: Flask) -> None:
    assert keyring.algorithms_without_active_key() == list(ALGORITHMS)
    with pytest.raises(NoSigningKey):
        keyring.signer("RS256")


def test_ensure_keys_gives_every_algorithm_an_active_and_a_next_key_once(app: Flask) -> None:
    keyring.ensure_keys()
    before = [(key.kid, key.state) for key in keyring.all_keys()]
    keyring.ensure_keys()
    assert [(key.kid, key.state) for key in keyring.all_keys()] == before
    assert Counter(key.alg for key in keyring.all_keys()) == dict.fromkeys(ALGORITHMS, 2)
    assert keyring.algorithms_without_active_key() == []


def test_many_processes_may_ensure_keys_at_once(app: Flask) -> None:
    """What races is the insert: each process made its own keys, one of each kind stays."""

    def start() -> None:
        with app.app_context(), transaction() as session:
            for state in ("active", "next"):
                keyring._insert(session, "ES256", state, keyring._generate("ES256"))

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(start) for _ in range(8)]:
            done.result()
    assert sorted(key.state for key in keyring.all_keys()) == ["active", "next"]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864 renames it; clients know the old name
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_signer_is_exactly_the_active_key_and_its_signature_verifies_by_the_jwks(app: Flask, alg: str) -> None:
    """STACK: a key set with two keys signs with a random one."""
    plant_keys()
    signer = keyring.signer(alg)
    assert signer.kid == _states(alg)["active"]
    header = {"alg": alg, "kid": signer.kid}
    token = jwt.encode(header, {"sub": "p_1"}, signer.key, algorithms=[alg])
    public = {key["kid"]: key for key in _published()}[signer.kid]
    assert jwt.decode(token, jwk.import_key(public), algorithms=[alg]).claims == {"sub": "p_1"}


def test_the_jwks_holds_active_and_next_keys_and_no_private_part(app: Flask) -> None:
    plant_keys()
    keys = _published()
    assert Counter(key["alg"] for key in keys) == dict.fromkeys(ALGORITHMS, 2)
    assert [key["alg"] for key in keys][:4] == sorted(ALGORITHMS)  # active ones first
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


def test_private_parts_are_encrypted_at_rest(app: Flask) -> None:
    plant_keys()
    stored = db.session.execute(text("SELECT private_jwk FROM signing_key")).scalars().all()
    assert len(stored) == 2 * len(ALGORITHMS)
    assert all(b'"d"' not in bytes(blob) and b"kty" not in bytes(blob) for blob in stored)


def test_a_key_is_not_used_before_it_was_published_long_enough(app: Flask, moved_clock: MovedClock) -> None:
    plant_keys()
    with transaction() as session:
        session.execute(update(SigningKey).values(created_at=clock.now()))
    with pytest.raises(NextKeyTooYoung):
        keyring.rotate("ES256")
    moved_clock.advance(timedelta(seconds=settings().key_publish_ahead))
    assert keyring.rotate("ES256") == [keyring.signer("ES256").kid]


def test_rotation_retires_the_active_key_and_wipes_its_private_part(app: Flask) -> None:
    plant_keys()
    before = _states("ES256")
    assert keyring.rotate("ES256", at_once=True) == [before["next"]]
    after = _states("ES256")
    assert after["active"] == before["next"]
    assert after["retired"] == before["active"]
    assert after["next"] not in before.values()
    retired = db.session.execute(select(SigningKey).where(SigningKey.state == "retired")).scalar_one()
    assert retired.private_jwk is None
    assert _states("RS256").keys() == {"active", "next"}


def test_a_retired_key_verifies_until_no_session_needs_it_and_is_then_deleted(
    app: Flask, moved_clock: MovedClock
) -> None:
    plant_keys()
    old = keyring.signer("ES256")
    keyring.rotate("ES256", at_once=True)
    assert keyring.verifier(old.kid) is not None
    assert old.kid in {key["kid"] for key in _published()}
    moved_clock.advance(timedelta(seconds=settings().session_absolute, milliseconds=1))
    assert keyring.verifier(old.kid) is None
    assert old.kid not in {key["kid"] for key in _published()}
    keyring.rotate_on_schedule()
    assert "retired" not in _states("ES256")


def test_rotation_by_schedule_waits_for_the_age_of_the_active_key(app: Flask, moved_clock: MovedClock) -> None:
    plant_keys()
    with transaction() as session:
        session.execute(update(SigningKey).values(created_at=clock.now()))
        session.execute(update(SigningKey).where(SigningKey.state == "active").values(activated_at=clock.now()))
    before = _states("ES256")
    keyring.rotate_on_schedule()
    assert _states("ES256") == before
    moved_clock.advance(timedelta(seconds=settings().key_active_for))
    keyring.rotate_on_schedule()
    assert _states("ES256")["active"] == before["next"]
    with app.app_context():
        assert keyring.signer("ES256").kid == before["next"]


def test_of_two_rotations_at_once_one_does_it(app: Flask) -> None:
    plant_keys()

    def rotate() -> str | None:
        with app.app_context():
            return keyring._rotate("ES256")

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(rotate) for _ in range(2)]
    results = [each.result() for each in done]
    rows = db.session.execute(select(SigningKey.state).where(SigningKey.alg == "ES256")).scalars().all()
    retired = Counter(rows)["retired"]
    assert Counter(rows) == {"active": 1, "next": 1, "retired": retired}
    assert retired == sum(result is not None for result in results) >= 1


def test_another_process_sees_a_rotation_within_seconds(
    app: Flask, make_app: MakeApp, migrated_url: str, moved_clock: MovedClock
) -> None:
    plant_keys()
    other = make_app(migrated_url)
    with other.app_context():
        before = keyring.signer("ES256").kid
    keyring.rotate("ES256", at_once=True)
    with other.app_context():
        assert keyring.signer("ES256").kid == before
        moved_clock.advance(timedelta(milliseconds=keyring.TRUST_MS))
        assert keyring.signer("ES256").kid != before


def test_an_unchanged_key_is_parsed_once(app: Flask, moved_clock: MovedClock) -> None:
    """DESIGN 9: parsing an RSA private key takes 34 ms."""
    plant_keys()
    before = keyring.signer("RS256")
    keyring.rotate("ES256", at_once=True)
    moved_clock.advance(timedelta(seconds=10))
    assert keyring.signer("RS256").key is before.key


def test_a_clock_that_is_set_back_does_not_keep_a_copy_for_ever(
    app: Flask, make_app: MakeApp, migrated_url: str, moved_clock: MovedClock
) -> None:
    plant_keys()
    other = make_app(migrated_url)
    with other.app_context():
        before = keyring.signer("ES256").kid
    keyring.rotate("ES256", at_once=True)
    moved_clock.advance(timedelta(hours=-1))
    with other.app_context():
        assert keyring.signer("ES256").kid != before


def test_keys_are_read_inside_a_hot_transaction_too(app: Flask) -> None:
    """The token endpoint signs between claim and commit; on SQLite a second connection would wait for itself."""
    plant_keys()
    with hot.transaction():
        assert keyring.signer("RS256").alg == "RS256"


def test_an_algorithm_that_is_not_ours_cannot_be_rotated(app: Flask) -> None:
    with pytest.raises(UnknownAlgorithm):
        keyring.rotate("HS256")
