"""Tables of the person aggregate."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant


class AccountStatus(StrEnum):
    """Whether an account may be used. A cancelled account stays as a row, for the audit."""

    ACTIVE = "active"
    LOCKED = "locked"
    CANCELLED = "cancelled"


class AccountKind(StrEnum):
    """Who signs in: a person, or a unit with its own account."""

    PERSON = "person"
    UNIT = "unit"


class LoginName(Base):
    """A login name, unique without regard to case over persons and units (P2)."""

    __tablename__ = "login_name"

    key: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    owner_id: Mapped[str] = mapped_column(String(32), index=True)


class Person(Base):
    """A natural person.

    `document_claim` and `phone_claim` are the look-up hashes once more, but unique: whoever registers holds the
    claim. Accounts imported twice for one natural person (P13) share `document_lookup` while only one holds the
    claim; cancelling gives a claim up.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("real_name_level BETWEEN 1 AND 3", name="real_name_level"),
        CheckConstraint("status IN ('active', 'locked', 'cancelled')", name="status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    login_name: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None] = mapped_column(Instant)
    full_name: Mapped[str] = mapped_column(EncryptedText("person.full_name"))
    document_type: Mapped[str] = mapped_column(String(30))
    document_number: Mapped[str] = mapped_column(EncryptedText("person.document_number"))
    document_lookup: Mapped[str] = mapped_column(String(64), index=True)
    document_claim: Mapped[str | None] = mapped_column(String(64), unique=True)
    phone: Mapped[str] = mapped_column(EncryptedText("person.phone"))
    phone_lookup: Mapped[str] = mapped_column(String(64), index=True)
    phone_claim: Mapped[str | None] = mapped_column(String(64), unique=True)
    real_name_level: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(String(10), default=AccountStatus.ACTIVE)
    created_at: Mapped[datetime] = mapped_column(Instant)


class PersonProofing(Base):
    """One way in which a person proved to us who they are, and when.

    The level on the person is the highest of these and of what the upstreams say at the newest sign-in.
    """

    __tablename__ = "person_proofing"
    __table_args__ = (Index("ix_person_proofing_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    method: Mapped[str] = mapped_column(String(30))
    level: Mapped[int]
    reference: Mapped[str | None] = mapped_column(String(100))
    proved_at: Mapped[datetime] = mapped_column(Instant)
