"""What the pages of units and persons show of bindings and grants. Numbers and names of persons leave here masked."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from idp import clock
from idp.delegation import contacts
from idp.delegation.errors import BindingGone
from idp.delegation.model import Binding, BindingKind, BindingStatus, Business, BusinessGrant
from idp.persons.model import AccountStatus, Person
from idp.rules.documents import UnitDocument
from idp.rules.masking import mask_document, mask_name, mask_phone, mask_uscc
from idp.units.model import Unit

SHOW_REFUSED_FOR = timedelta(days=30)


class GrantState(StrEnum):
    """Where in its window a grant is. An expired one is shown until it is closed, a second later."""

    FUTURE = "future"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class GrantLine:
    """One open grant. Moments are aware; `valid_to` is not included, None for no end."""

    code: str
    business: str
    description: str
    valid_from: datetime
    valid_to: datetime | None
    state: GrantState
    needs_verified_unit: bool


@dataclass(frozen=True, slots=True)
class SubAccount:
    """A bound, asked or refusing person, seen from the unit (子账号)."""

    binding_id: str
    name: str
    document_number: str
    phone: str
    kind: BindingKind
    status: BindingStatus
    grants: tuple[GrantLine, ...]


@dataclass(frozen=True, slots=True)
class ParentAccount:
    """A unit that asks or has bound, seen from the person (父账号)."""

    binding_id: str
    unit_id: str
    unit: str
    number: str
    kind: BindingKind
    status: BindingStatus
    since: datetime
    verified: bool
    active: bool
    grants: tuple[GrantLine, ...]


def masked_number(unit: Unit) -> str:
    """Return a unit's number masked as its kind asks."""
    if unit.document_type == UnitDocument.USCC:
        return mask_uscc(unit.document_number)
    return mask_document(unit.document_number)


def count_sub_accounts(session: Session, unit_id: str) -> int:
    """Return how many lines `sub_accounts` has in all."""
    return session.scalars(select(func.count()).select_from(_shown(unit_id).subquery())).one()


def count_active(session: Session, unit_id: str) -> int:
    """Return how many persons are bound to the unit."""
    return session.scalars(
        select(func.count())
        .select_from(Binding)
        .where(Binding.unit_id == unit_id, Binding.status == BindingStatus.ACTIVE)
    ).one()


def sub_accounts(session: Session, unit_id: str, *, limit: int, offset: int) -> list[SubAccount]:
    """Return the persons bound to the unit: the common contact first, then agents, requests, and recent refusals."""
    rows = session.execute(
        select(Binding, Person)
        .join(Person, Person.id == Binding.person_id)
        .where(Binding.id.in_(_shown(unit_id)))
        .order_by(
            Binding.status != BindingStatus.ACTIVE,
            Binding.status != BindingStatus.PENDING,
            Binding.kind != BindingKind.COMMON_CONTACT,
            Binding.requested_at,
            Binding.id,
        )
        .limit(limit)
        .offset(offset)
    ).all()
    granted = _open_grants(session, (binding.id for binding, _ in rows))
    return [_sub_account(binding, person, granted[binding.id]) for binding, person in rows]


def sub_account(session: Session, unit_id: str, binding_id: str) -> SubAccount | None:
    """Return one active or pending sub-account of the unit."""
    row = session.execute(
        select(Binding, Person)
        .join(Person, Person.id == Binding.person_id)
        .where(
            Binding.id == binding_id,
            Binding.unit_id == unit_id,
            Binding.status.in_([BindingStatus.ACTIVE, BindingStatus.PENDING]),
        )
    ).one_or_none()
    if row is None:
        return None
    return _sub_account(row[0], row[1], _open_grants(session, [binding_id])[binding_id])


def active_sub_account(session: Session, unit_id: str, binding_id: str) -> SubAccount:
    """Return a sub-account that is bound to the unit. Raises BindingGone."""
    found = sub_account(session, unit_id, binding_id)
    if found is None or found.status is not BindingStatus.ACTIVE:
        raise BindingGone
    return found


def common_contact(session: Session, unit_id: str) -> str | None:
    """Return the masked name of the unit's common contact."""
    contact = contacts.common_contact(session, unit_id)
    return None if contact is None else mask_name(contact.full_name)


def parent_accounts(session: Session, person_id: str) -> list[ParentAccount]:
    """Return the units that ask for the person and those that have bound them; the newest requests first."""
    rows = session.execute(
        select(Binding, Unit)
        .join(Unit, Unit.id == Binding.unit_id)
        .where(Binding.person_id == person_id, Binding.status.in_([BindingStatus.PENDING, BindingStatus.ACTIVE]))
        .order_by(Binding.requested_at.desc(), Binding.id)
    ).all()
    granted = _open_grants(session, (binding.id for binding, _ in rows))
    return [_parent_account(binding, unit, granted[binding.id]) for binding, unit in rows]


def parent_account(session: Session, person_id: str, binding_id: str) -> ParentAccount | None:
    """Return one of `parent_accounts`."""
    return next((each for each in parent_accounts(session, person_id) if each.binding_id == binding_id), None)


def count_requests(session: Session, person_id: str) -> int:
    """Return how many units wait for the person's answer."""
    return session.scalars(
        select(func.count())
        .select_from(Binding)
        .where(Binding.person_id == person_id, Binding.status == BindingStatus.PENDING)
    ).one()


def _shown(unit_id: str) -> Select[str]:
    """Open bindings, and refusals of the last days by persons whom the unit has not asked again."""
    later = aliased(Binding)
    asked_again = (
        select(later.id)
        .where(
            later.unit_id == unit_id,
            later.person_id == Binding.person_id,
            later.requested_at > Binding.requested_at,
        )
        .exists()
    )
    refused_lately = (
        (Binding.status == BindingStatus.REFUSED)
        & (Binding.decided_at > clock.now() - SHOW_REFUSED_FOR)
        & ~asked_again
    )
    is_open = Binding.status.in_([BindingStatus.PENDING, BindingStatus.ACTIVE])
    return select(Binding.id).where(Binding.unit_id == unit_id, or_(is_open, refused_lately))


def _open_grants(session: Session, binding_ids: Iterable[str]) -> defaultdict[str, tuple[GrantLine, ...]]:
    found: defaultdict[str, tuple[GrantLine, ...]] = defaultdict(tuple)
    wanted = list(binding_ids)
    if not wanted:
        return found
    now = clock.now()
    rows = session.execute(
        select(BusinessGrant, Business)
        .join(Business, Business.code == BusinessGrant.business_code)
        .where(BusinessGrant.binding_id.in_(wanted), BusinessGrant.ended_at.is_(None), Business.retired_at.is_(None))
        .order_by(Business.name, Business.code)
    )
    for grant, business in rows:
        found[grant.binding_id] += (_grant_line(grant, business, now),)
    return found


def _grant_line(grant: BusinessGrant, business: Business, now: datetime) -> GrantLine:
    state = GrantState.ACTIVE
    if now < grant.valid_from:
        state = GrantState.FUTURE
    elif grant.valid_to is not None and now >= grant.valid_to:
        state = GrantState.EXPIRED
    return GrantLine(
        code=business.code,
        business=business.name,
        description=business.description,
        valid_from=grant.valid_from,
        valid_to=grant.valid_to,
        state=state,
        needs_verified_unit=business.needs_verified_unit,
    )


def _sub_account(binding: Binding, person: Person, grants: tuple[GrantLine, ...]) -> SubAccount:
    return SubAccount(
        binding_id=binding.id,
        name=mask_name(person.full_name),
        document_number=mask_document(person.document_number),
        phone=mask_phone(person.phone),
        kind=BindingKind(binding.kind),
        status=BindingStatus(binding.status),
        grants=grants,
    )


def _parent_account(binding: Binding, unit: Unit, grants: tuple[GrantLine, ...]) -> ParentAccount:
    return ParentAccount(
        binding_id=binding.id,
        unit_id=unit.id,
        unit=unit.full_name,
        number=masked_number(unit),
        kind=BindingKind(binding.kind),
        status=BindingStatus(binding.status),
        since=binding.decided_at or binding.requested_at,
        verified=unit.verified_at is not None,
        active=unit.status == AccountStatus.ACTIVE,
        grants=grants,
    )
