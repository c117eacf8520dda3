"""For whom does a person act in one authorization request? The answer belongs to the request (DESIGN 4).

It is never "the user's current choice": a unit chosen in one tab changes nothing in another. What counts, in this
order: what the person chose for this request; a certain unit that the client asks for; for a silent renewal
(prompt=none) what this session has at this client already. Else the chooser is shown, or nobody is acted for.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.clients.model import ActsFor
from idp.clients.registry import RegisteredClient
from idp.delegation import granting
from idp.delegation.model import Binding, BindingStatus
from idp.rules.documents import UnitDocument
from idp.sessions import portal_sessions
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.interactions import MYSELF
from idp.units.model import Unit
from idp.units.registration import lookup_of


@dataclass(frozen=True, slots=True)
class Answers:
    """What the person answered in this request: the unit (or MYSELF) chosen, and the tick 「以单位身份登录」 (C1)."""

    acting_for: str | None = None
    as_unit: bool = False


def resolve(
    session: Session, client: RegisteredClient, request: AuthorizationRequest, who: SignedIn, answers: Answers
) -> str | None:
    """Return a unit's id, MYSELF, or None: it must be asked for. Whether the unit may be acted for is not said."""
    if not who.is_person or client.acts_for is ActsFor.NEVER:
        return MYSELF
    if answers.acting_for is not None and not (answers.acting_for == MYSELF and must_act(client, request)):
        return answers.acting_for
    if "select_account" in request.prompt:
        return None
    if names_a_unit(request):
        return certain_unit(session, request)
    if "none" in request.prompt:
        return _remembered(session, client, request, who)
    return _without_a_word(session, client, request, who, answers)


def must_act(client: RegisteredClient, request: AuthorizationRequest) -> bool:
    """Whether acting for oneself is no answer."""
    delegation = request.unit_delegation
    return client.acts_for is ActsFor.REQUIRED or (delegation is not None and delegation.representation_required)


def names_a_unit(request: AuthorizationRequest) -> bool:
    """Whether the client asks for one certain unit."""
    delegation = request.unit_delegation
    return request.org_hint is not None or (delegation is not None and delegation.identifier is not None)


def certain_unit(session: Session, request: AuthorizationRequest) -> str | None:
    """Return the unit that the client names, by id or else by USCC; None for a USCC that no unit has."""
    if request.unit_delegation is not None and request.unit_delegation.identifier is not None:
        return request.unit_delegation.identifier
    claim = lookup_of(UnitDocument.USCC, request.org_hint or "")
    return session.scalars(select(Unit.id).where(Unit.document_claim == claim)).one_or_none()


def _remembered(
    session: Session, client: RegisteredClient, request: AuthorizationRequest, who: SignedIn
) -> str | None:
    """Return whom this session acts for at this client already: the one that the hint names, or the only one."""
    living = portal_sessions.living(session, session_id=who.session_id, client_id=client.client_id)
    hinted = [unit_id for sid, unit_id in living if sid == request.id_token_hint_sid]
    found = hinted or [unit_id for _, unit_id in living]
    if len(found) == 1:
        only = found[0] or MYSELF
        return None if only == MYSELF and must_act(client, request) else only
    return None if found or _is_asked_for(client, request, Answers()) else MYSELF


def _without_a_word(
    session: Session, client: RegisteredClient, request: AuthorizationRequest, who: SignedIn, answers: Answers
) -> str | None:
    """Show the chooser if a unit is wanted. Whoever has none is shown it only where that explains something (C5)."""
    if not _is_asked_for(client, request, answers):
        return MYSELF
    explains = answers.as_unit or must_act(client, request) or request.unit_delegation is not None
    return None if explains or _is_bound(session, who) else MYSELF


def _is_asked_for(client: RegisteredClient, request: AuthorizationRequest, answers: Answers) -> bool:
    """Whether client or person wants a unit: by demand, RAR, business scope, or the tick 「以单位身份登录」 (C1)."""
    return (
        must_act(client, request)
        or answers.as_unit
        or request.unit_delegation is not None
        or bool(granting.businesses_asked(client, request))
    )


def _is_bound(session: Session, who: SignedIn) -> bool:
    bound = select(Binding.id).where(Binding.person_id == who.subject_id, Binding.status == BindingStatus.ACTIVE)
    return session.scalars(bound.limit(1)).one_or_none() is not None
