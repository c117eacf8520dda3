"""Password hashes: Argon2id, one cost for known and unknown names, bounded, outside of transactions."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from flask import Flask

from idp.sessions import passwords
from idp.store.db import db
from tests.support.application import MakeApp

PASSWORD = "Wise-Owl0000"


def test_a_hash_is_argon2id_under_the_settings(make_app: MakeApp, sqlite_url: str) -> None:
    with make_app(sqlite_url, argon2_memory_kib=9000, argon2_time_cost=3).app_context():
        parameters = extract_parameters(passwords.hash_password(PASSWORD))
    assert (parameters.type, parameters.memory_cost, parameters.time_cost) == (Type.ID, 9000, 3)


def test_right_and_wrong(make_app: MakeApp, sqlite_url: str) -> None:
    with make_app(sqlite_url).app_context():
        stored = passwords.hash_password(PASSWORD)
        assert passwords.check(stored, PASSWORD) == passwords.Checked(right=True)
        assert not passwords.check(stored, PASSWORD + "x").right
        assert not passwords.check(stored, "").right
        assert not passwords.check("not a hash", PASSWORD).right


def test_nobody_has_no_password(make_app: MakeApp, sqlite_url: str) -> None:
    """An account that signs in at the province only has no hash; nothing opens it."""
    with make_app(sqlite_url).app_context():
        assert not passwords.check(None, PASSWORD).right


def test_the_same_password_in_another_encoding_is_right(make_app: MakeApp, sqlite_url: str) -> None:
    """RFC 8265: é as one character or as two."""
    with make_app(sqlite_url).app_context():
        assert passwords.check(passwords.hash_password("Caf\u00e9-Owl-2"), "Cafe\u0301-Owl-2").right


def test_a_hash_under_weaker_settings_is_renewed(make_app: MakeApp, sqlite_url: str) -> None:
    with make_app(sqlite_url, argon2_time_cost=1).app_context():
        old = passwords.hash_password(PASSWORD)
    with make_app(sqlite_url, argon2_time_cost=2).app_context():
        checked = passwords.check(old, PASSWORD)
        assert checked.right
        assert checked.fresh_hash is not None
        assert extract_parameters(checked.fresh_hash).time_cost == 2
        assert passwords.check(checked.fresh_hash, PASSWORD) == passwords.Checked(right=True)
        assert passwords.check(old, "wrong").fresh_hash is None


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return (time.thread_time() - begun) * 1000


def test_unknown_costs_what_known_costs(make_app: MakeApp, sqlite_url: str) -> None:
    """P9: under the settings of production, measured in turns; medians may differ by the noise of a machine only."""
    with make_app(sqlite_url, argon2_memory_kib=19456, argon2_time_cost=2).app_context():
        stored = passwords.hash_password(PASSWORD)
        works = (partial(passwords.check, stored, "wrong"), partial(passwords.check, None, "wrong"))
        pairs = [[milliseconds(work) for work in works] for _ in range(11)]
    known, unknown = (sorted(column)[5] for column in zip(*pairs, strict=True))
    assert known > 5
    assert 0.6 < unknown / known < 1.6


def test_so_many_at_once_and_no_more(make_app: MakeApp, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(sqlite_url, argon2_parallel=2)
    running, most, lock = 0, 0, threading.Lock()
    with app.app_context():
        stored = passwords.hash_password(PASSWORD)
        argon2 = type(app.extensions["jingban.passwords"].argon2)
        verify = argon2.verify

    def watched(self: object, stored: str, password: bytes) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            time.sleep(0.02)
            return bool(verify(self, stored, password))
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(argon2, "verify", watched)

    def check() -> None:
        with app.app_context():
            assert passwords.check(stored, PASSWORD).right

    threads = [threading.Thread(target=check) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_no_connection_is_held_meanwhile(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 9: the database is given back before the slow part begins."""
    stored = passwords.hash_password(PASSWORD)
    argon2 = type(app.extensions["jingban.passwords"].argon2)
    verify = argon2.verify
    held: list[bool] = []

    def watched(self: object, stored: str, password: bytes) -> bool:
        held.append(db.session().in_transaction())
        return bool(verify(self, stored, password))

    monkeypatch.setattr(argon2, "verify", watched)
    db.session().connection()
    assert passwords.check(stored, PASSWORD).right
    assert held == [False]
