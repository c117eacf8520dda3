"""The messages that arrived: in memory, each id once, however often and from however many threads it is sent."""

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sandbox.web import phone_digits

CAPACITY = 10_000


@dataclass(frozen=True)
class Message:
    """One SMS. `deliveries` counts how often its id was sent to the gateway; the phone gets it once."""

    message_id: str
    phone: str
    template: str
    text: str
    code: str | None = None
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    deliveries: int = 1

    def as_json(self) -> dict[str, object]:
        """Return what `GET /sms/messages` lists; `code` only if the message carries one."""
        shown: dict[str, object] = {
            "message_id": self.message_id,
            "phone": self.phone,
            "template": self.template,
            "text": self.text,
            "received_at": self.received_at.isoformat(),
            "deliveries": self.deliveries,
        }
        return shown if self.code is None else shown | {"code": self.code}

    def same_content(self, other: "Message") -> bool:
        """Whether `other` says the same to the same phone."""
        return (self.phone, self.template, self.text) == (other.phone, other.template, other.text)


class MessageIdReused(Exception):
    """The id came before with another phone or text. An honest repetition repeats the message."""


class Inbox:
    """The messages, safe for parallel requests. Past `CAPACITY` the oldest is forgotten."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._lock = threading.Lock()

    def receive(self, message: Message) -> Message:
        """Store `message`, or count one more delivery of it, and return it as it now stands.

        Raises MessageIdReused if its id stands for a different message.
        """
        with self._lock:
            known = self._messages.get(message.message_id)
            if known is None:
                self._messages[message.message_id] = message
                self._forget_oldest()
                return message
            if not known.same_content(message):
                raise MessageIdReused
            again = replace(known, deliveries=known.deliveries + 1)
            self._messages[message.message_id] = again
            return again

    def messages(self, phone: str = "") -> list[Message]:
        """Return the messages to `phone` (in any spelling; empty: to all), newest first."""
        with self._lock:
            newest_first = list(reversed(self._messages.values()))
        if not phone.strip():
            return newest_first
        wanted = phone_digits(phone)
        return [message for message in newest_first if phone_digits(message.phone) == wanted]

    def clear(self) -> None:
        """Forget every message and every id."""
        with self._lock:
            self._messages.clear()

    def _forget_oldest(self) -> None:
        while len(self._messages) > CAPACITY:
            del self._messages[next(iter(self._messages))]
