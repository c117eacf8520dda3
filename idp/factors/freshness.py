"""Who may change the factors of an account: only whoever has just signed in, and only as strongly as the factor is.

Somebody at an unlocked browser must not be able to leave a passkey of their own behind, and neither must somebody who
found out the password alone, or took over the phone number alone: that would make one factor into two.
"""

from idp.factors import ways
from idp.factors.errors import FreshLoginNeeded, SecondFactorNeeded
from idp.rules.levels import Acr, Amr
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.freshness import is_fresh


def demand(who: SignedIn) -> None:
    """Let pass who signed in freshly. Raises FreshLoginNeeded."""
    if not is_fresh(who):
        raise FreshLoginNeeded


def demand_for_enrolment(who: SignedIn) -> None:
    """Let pass who signed in just now with all that a new factor would bring. Raises as `demand`, SecondFactorNeeded.

    NIST SP 800-63B-4 §4.1.2: an authenticator is bound only in a session of at least the level it is for.
    """
    demand(who)
    if ways.ceiling(who) < Acr.L2:
        raise SecondFactorNeeded


def demand_for_password(who: SignedIn) -> None:
    """Let pass who signed in just now by more than the phone. Raises as `demand`, SecondFactorNeeded.

    A password beside the phone is a second kind of factor. Who comes from an upstream proved to be the owner there.
    """
    demand(who)
    if Amr.FED not in who.amr and ways.ceiling(who) < Acr.L2:
        raise SecondFactorNeeded
