"""Limits by address: in Redis or in memory, and never gone when Redis is away."""

import time

import pytest
from flask import Flask

from idp import limits
from idp.limits import ProcessStorage, TooOften
from idp.settings import Settings
from tests.support.application import MakeApp


def counted(app: Flask, address: str = "192.0.2.1") -> bool:
    """Tell whether one more sign-in from `address` is let through."""
    with app.test_request_context("/sign-in", method="POST", environ_base={"REMOTE_ADDR": address}):
        try:
            limits.sign_in()
        except TooOften:
            return False
    return True


def test_so_many_from_one_address(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, limit_sign_in="3/minute")
    assert [counted(app) for _ in range(5)] == [True, True, True, False, False]
    assert counted(app, "192.0.2.2")


def test_the_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many in any minute, not in each minute of the clock; what is over is forgotten."""
    counter = ProcessStorage()

    def counted_at(second: float, address: str = "an address", limit: int = 2) -> bool:
        monkeypatch.setattr(time, "time", lambda: 2e9 + second)
        return counter.acquire_entry(address, limit, 60)

    assert [counted_at(second) for second in (0, 40, 59, 61, 62, 101)] == [True, True, False, True, False, True]
    assert not counted_at(102, "nobody may", 0)
    assert counted_at(500, "another address")
    assert list(counter.events) == ["another address"]


def test_each_kind_is_counted_apart(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(sqlite_url, limit_sign_in="1/minute", limit_sms="1/minute", limit_registration="1/minute")
    with app.test_request_context("/sign-in", method="POST"):
        for count in (limits.sign_in, limits.sms, limits.registration):
            count()
            with pytest.raises(TooOften):
                count()


def test_workers_share_redis(make_app: MakeApp, sqlite_url: str, redis_url: str) -> None:
    """Another worker process, here another application on the same Redis, goes on counting."""
    first = make_app(sqlite_url, limit_sign_in="2/minute", redis_url=redis_url)
    assert [counted(first) for _ in range(2)] == [True, True]
    second = make_app(sqlite_url, limit_sign_in="2/minute", redis_url=redis_url)
    assert not counted(second)


def test_without_redis_each_worker_counts_alone(
    make_app: MakeApp, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is locked out, and the limit still holds."""
    monkeypatch.setattr(limits._limiter, "_storage_dead", False)  # which is put back: it is one for all applications
    app = make_app(sqlite_url, limit_sign_in="2/minute", redis_url="unix:///nowhere/redis.sock")
    assert [counted(app) for _ in range(3)] == [True, True, False]


def test_behind_a_proxy_the_callers_address_counts(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, limit_sign_in="1/minute", trusted_proxies=1, log_level="ERROR")
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()

    def status(address: str) -> int:
        data = {"username": "nobody_here", "password": "x"}
        return client.post("/sign-in", data=data, headers={"X-Forwarded-For": address}).status_code

    assert [status("198.51.100.1"), status("198.51.100.1"), status("198.51.100.2")] == [400, 429, 400]


@pytest.mark.parametrize("limit", ["", "many", "0/", "5/fortnight"])
def test_a_limit_that_cannot_be_read_stops_the_start(limit: str) -> None:
    with pytest.raises(ValueError, match="limit_sign_in"):
        Settings(limit_sign_in=limit)
