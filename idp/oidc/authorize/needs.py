"""What a person must do before the client gets its answer: an ordered list, asked anew after every step.

A need answers None, or the page that meets it; the page's journey returns to the dispatcher, never to another page.
Where no page may be shown (prompt=none) the need is an OAuth error instead (OpenID Connect Core §3.1.2.6).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from sqlalchemy import select

from idp import clock
from idp.clients.model import ActsFor
from idp.delegation import context_class, for_whom, representing
from idp.delegation.acting import Reason, Refused
from idp.errors import DomainError
from idp.oidc import errors, subjects
from idp.oidc.authorize.situation import Situation
from idp.oidc.errors import OAuth2Error
from idp.rules.documents import UnitDocument
from idp.rules.levels import Acr
from idp.sessions.browser_sessions import SignedIn
from idp.store import hot
from idp.store.db import db
from idp.units.model import Unit


class UnitAccountNotTaken(DomainError):
    """A unit signed in with its own account, which this client does not take (U7)."""

    code: ClassVar[str] = "unit_account_not_taken"
    status = 403


class UsccAccountNeeded(DomainError):
    """The client takes only units with a unified social credit code (F5)."""

    code: ClassVar[str] = "uscc_account_needed"
    status = 403


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a journey: its endpoint, and what is told to it beside the interaction.

    `offers_level`: a step-up that may be passed over, so it is shown once.
    """

    endpoint: str
    query: Mapping[str, str] = field(default_factory=dict)
    offers_level: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence with 【重新登录】: this account does not do here."""

    refusal: DomainError


Shown = TypeVar("Shown", Page, Notice)
Need = Callable[[Situation], Page | Notice | None]

SIGN_IN, REGISTER = Page("sign_in.page"), Page("register_person.page")


def first_unmet(situation: Situation) -> Page | Notice | None:
    """Return the page of the first need that is not met; None when all are. Raises OAuth2Error."""
    if situation.progress.refusal is not None:
        raise errors.of_refusal(situation.progress.refusal)
    return next((page for need in NEEDS if (page := need(situation)) is not None), None)


def sign_in(situation: Situation) -> Page | Notice | None:
    """OpenID Connect Core §3.1.2.3: authenticate, with prompt, max_age, and who the client expects.

    prompt=create (Initiating User Registration 1.0 §4) leads to registration, from which the way goes on to sign-in;
    whoever signs in there with an account they have is welcome too.
    """
    who = situation.who
    if "create" in situation.request.prompt and not _began_here(situation):
        return REGISTER
    if who is None or not _recent_enough(situation, who):
        return _ask(situation, SIGN_IN, errors.LoginRequiredError())
    if situation.request.id_token_hint_sub not in {None, subjects.subject(situation.client, who.subject_id)}:
        return _another_subject(situation)
    refusal = None if who.is_person else _unit_account_refused(situation, who)
    return None if refusal is None else _ask(situation, Notice(refusal), errors.LoginRequiredError())


def _began_here(situation: Situation) -> bool:
    """Whether the sign-in came after the request."""
    return situation.who is not None and situation.who.auth_time >= situation.progress.begun_at


def _recent_enough(situation: Situation, who: SignedIn) -> bool:
    """OpenID Connect Core §3.1.2.1: prompt=login and max_age. A sign-in within the interaction always counts.

    prompt=select_account without a chooser (there is one session a browser) means to sign in, as whomever.
    """
    if _began_here(situation):
        return True
    request = situation.request
    has_chooser = who.is_person and situation.client.acts_for is not ActsFor.NEVER
    if "login" in request.prompt or ("select_account" in request.prompt and not has_chooser):
        return False
    return request.max_age is None or clock.millis() - who.auth_time <= request.max_age * 1000


def _another_subject(situation: Situation) -> Page:
    """OpenID Connect Core §3.1.2.1 `id_token_hint`: answer positively for that subject only, else login_required."""
    error = errors.LoginRequiredError("Another user is signed in than the one that was asked for")
    if _began_here(situation):
        raise error
    return _ask(situation, SIGN_IN, error)


def _unit_account_refused(situation: Situation, who: SignedIn) -> DomainError | None:
    """U7: only clients that say so take unit accounts; F5: some take only those with a USCC."""
    if not situation.client.allows_unit_accounts:
        return UnitAccountNotTaken()
    if not situation.client.uscc_only:
        return None
    kind = db.session().scalars(select(Unit.document_type).where(Unit.id == who.subject_id)).one()
    return None if kind == UnitDocument.USCC else UsccAccountNeeded()


def represent(situation: Situation) -> Page | None:
    """U7, U18: a unit's own account does a business only after its legal representative's face check.

    The page also says what stands against it; a trust level that is too low is the province's to lift (F3).
    """
    who = situation.subject
    if who.is_person:
        return None
    business = representing.business_asked(db.session(), situation.client, situation.request)
    if business is None:
        return None
    error = errors.InteractionRequiredError("The legal representative must be checked")
    lowest = max(situation.client.min_unit_level, business.min_unit_level)
    if who.trust_level < lowest:
        return _ask(situation, _raise_to(Acr(lowest)), error)
    if situation.represented is not None:
        return None
    return _ask(situation, Page("legal_representative.page"), error)


def raise_level(situation: Situation) -> Page | None:
    """F3, F6, RFC 9470 §4: lift the session to what is demanded; offer once what is only wished for.

    OpenID Connect Unmet Authentication Requirements §2: an essential `acr` that stays out of reach is the journey's
    refusal, not a lower `acr`.
    """
    error = errors.InteractionRequiredError("A higher level is needed")
    if not situation.subject.is_person:
        return _raise_unit(situation, error)
    level = situation.session_level
    demanded = context_class.demanded_of_person(db.session(), situation.client, situation.request)
    if level < demanded:
        return _ask(situation, _raise_to(demanded), error)
    wished = context_class.voluntary(situation.request)
    if level < wished and not situation.is_silent and not situation.progress.level_offered:
        return _raise_to(wished, offers=True)
    return None


def _raise_unit(situation: Situation, error: OAuth2Error) -> Page | None:
    """F3: the trust level of a unit comes from the province, and is raised over there."""
    lowest = situation.client.min_unit_level
    if situation.subject.trust_level < lowest:
        return _ask(situation, _raise_to(Acr(lowest)), error)
    if situation.session_level < context_class.essential(situation.request):
        raise errors.UnmetAuthenticationRequirementsError("The unit account does not reach an essential acr value")
    return None


def _raise_to(level: Acr, *, offers: bool = False) -> Page:
    return Page("raise_level.page", {"level": level.name} | ({"optional": "1"} if offers else {}), offers_level=offers)


def choose_unit(situation: Situation) -> Page | None:
    """C1, C4, C5, DESIGN 4: whom the person acts for; the chooser says why a unit cannot be taken."""
    error = errors.AccountSelectionRequiredError()
    if situation.acting_for is None:
        # Whether an unknown USCC is registered at all is not for the address bar to tell (U4).
        named = for_whom.names_a_unit(situation.request) and "select_account" not in situation.request.prompt
        return _ask(situation, _chooser(Reason.NOT_BOUND if named else None), error)
    answer = situation.granted(hot.reader())
    return _ask(situation, _chooser(answer.reason), error) if isinstance(answer, Refused) else None


def _chooser(reason: Reason | None) -> Page:
    return Page("choose_unit.page", {} if reason is None else {"reason": reason.value})


def consent(situation: Situation) -> Page | None:
    """OpenID Connect Core §3.1.2.4: consent, unless given before for this client and unit, or not needed."""
    page, error = Page("consent.page"), errors.ConsentRequiredError()
    if situation.progress.consented:
        return None
    if "consent" in situation.request.prompt:  # §3.1.2.1: also where it was given before
        return _ask(situation, page, error)
    if not situation.client.consent_required:
        return None
    answer = situation.granted(hot.reader())
    scope = () if isinstance(answer, Refused) else answer.to_consent
    missing = not situation.consented.issuperset(scope)
    return _ask(situation, page, error) if missing else None


def _ask(situation: Situation, page: Shown, error: OAuth2Error) -> Shown:
    """Show the page; where none may be shown, raise the error that stands for it."""
    if situation.is_silent:
        raise error
    return page


NEEDS: tuple[Need, ...] = (sign_in, represent, raise_level, choose_unit, consent)
