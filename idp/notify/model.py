"""Tables of the outbox and of SMS codes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant


class OutboxMessage(Base):
    """Something that must leave the house, written in the transaction that decided it.

    `kind` chooses the handler; `payload` is encrypted JSON. A worker claims a due message by moving `claimed_until`
    ahead, so that a worker that dies gives it back by doing nothing.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name="state"),
        Index(
            "ix_outbox_message_due_at",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    payload: Mapped[str] = mapped_column(EncryptedText("outbox_message.payload"))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Instant)
    give_up_at: Mapped[datetime] = mapped_column(Instant)
    claimed_until: Mapped[datetime | None] = mapped_column(Instant)
    last_error: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class SmsCode(Base):
    """A code sent by SMS: six digits, five minutes, five tries, bound to purpose, phone and browser, single use."""

    __tablename__ = "sms_code"
    __table_args__ = (
        Index("ix_sms_code_phone_lookup", "phone_lookup", "sent_at"),
        Index("ix_sms_code_address", "address", "sent_at"),
        Index("ix_sms_code_prefix", "prefix", "sent_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(30))
    phone_lookup: Mapped[str] = mapped_column(String(64))
    prefix: Mapped[str] = mapped_column(String(10))
    browser_id: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(45))
    code_hash: Mapped[str] = mapped_column(String(64))
    tries_left: Mapped[int] = mapped_column(default=5)
    sent_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Quota(Base):
    """A counter in a window: how many codes went to a phone, a prefix or an address."""

    __tablename__ = "quota"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    used: Mapped[int] = mapped_column(default=0)
    window_ends_at: Mapped[datetime] = mapped_column(Instant)
