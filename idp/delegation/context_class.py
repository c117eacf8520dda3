"""How high a session must be for a request, and what its tokens then state as `acr` (DESIGN 5, F3, F6).

Levels are ordered: whoever has L2 has L1 as well.
"""

from sqlalchemy.orm import Session

from idp.clients.registry import RegisteredClient
from idp.delegation import catalogue, for_whom, granting
from idp.rules.levels import Acr, parse_acr
from idp.sessions.authorization_request import AuthorizationRequest


def demanded_of_person(session: Session, client: RegisteredClient, request: AuthorizationRequest) -> Acr:
    """Return the level below which a person gets no positive answer.

    The client's own minimum (F3), what the request calls essential, and, where acting for a unit is no choice, the
    lowest level at which any of the businesses that were asked for can be done (C3).
    """
    floor = 0
    if for_whom.must_act(client, request):
        asked = catalogue.by_code(session, granting.businesses_asked(client, request))
        floor = min((each.min_person_level for each in asked.values()), default=0)
    return max(essential(request), Acr(client.min_person_level), Acr(floor))


def essential(request: AuthorizationRequest) -> Acr:
    """Return the level that the `claims` parameter calls essential (OpenID Connect Core §5.5.1.1)."""
    return min(_known(request.essential_acr), default=Acr.L0)


def voluntary(request: AuthorizationRequest) -> Acr:
    """Return the level that the client would like (`acr_values`); of several, the lowest is enough."""
    return min(_known(request.acr_values), default=Acr.L0)


def next_of_use(session: Session, client: RegisteredClient, request: AuthorizationRequest, level: Acr) -> Acr:
    """Return the lowest level above `level` that another business asked for needs; one higher if none does."""
    asked = catalogue.by_code(session, granting.businesses_asked(client, request))
    above = (each.min_person_level for each in asked.values() if each.min_person_level > level)
    return Acr(min(above, default=min(level + 1, Acr.L3)))


def stated(request: AuthorizationRequest, level: Acr) -> Acr:
    """Return the `acr` for the tokens of a session of `level`.

    OpenID Connect Core §5.5.1.1: for an essential request it MUST be one of the values asked for, so the highest of
    those that the session reaches. Otherwise it is the true one.
    """
    return max((acr for acr in _known(request.essential_acr) if acr <= level), default=level)


def _known(values: tuple[str, ...]) -> list[Acr]:
    return [acr for value in values if (acr := parse_acr(value)) is not None]
