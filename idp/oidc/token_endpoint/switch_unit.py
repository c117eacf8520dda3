"""Which grant does a person's own token become when a portal asks, by token exchange, to act for a unit (C4)?

The same intersection as at the authorization endpoint (C3), and the same consent: what the person has not let this
client do for this unit is not had by exchange either.
"""

from dataclasses import dataclass, replace

from idp.clients import consents
from idp.clients.registration import STANDARD_SCOPES
from idp.clients.registry import RegisteredClient
from idp.delegation.acting import Acting, Refused, acting
from idp.delegation.granting import minimum_of
from idp.oidc import authorization_details
from idp.oidc.errors import ConsentRequiredError, InvalidAuthorizationDetailsError, InvalidScopeError
from idp.oidc.grants import Grant
from idp.persons.model import AccountKind
from idp.rules.levels import Acr, parse_acr
from idp.sessions import portal_sessions
from idp.sessions.authorization_request import UnitDelegation
from idp.store import hot

OPENID = "openid"


class MayNotAct(Exception):
    """The person may not act for the unit now. `reason` is one of `acting.Reason`, `unit_id` the unit asked for."""

    def __init__(self, reason: str, unit_id: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unit_id = unit_id


@dataclass(frozen=True, slots=True)
class Held:
    """What the client holds and where: the grant of its token, that token's scope, and the browser session."""

    grant: Grant
    scope: tuple[str, ...]
    session_id: str


def switched(
    on: hot.Executor, client: RegisteredClient, held: Held, form: dict[str, str]
) -> tuple[Grant, Acting, tuple[str, ...]]:
    """Return the grant for the unit, the answer that it rests on, and its scope.

    Opens, or joins, the portal session of this pair. Raises MayNotAct, InvalidAuthorizationDetailsError,
    InvalidScopeError, ConsentRequiredError.
    """
    asked = authorization_details.read(form[authorization_details.PARAMETER], client)
    if asked.identifier is None or held.grant.kind is not AccountKind.PERSON:
        raise InvalidAuthorizationDetailsError("A person's token is exchanged for one certain unit: name it")
    standard, businesses = _asked(client, held, asked, form.get("scope"))
    unit_id = asked.identifier
    answer = acting(
        on,
        held.grant.subject_id,
        unit_id,
        businesses,
        level=parse_acr(held.grant.acr) or Acr.L0,
        minimum=minimum_of(client),
    )
    if isinstance(answer, Refused):
        raise MayNotAct(answer.reason, unit_id)
    if businesses and not answer.allowed:
        raise MayNotAct(next(iter(answer.refused.values())), unit_id)
    left = tuple(each for each in businesses if each in answer.allowed)
    standard, left = _consented(on, client, held, unit_id, (standard, left))
    sid = portal_sessions.open_or_join(
        on,
        session_id=held.session_id,
        client_id=client.client_id,
        subject_id=held.grant.subject_id,
        unit_id=unit_id,
    )
    grant = replace(held.grant, unit_id=unit_id, scope=(*standard, *left), businesses=left, sid=sid)
    return grant, answer, grant.scope


def _asked(
    client: RegisteredClient, held: Held, asked: UnitDelegation, scope: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the standard scopes and the businesses asked for. By default the former are those of the token.

    Businesses are not in a person's own token: their bound is what the client may ask for. Raises InvalidScopeError.
    """
    wanted = held.scope if scope is None else tuple(dict.fromkeys(scope.split()))
    standard = tuple(each for each in wanted if each in STANDARD_SCOPES)
    businesses = tuple(dict.fromkeys((*asked.actions, *(each for each in wanted if each not in STANDARD_SCOPES))))
    if any(each not in held.scope for each in standard) or any(each not in client.scopes for each in businesses):
        raise InvalidScopeError("The scope exceeds that of the token, or what this client may ask for")
    return standard, businesses


def _consented(
    on: hot.Executor,
    client: RegisteredClient,
    held: Held,
    unit_id: str,
    wanted: tuple[tuple[str, ...], tuple[str, ...]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Leave out what the person did not let this client have for this unit. Raises ConsentRequiredError for all."""
    standard, businesses = wanted
    if not client.consent_required:
        return wanted
    given = consents.given(on, subject_id=held.grant.subject_id, client_id=client.client_id, unit_id=unit_id)
    left = tuple(each for each in businesses if each in given)
    if not given or (businesses and not left):
        raise ConsentRequiredError("The person must agree first, at the authorization endpoint")
    return tuple(each for each in standard if each in given or each == OPENID), left
