"""What follows when somebody comes back from an upstream (F1, P7): in, or which question comes first.

    a link by stable id            → signed in; level, way and time are stored anew
    no link, nobody has the number → a first login: the account is made (persons here, units in `first_unit`)
    no link, an account has it     → whoever can sign in to that account links it: by its password, or by a session
                                     of it in this browser that is fresh
    … and cannot, and that account proved nothing (一级实名, no link) → it falls, see `first_login`

Equal document numbers never link by themselves (DESIGN 6): of two accounts with one number either may be a stranger's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.audit.log import Entry, record
from idp.delegation import closing
from idp.delegation.closing import Order
from idp.errors import DomainError
from idp.factors import notice
from idp.factors.model import UpstreamLink
from idp.federation import errors, links
from idp.federation.links import Owner
from idp.gateways.province import SubjectKind, Vouched
from idp.persons import registration as persons
from idp.persons.model import AccountKind, AccountStatus, Person
from idp.persons.registration import VouchedPerson
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.levels import Amr, RealNameLevel, TrustLevel
from idp.rules.login_names import check_login_name
from idp.sessions import browser_sessions, sign_in
from idp.sessions.accounts import MODELS
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.freshness import is_fresh
from idp.sessions.sign_in import Browser
from idp.store.db import transaction
from idp.units import registration as units


class Step(StrEnum):
    """What is asked before the sign-in can go on."""

    FIRST_LOGIN = "first_login"
    FIRST_UNIT = "first_unit"
    PROVE = "prove"


@dataclass(frozen=True, slots=True)
class Entered:
    """Signed in; the secret for the session's cookie."""

    token: str


Arrived = Entered | Step


def arrive(vouched: Vouched, browser: Browser, here: SignedIn | None) -> Arrived:
    """Sign in whoever is linked, or say what comes first. `here` is who is signed in in this browser.

    Raises NotRealNamed, IdentityChanged, SeveralAccounts, PhoneMissing, OrgCodeNew, AccountLocked.
    """

    def attempt(session: Session) -> Arrived:
        holder = holder_of(session, vouched)
        if holder is None:
            return _first(vouched)
        if here is not None and here.subject_id == holder and is_fresh(here):
            return _link(session, vouched, holder, browser, proven_by="session")
        return Step.PROVE

    return once(vouched, browser, attempt)


def prove(vouched: Vouched, password: str, browser: Browser) -> Arrived:
    """Link the account that has this number, by its password, and sign in.

    Raises what `arrive` does, WrongCredentials, TooManyFailures.
    """
    with transaction() as session:
        holder = holder_of(session, vouched)
    if holder is None:
        return arrive(vouched, browser, None)
    sign_in.prove(links.account_kind(vouched), holder, password)
    return once(vouched, browser, lambda session: _link(session, vouched, holder, browser, proven_by="password"))


def may_supersede(vouched: Vouched) -> bool:
    """Whether the account that has this number proved nothing, so that `first_login` may put another in its place."""
    with transaction() as session:
        holder = holder_of(session, vouched)
        return holder is not None and _proved_nothing(session, vouched, holder)


def first_login(vouched: Vouched, login_name: str, browser: Browser, *, supersede: bool = False) -> Arrived:
    """Make the person's account, real-named at once, and sign in (P7). Of parallel calls one makes it.

    `supersede`: an account that somebody registered with this number, and proved nothing with, is cancelled first,
    with its password, phone, sessions, bindings and grants. Its id is not taken over: what its holder left at portals
    under that id is not the person's. Raises LoginNameFormat, PersonDataRefused, ProofNeeded and what `arrive` does.
    """
    name = check_login_name(login_name)

    def attempt(session: Session) -> Arrived:
        holder = holder_of(session, vouched)
        if holder is not None and not supersede:
            return Step.PROVE
        if holder is not None:
            _cancel(session, vouched, holder)
        _first(vouched)
        person_id = persons.add_vouched(session, _new_person(vouched, name), vouched.upstream)
        owner = Owner(AccountKind.PERSON, person_id)
        links.add(session, vouched, owner, proven_by="first_login")
        return start(session, vouched, owner, browser)

    return once(vouched, browser, attempt)


def once(vouched: Vouched, browser: Browser, attempt: Callable[[Session], Arrived]) -> Arrived:
    """Enter the linked account, else do `attempt`. Who lost a race to another request of the same enters what it made.

    A loser may learn of it by a unique column, or by a refusal: its login name is taken, its SMS code was used.
    """
    try:
        return _try(vouched, browser, attempt)
    except (IntegrityError, units.NumberClaimed, links.AlreadyLinked):
        return _try(vouched, browser, attempt)
    except DomainError:
        with transaction() as session:
            entered = enter_if_linked(session, vouched, browser)
        if entered is None:
            raise
        return entered


def _try(vouched: Vouched, browser: Browser, attempt: Callable[[Session], Arrived]) -> Arrived:
    with transaction() as session:
        entered = enter_if_linked(session, vouched, browser)
        if entered is not None:
            return entered
        arrived = attempt(session)
        if arrived is Step.PROVE:  # of an account that a parallel request made, and linked, between the two looks?
            return enter_if_linked(session, vouched, browser) or arrived
        return arrived


def enter_if_linked(session: Session, vouched: Vouched, browser: Browser) -> Entered | None:
    """Sign in whoever this account over there is linked to; None when it is to nobody who is left."""
    owner = links.owner_of(session, vouched)
    if owner is None:
        return None
    model = MODELS[owner.kind]
    row = session.execute(select(model.status, model.document_lookup).where(model.id == owner.id)).one()
    if row[0] == AccountStatus.CANCELLED:
        session.execute(delete(UpstreamLink).where(UpstreamLink.owner_id == owner.id))
        return None
    if row[1] != _document_lookup(vouched):
        raise errors.IdentityChanged
    return start(session, vouched, owner, browser)


def holder_of(session: Session, vouched: Vouched) -> str | None:
    """Return the living account that has this number. Raises NotRealNamed, SeveralAccounts (P13).

    At L0 the number was never checked over there either, so it says nothing about any account of ours.
    """
    if vouched.trust_level is TrustLevel.L0:
        raise errors.NotRealNamed
    model = MODELS[links.account_kind(vouched)]
    found = session.scalars(
        select(model.id).where(
            model.document_lookup == _document_lookup(vouched), model.status != AccountStatus.CANCELLED
        )
    ).all()
    if len(found) > 1:
        raise errors.SeveralAccounts
    return found[0] if found else None


def start(
    session: Session, vouched: Vouched, owner: Owner, browser: Browser, methods: tuple[Amr, ...] = (Amr.FED,)
) -> Entered:
    """Begin the session of a linked account at the level that the upstream states now.

    Five wrong passwords lock every way in (P9). Raises TooManyFailures, AccountLocked.
    """
    sign_in.demand_open(session, owner.kind, owner.id)
    links.refresh(session, vouched, owner)
    token = browser_sessions.start(
        session,
        kind=owner.kind,
        subject_id=owner.id,
        amr=tuple(method.value for method in methods),
        address=browser.address,
        user_agent=browser.user_agent,
        replaces=browser.replaces,
        vouched_level=int(vouched.trust_level),
        vouched_by=links.voucher(vouched.upstream),
    )
    return Entered(token)


def _first(vouched: Vouched) -> Step:
    """Return which first login it is. Raises PhoneMissing, OrgCodeNew."""
    if vouched.kind is SubjectKind.PERSON:
        if vouched.phone is None:
            raise errors.PhoneMissing
        return Step.FIRST_LOGIN
    if vouched.document_type is not UnitDocument.USCC:
        raise errors.OrgCodeNew
    return Step.FIRST_UNIT


def _link(session: Session, vouched: Vouched, holder: str, browser: Browser, *, proven_by: str) -> Entered:
    """Link an account whose control was proven. Its name, where nobody ever checked it, becomes the vouched one.

    The owner is told by SMS of this new way in.
    """
    owner = Owner(links.account_kind(vouched), holder)
    if owner.kind is AccountKind.PERSON:
        person = session.get_one(Person, holder, populate_existing=True)
        if person.full_name != vouched.name and person.real_name_level > RealNameLevel.ONE:
            raise errors.IdentityChanged
        person.full_name = vouched.name
        session.flush()
    links.add(session, vouched, owner, proven_by=proven_by)
    notice.tell_owner(session, owner.kind, holder, "upstream_linked", upstream=vouched.upstream)
    methods = (Amr.PWD, Amr.FED) if proven_by == "password" else (Amr.FED,)
    return start(session, vouched, owner, browser, methods)


def _cancel(session: Session, vouched: Vouched, holder: str) -> None:
    """Let an account fall that somebody registered with this number. Raises ProofNeeded."""
    if not _proved_nothing(session, vouched, holder):
        raise errors.ProofNeeded
    order = Order(vouched.upstream, closing.SUPERSEDED, ended_by=closing.SUPERSEDED)
    closing.cancel_person_within(session, holder, order)
    record(session, Entry("upstream.superseded", subject_id=holder, details={"upstream": vouched.upstream}))


def _proved_nothing(session: Session, vouched: Vouched, holder: str) -> bool:
    if vouched.kind is not SubjectKind.PERSON:
        return False
    held = session.execute(
        select(Person.status, Person.real_name_level).where(Person.id == holder).with_for_update()
    ).one()
    nothing = held[0] == AccountStatus.ACTIVE and held[1] == RealNameLevel.ONE
    return nothing and not links.has_any(session, holder)


def _new_person(vouched: Vouched, login_name: str) -> VouchedPerson:
    return VouchedPerson(
        document_type=PersonDocument(vouched.document_type),
        document_number=vouched.document_number,
        full_name=vouched.name,
        phone=vouched.phone or "",
        login_name=login_name,
    )


def _document_lookup(vouched: Vouched) -> str:
    if vouched.kind is SubjectKind.PERSON:
        return persons.document_lookup(PersonDocument(vouched.document_type), vouched.document_number)
    return units.lookup_of(vouched.document_type, vouched.document_number)
