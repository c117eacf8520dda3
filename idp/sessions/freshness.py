"""What a fresh login is: one answer for everything that asks for one (docs/factors.md, docs/levels.md)."""

from datetime import timedelta

from idp import clock
from idp.sessions.browser_sessions import SignedIn

FRESH_FOR = timedelta(minutes=5)
"""How long ago whoever changes the ways in to an account, or links one by a session alone, may have signed in."""

_FRESH_FOR_MS = FRESH_FOR // timedelta(milliseconds=1)


def is_fresh(who: SignedIn) -> bool:
    """Whether who is signed in proved within FRESH_FOR who they are."""
    return clock.millis() - who.auth_time <= _FRESH_FOR_MS
