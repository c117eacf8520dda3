"""What a sensitive action demands of the sign-in behind it, and what one lacks (RFC 9470).

Our API says it in a challenge, our pages in an authorization request: it is one rule for both.
"""

from dataclasses import dataclass

from relying_parties.shared import clock

DEMANDED = "urn:jingban:acr:L2"
ENOUGH = frozenset({DEMANDED, "urn:jingban:acr:L3"})
MAX_AGE = 10 * 60
"""Seconds for which a sign-in counts as recent."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is missing: a higher level, a more recent sign-in, or both."""

    acr_values: str | None
    max_age: int | None

    @property
    def description(self) -> str:
        """Return it in words for the developer of a client (RFC 9470 §3)."""
        if self.acr_values is None:
            return "More recent authentication is required"
        return "A different authentication level is required"

    def parameters(self) -> dict[str, str]:
        """Return it as parameters, which challenge and authorization request have in common (RFC 9470 §3, §4)."""
        said = {"acr_values": self.acr_values, "max_age": None if self.max_age is None else str(self.max_age)}
        return {name: value for name, value in said.items() if value is not None}


def lacking(acr: str | None, auth_time: int | None) -> Challenge | None:
    """Return what a sign-in of level `acr` at `auth_time` (seconds) lacks; None if it does for a sensitive action.

    A sign-in that does not say how or when it was lacks it.
    """
    strong = acr in ENOUGH
    recent = auth_time is not None and clock.now() - auth_time <= MAX_AGE
    if strong and recent:
        return None
    return Challenge(None if strong else DEMANDED, None if recent else MAX_AGE)
