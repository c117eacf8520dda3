"""Tables of the audit.

An entry is written in the transaction of what it reports. The chain is made afterwards by one sealer
(`idp.audit.chain`), because a chain made by the writers would let only one of them write at a time.
The migration adds triggers that refuse UPDATE and DELETE on both tables.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, Instant, JsonText

BigId = BigInteger().with_variant(Integer, "sqlite")


class AuditEntry(Base):
    """Who did what for whom, through which client, from where (A4). `details` holds no personal data in clear."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_actor_id", "actor_id"),
        Index("ix_audit_entry_unit_id", "unit_id"),
        Index("ix_audit_entry_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Instant)
    action: Mapped[str] = mapped_column(String(60))
    actor_id: Mapped[str | None] = mapped_column(String(64))
    subject_id: Mapped[str | None] = mapped_column(String(64))
    unit_id: Mapped[str | None] = mapped_column(String(32))
    client_id: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(45))
    outcome: Mapped[str] = mapped_column(String(10), default="ok")
    details: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)


class AuditSeal(Base):
    """The place of an entry in the chain: hash = SHA-256 over the previous hash and the entry's canonical JSON."""

    __tablename__ = "audit_seal"

    position: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("audit_entry.id"), unique=True)
    hash: Mapped[str] = mapped_column(String(64))
