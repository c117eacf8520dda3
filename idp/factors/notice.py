"""Telling the owner of an account, and the audit, that its factors changed.

A unit has no phone of its own: its common contact is told, or its agents (`delegation.contacts`).
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from idp.audit.log import Entry, record
from idp.delegation import contacts
from idp.notify import outbox
from idp.persons.model import AccountKind, Person
from idp.units.model import Unit

SMS_KEEPS = timedelta(hours=12)
_SMS_VALUE = 60  # characters that a parameter of an SMS may have


def tell(session: Session, person_id: str, change: str, **details: str | int) -> None:
    """Record `change`, a key of `sms_templates.CHANGES`, and send the person an SMS, in the caller's transaction."""
    record(session, Entry(f"factor.{change}", actor_id=person_id, subject_id=person_id, details=details))
    _send(session, session.get_one(Person, person_id), "factor_changed", change=change)


def tell_owner(session: Session, kind: AccountKind, owner_id: str, change: str, **details: str | int) -> None:
    """Do as `tell` for a person; for a unit, tell who stands for it. The audit says how many were told."""
    if kind is AccountKind.PERSON:
        tell(session, owner_id, change, **details)
        return
    reached = contacts.to_tell(session, owner_id)
    told: dict[str, str | int] = {**details, "told": len(reached)}
    entry = Entry(f"factor.{change}", actor_id=owner_id, subject_id=owner_id, unit_id=owner_id, details=told)
    record(session, entry)
    name = session.get_one(Unit, owner_id).full_name[:_SMS_VALUE]
    for person in reached:
        _send(session, person, "unit_factor_changed", unit=name, change=change)


def _send(session: Session, to: Person, template: str, **params: str) -> None:
    message = {"phone": to.phone, "template": template, "params": params}
    outbox.enqueue(session, outbox.SMS, message, give_up_after=SMS_KEEPS)
