"""Telling the owner of an account, and the audit, that its factors changed.

A unit has no phone of its own: its common contact is told, or its agents (`delegation.contacts`).
"""

from sqlalchemy.orm import Session

from idp.audit.log import Entry, record
from idp.delegation import contacts
from idp.notify import sms
from idp.persons.model import AccountKind, Person


def tell(session: Session, person_id: str, change: str, **details: str | int) -> None:
    """Record `change`, a key of `sms_templates.CHANGES`, and send the person an SMS, in the caller's transaction."""
    record(session, Entry(f"factor.{change}", actor_id=person_id, subject_id=person_id, details=details))
    sms.tell(session, session.get_one(Person, person_id).phone, "factor_changed", change=change)


def tell_owner(session: Session, kind: AccountKind, owner_id: str, change: str, **details: str | int) -> None:
    """Do as `tell` for a person; for a unit, tell who stands for it. The audit says how many were told."""
    if kind is AccountKind.PERSON:
        tell(session, owner_id, change, **details)
        return
    reached = contacts.tell(session, owner_id, "unit_factor_changed", change=change)
    told: dict[str, str | int] = {**details, "told": reached}
    entry = Entry(f"factor.{change}", actor_id=owner_id, subject_id=owner_id, unit_id=owner_id, details=told)
    record(session, entry)
