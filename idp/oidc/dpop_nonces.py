"""Nonces that a DPoP proof must repeat (RFC 9449 §8): proofs made ahead of time are of no use.

A nonce is a keyed hash of the time step, so every process knows it and nothing is stored. The current one and the one
before are taken.
"""

import hmac

from idp import clock
from idp.store.base import vault

STEP = 120  # seconds
LENGTH = 32  # hex characters, 128 bits


def current() -> str:
    """Return the nonce of this moment."""
    return _of(_step())


def is_fresh(nonce: str) -> bool:
    """Whether `nonce` is one of ours and not older than two steps."""
    step = _step()
    sent = nonce.encode()
    return any(hmac.compare_digest(sent, _of(each).encode()) for each in (step, step - 1))


def _step() -> int:
    return clock.timestamp() // STEP


def _of(step: int) -> str:
    return vault().lookup("dpop_nonce", str(step))[:LENGTH]
