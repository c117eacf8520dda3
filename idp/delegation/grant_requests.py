"""Asking a unit for a grant (C5): an agent asks, the unit grants or refuses in 子账号信息.

It must not serve to pester a unit: one open request for each business, none again for a week after a refusal, ten
requests a day by one person whomever they ask, and three SMS a day to one unit's common contact, however many agents
it has. What is not told by SMS stands in 子账号信息 all the same. The agent is told each answer by SMS. A request that
nobody answers lapses after 30 days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.delegation import contacts, errors
from idp.delegation.model import Binding, BindingStatus, Business, BusinessGrant, GrantRequest
from idp.notify import quota, sms
from idp.persons.model import AccountStatus, Person
from idp.rules.masking import mask_document, mask_name
from idp.store import hot
from idp.store.db import transaction
from idp.units.model import Unit

REQUEST = "gr_"
OPEN_FOR = timedelta(days=30)
REST_AFTER_REFUSAL = timedelta(days=7)
REQUESTS_A_DAY = 10
SMS_A_DAY = 3
SHOWN_AT_ONCE = 50


class Standing(StrEnum):
    """Whether a person may ask for what they lack."""

    MAY_ASK = "may_ask"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for the unit's answer. Name and number of the person are masked."""

    request_id: str
    binding_id: str
    person: str
    document_number: str
    code: str
    business: str
    requested_at: datetime


def ask(person_id: str, unit_id: str, businesses: Sequence[str]) -> tuple[str, ...]:
    """Ask the unit for those of `businesses` that the person lacks and has not asked for; return their codes.

    The common contact is told by SMS, unless it is who asks. Raises BindingGone, NothingToAskFor, and
    TooManyGrantRequests: tries are counted before the answer.
    """
    tries = f"grant_request:{person_id}"
    if not quota.claim(hot.reader(), tries, allowed=REQUESTS_A_DAY, window=quota.DAY):
        raise errors.TooManyGrantRequests
    with transaction() as session:
        binding_id, now = _lock_active(session, person_id, unit_id), clock.now()
        session.execute(
            delete(GrantRequest).where(GrantRequest.binding_id == binding_id, GrantRequest.expires_at <= now)
        )
        wanted = missing(session, binding_id, businesses)
        if not wanted:
            raise errors.NothingToAskFor
        for business in wanted:
            session.add(
                GrantRequest(
                    id=ids.new_id(REQUEST),
                    binding_id=binding_id,
                    business_code=business.code,
                    requested_at=now,
                    expires_at=now + OPEN_FOR,
                )
            )
        _tell_common_contact(session, person_id, unit_id, wanted)
        codes = tuple(business.code for business in wanted)
        _record(session, "grant.requested", person_id, person_id, unit_id, codes)
    return codes


def refuse(unit_id: str, request_id: str) -> None:
    """Refuse a request of one of the unit's agents, who is told and may then not ask for it again for a week.

    Raises GrantRequestGone.
    """
    with transaction() as session:
        now = clock.now()
        ours = select(Binding.id).where(Binding.unit_id == unit_id, Binding.status == BindingStatus.ACTIVE)
        refused = session.execute(
            update(GrantRequest)
            .where(GrantRequest.id == request_id, GrantRequest.binding_id.in_(ours), _is_open(now))
            .values(refused_at=now, expires_at=now + REST_AFTER_REFUSAL)
            .returning(GrantRequest.binding_id, GrantRequest.business_code)
        ).one_or_none()
        if refused is None:
            raise errors.GrantRequestGone
        person_id = session.scalars(select(Binding.person_id).where(Binding.id == refused[0])).one()
        _tell_agent(session, person_id, unit_id, refused[1], "grant_refused", days=REST_AFTER_REFUSAL.days)
        _record(session, "grant.request_refused", unit_id, person_id, unit_id, (refused[1],))


def answer(session: Session, binding_id: str, business: str) -> None:
    """Drop the request for a business that was just granted, a refused one too, and tell who asked."""
    now = clock.now()
    asked = session.execute(
        delete(GrantRequest)
        .where(GrantRequest.binding_id == binding_id, GrantRequest.business_code == business)
        .returning(GrantRequest.expires_at)
    ).one_or_none()
    if asked is not None and asked[0] > now:
        binding = session.get_one(Binding, binding_id)
        _tell_agent(session, binding.person_id, binding.unit_id, business, "grant_given")


def drop(session: Session, binding_id: str) -> None:
    """Drop what was asked under a binding that ends, refusals too."""
    session.execute(delete(GrantRequest).where(GrantRequest.binding_id == binding_id))


def missing(session: Session, binding_id: str, businesses: Sequence[str]) -> list[Business]:
    """Return those of `businesses` that the person is not granted and may ask for now, by name."""
    now = clock.now()
    held = select(BusinessGrant.business_code).where(
        BusinessGrant.binding_id == binding_id,
        BusinessGrant.ended_at.is_(None),
        or_(BusinessGrant.valid_to.is_(None), BusinessGrant.valid_to > now),
    )
    asked = select(GrantRequest.business_code).where(
        GrantRequest.binding_id == binding_id, GrantRequest.expires_at > now
    )
    wanted = (Business.code.in_(businesses), Business.retired_at.is_(None))
    free = (Business.code.not_in(held), Business.code.not_in(asked))
    return list(session.scalars(select(Business).where(*wanted, *free).order_by(Business.name, Business.code)))


def standing(session: Session, binding_id: str, businesses: Sequence[str]) -> Standing | None:
    """Return whether the person may ask for any of `businesses`, waits for an answer, or was refused lately.

    None where there is nothing to ask for.
    """
    if missing(session, binding_id, businesses):
        return Standing.MAY_ASK
    asked = (GrantRequest.binding_id == binding_id, GrantRequest.business_code.in_(businesses))
    refusals = session.scalars(select(GrantRequest.refused_at).where(*asked, GrantRequest.expires_at > clock.now()))
    found = refusals.all()
    if not found:
        return None
    return Standing.WAITING if None in found else Standing.REFUSED


def waiting(session: Session, unit_id: str) -> list[Waiting]:
    """Return the requests that wait for the unit's answer, the oldest first, at most SHOWN_AT_ONCE."""
    rows = session.execute(
        select(GrantRequest, Person, Business)
        .join(Binding, Binding.id == GrantRequest.binding_id)
        .join(Person, Person.id == Binding.person_id)
        .join(Business, Business.code == GrantRequest.business_code)
        .where(_waits_for(unit_id), Business.retired_at.is_(None))
        .order_by(GrantRequest.requested_at, GrantRequest.id)
        .limit(SHOWN_AT_ONCE)
    )
    return [
        Waiting(
            request_id=request.id,
            binding_id=request.binding_id,
            person=mask_name(person.full_name),
            document_number=mask_document(person.document_number),
            code=business.code,
            business=business.name,
            requested_at=request.requested_at,
        )
        for request, person, business in rows
    ]


def count_waiting(session: Session, unit_id: str) -> int:
    """Return how many requests wait for the unit's answer."""
    return session.scalars(
        select(func.count())
        .select_from(GrantRequest)
        .join(Binding, Binding.id == GrantRequest.binding_id)
        .join(Business, Business.code == GrantRequest.business_code)
        .where(_waits_for(unit_id), Business.retired_at.is_(None))
    ).one()


def _waits_for(unit_id: str) -> ColumnElement[bool]:
    return and_(Binding.unit_id == unit_id, Binding.status == BindingStatus.ACTIVE, _is_open(clock.now()))


def _is_open(now: datetime) -> ColumnElement[bool]:
    return and_(GrantRequest.refused_at.is_(None), GrantRequest.expires_at > now)


def _lock_active(session: Session, person_id: str, unit_id: str) -> str:
    """Lock the pair's active binding, so that of parallel requests one is made; return its id. Raises BindingGone."""
    binding_id = session.scalars(
        select(Binding.id)
        .join(Unit, Unit.id == Binding.unit_id)
        .where(
            Binding.person_id == person_id,
            Binding.unit_id == unit_id,
            Binding.status == BindingStatus.ACTIVE,
            Unit.status == AccountStatus.ACTIVE,
        )
        .with_for_update(key_share=True, of=Binding)
    ).one_or_none()
    if binding_id is None:
        raise errors.BindingGone
    return binding_id


def _tell_common_contact(session: Session, person_id: str, unit_id: str, wanted: Sequence[Business]) -> None:
    """Tell the common contact by SMS, as often in a day as is bearable. Without one, 子账号信息 alone says it."""
    contact = contacts.common_contact(session, unit_id)
    if contact is None or contact.status != AccountStatus.ACTIVE or contact.id == person_id:
        return
    if not quota.claim(hot.within(session), f"grant_request_sms:{unit_id}", allowed=SMS_A_DAY, window=quota.DAY):
        return
    agent = mask_name(session.get_one(Person, person_id).full_name)
    names = "、".join(business.name for business in wanted)
    _send(session, contact, "grant_requested", unit_id, names, agent=agent)


def _tell_agent(
    session: Session, person_id: str, unit_id: str, business: str, template: str, **params: str | int
) -> None:
    """Tell who asked what the unit answered."""
    name = session.get_one(Business, business).name
    _send(session, session.get_one(Person, person_id), template, unit_id, name, **params)


def _send(session: Session, to: Person, template: str, unit_id: str, businesses: str, **params: str | int) -> None:
    unit = session.get_one(Unit, unit_id).full_name
    sms.tell(session, to.phone, template, unit=unit, business=businesses, **params)


def _record(
    session: Session, action: str, actor_id: str, person_id: str, unit_id: str, businesses: tuple[str, ...]
) -> None:
    details = {"businesses": list(businesses)}
    record(session, Entry(action, actor_id=actor_id, subject_id=person_id, unit_id=unit_id, details=details))
