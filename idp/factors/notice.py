"""Telling the owner of an account, and the audit, that its factors changed."""

from datetime import timedelta

from sqlalchemy.orm import Session

from idp.audit.log import Entry, record
from idp.notify import outbox
from idp.persons.model import Person

SMS_KEEPS = timedelta(hours=12)


def tell(session: Session, person_id: str, change: str, **details: str | int) -> None:
    """Record `change`, a key of `sms_templates.CHANGES`, and send the person an SMS, in the caller's transaction."""
    record(session, Entry(f"factor.{change}", actor_id=person_id, subject_id=person_id, details=details))
    phone = session.get_one(Person, person_id).phone
    message = {"phone": phone, "template": "factor_changed", "params": {"change": change}}
    outbox.enqueue(session, outbox.SMS, message, give_up_after=SMS_KEEPS)
