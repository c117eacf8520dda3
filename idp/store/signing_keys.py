"""Signing keys: next → active → retired, private parts encrypted, parsed once a process.

A key is published before it signs and until the last token it signed has expired, so that no client meets a
signature whose key it cannot find.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant


class SigningKey(Base):
    """One key pair. At most one key an algorithm is active, and one is next.

    The private part is wiped when the key retires: it can then verify, but nobody can sign with it any more.
    """

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("state IN ('next', 'active', 'retired')", name="state"),
        Index(
            "uq_signing_key_live",
            "alg",
            "state",
            unique=True,
            sqlite_where=text("state <> 'retired'"),
            postgresql_where=text("state <> 'retired'"),
        ),
    )

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    alg: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    public_jwk: Mapped[str] = mapped_column(Text)
    private_jwk: Mapped[str | None] = mapped_column(EncryptedText("signing_key.private_jwk"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    activated_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)
