"""Telling somebody something by SMS, in the transaction that decided it; `sms_codes` sends the codes."""

from datetime import timedelta

from sqlalchemy.orm import Session

from idp.notify import outbox

KEEPS = timedelta(hours=12)
"""So long the worker goes on trying; later it would be no news."""

LONGEST = 60
"""So many characters of a value are sent: of the name of a unit, or of several businesses."""


def tell(session: Session, phone: str, template: str, **params: str | int) -> None:
    """Send `template` of `sms_templates` to `phone`, its parameters cut to what an SMS has room for."""
    values = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in params.items()}
    payload = {"phone": phone, "template": template, "params": values}
    outbox.enqueue(session, outbox.SMS, payload, give_up_after=KEEPS)
