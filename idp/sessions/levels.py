"""The level of a session: what its account proved and how it signed in, as one `acr` (DESIGN 5)."""

from idp.rules.levels import Acr, RealNameLevel, TrustLevel, acr_of
from idp.sessions.browser_sessions import SignedIn


def acr_of_session(who: SignedIn) -> Acr:
    """Return the `acr` that this session has now; lifting the account or a further factor changes it."""
    proofed = RealNameLevel(who.real_name_level) if who.is_person else None
    return acr_of(proofed, TrustLevel(who.trust_level), who.amr)
