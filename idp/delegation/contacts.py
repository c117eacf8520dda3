"""Which persons stand for a unit when something must be told: its account has no phone of its own."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from idp.delegation.model import Binding, BindingKind, BindingStatus
from idp.notify import sms
from idp.persons.model import AccountStatus, Person
from idp.units.model import Unit

MOST_TOLD = 5
"""So many agents are told where there is no common contact: those who have been bound longest."""


def common_contact(session: Session, unit_id: str) -> Person | None:
    """Return the unit's common contact (常用联系人, U8)."""
    return session.scalars(_bound(unit_id).where(Binding.kind == BindingKind.COMMON_CONTACT)).one_or_none()


def to_tell(session: Session, unit_id: str) -> list[Person]:
    """Return who is told what happens to the unit's account: the common contact; without one, its agents.

    Who is locked out is not told. An empty list: there is nobody to tell.
    """
    contact = common_contact(session, unit_id)
    if contact is not None and contact.status == AccountStatus.ACTIVE:
        return [contact]
    active = _bound(unit_id).where(Person.status == AccountStatus.ACTIVE)
    return list(session.scalars(active.order_by(Binding.decided_at, Binding.id).limit(MOST_TOLD)))


def tell(session: Session, unit_id: str, template: str, **params: str | int) -> int:
    """Send an SMS about the unit, which `template` names, to who stands for it; return how many that are."""
    reached, unit = to_tell(session, unit_id), session.get_one(Unit, unit_id).full_name
    for person in reached:
        sms.tell(session, person.phone, template, unit=unit, **params)
    return len(reached)


def _bound(unit_id: str) -> Select[Person]:
    return (
        select(Person)
        .join(Binding, Binding.person_id == Person.id)
        .where(Binding.unit_id == unit_id, Binding.status == BindingStatus.ACTIVE)
    )
