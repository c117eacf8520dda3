"""A `jti` serves once, for each kind and issuer."""

from datetime import timedelta

from flask import Flask

from idp import clock
from idp.jobs import forget_what_expired
from idp.oidc import replay
from idp.oidc.replay import Kind
from idp.store import hot
from tests.support.clocks import MovedClock, moved_clock

__all__ = ["moved_clock"]


def claim(kind: Kind, issued_by: str, jti: str) -> bool:
    with hot.transaction() as on:
        return replay.claim(on, kind, issued_by, jti, expires_at=clock.millis() + 60_000)


def test_a_jti_serves_once(app: Flask) -> None:
    assert claim(Kind.DPOP_PROOF, "key", "1")
    assert not claim(Kind.DPOP_PROOF, "key", "1")


def test_kinds_and_issuers_do_not_mix(app: Flask) -> None:
    assert claim(Kind.DPOP_PROOF, "key", "1")
    assert claim(Kind.CLIENT_ASSERTION, "key", "1")
    assert claim(Kind.DPOP_PROOF, "other", "1")
    assert claim(Kind.DPOP_PROOF, "ke", "y\x001")


def test_it_is_forgotten_when_its_token_is_too_old(app: Flask, moved_clock: MovedClock) -> None:
    assert claim(Kind.DPOP_PROOF, "key", "1")
    moved_clock.advance(timedelta(seconds=61))
    forget_what_expired()
    assert claim(Kind.DPOP_PROOF, "key", "1")
