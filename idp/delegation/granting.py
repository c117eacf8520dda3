"""What a client gets of what it asked for (C3): THE intersection, for the consent page and for the code alike.

Granted = asked by the portal ∩ allowed to the portal ∩ granted by the unit to this agent and valid now ∩ allowed at
the session's level and the unit's state. Without a unit there is no business at all (U7).
"""

from dataclasses import dataclass

from idp.clients.model import ActsFor
from idp.clients.registration import PUBLIC, STANDARD_SCOPES
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting, Minimum, Reason, Refused, acting
from idp.rules import claims
from idp.sessions.authorization_request import AuthorizationRequest
from idp.store import hot

OFFLINE_ACCESS = "offline_access"


@dataclass(frozen=True, slots=True)
class Granted:
    """What is granted: `scope` in the order it was asked for, `businesses` the part that is business.

    `acting` is the answer it rests on, None when the subject acts for themselves. `claims_scope` are standard scopes
    that are not asked for, but of which the `claims` parameter asks for some claims.
    """

    scope: tuple[str, ...]
    businesses: tuple[str, ...] = ()
    acting: Acting | None = None
    claims_scope: tuple[str, ...] = ()

    @property
    def to_consent(self) -> tuple[str, ...]:
        """What a person must agree to."""
        return (*self.scope, *self.claims_scope)


def minimum_of(client: RegisteredClient) -> Minimum:
    """Return what the client demands whatever the business (F3, F5)."""
    return Minimum(client.min_person_level, client.min_unit_level, client.uscc_only)


def businesses_asked(client: RegisteredClient, request: AuthorizationRequest) -> tuple[str, ...]:
    """Return the businesses that are asked for and that this client may ask for."""
    if client.acts_for is ActsFor.NEVER:
        return ()
    return tuple(each for each in request.asked if each in client.scopes and each not in STANDARD_SCOPES)


def for_oneself(client: RegisteredClient, request: AuthorizationRequest) -> Granted:
    """Return what a person, or a unit's own account, gets for itself: the standard scopes (U7)."""
    return Granted(_standard(client, request), claims_scope=_claims_scope(client, request))


def for_unit(
    on: hot.Executor,
    client: RegisteredClient,
    request: AuthorizationRequest,
    *,
    person_id: str,
    unit_id: str,
    level: int,
) -> Granted | Refused:
    """Return what `person_id` gets for `unit_id` in a session of `level` (its `acr`, 0 … 3), now.

    Refused when the person cannot appear for the unit at this client: not bound, or not one of the businesses that
    were asked for is left. The reason is then the level where a step-up would help, else that of the first business.
    """
    asked = businesses_asked(client, request)
    answer = acting(on, person_id, unit_id, asked, level=level, minimum=minimum_of(client))
    if isinstance(answer, Refused):
        return answer
    if asked and not answer.allowed:
        reasons = tuple(answer.refused.values())
        return Refused(Reason.PERSON_LEVEL if Reason.PERSON_LEVEL in reasons else reasons[0])
    left = tuple(each for each in asked if each in answer.allowed)
    standard = _standard(client, request)
    scope = tuple(each for each in request.asked if each in standard or each in answer.allowed)
    return Granted(scope, left, answer, _claims_scope(client, request))


def _standard(client: RegisteredClient, request: AuthorizationRequest) -> tuple[str, ...]:
    return tuple(
        each
        for each in request.asked
        if each in STANDARD_SCOPES
        and each in client.scopes
        and (each != OFFLINE_ACCESS or _may_be_offline(client, request))
    )


def _claims_scope(client: RegisteredClient, request: AuthorizationRequest) -> tuple[str, ...]:
    """OpenID Connect Core §5.5: claims may be asked for by name; a client gets no more than its scopes stand for."""
    asked = claims.scopes_of(claims.named(request.claims))
    return tuple(each for each in asked if each in client.scopes and each not in request.asked)


def _may_be_offline(client: RegisteredClient, request: AuthorizationRequest) -> bool:
    """Whether `offline_access` counts (OpenID Connect Core §11).

    The request must carry prompt=consent, "unless other conditions for processing the request permitting offline
    access are in place": for a confidential client its registration for refresh tokens is that condition. From
    others the scope is ignored, as the section says.
    """
    if "refresh_token" not in client.grant_types:
        return False
    return "consent" in request.prompt or client.token_endpoint_auth_method != PUBLIC
