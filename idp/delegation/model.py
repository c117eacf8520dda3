"""Tables of delegation."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant


class BindingKind(StrEnum):
    """What a bound person is to the unit (U10)."""

    AGENT = "agent"
    COMMON_CONTACT = "common_contact"


class BindingStatus(StrEnum):
    """A binding is asked for by the unit, then accepted or refused by the person, and ends once."""

    PENDING = "pending"
    ACTIVE = "active"
    REFUSED = "refused"
    ENDED = "ended"


class Business(Base):
    """Something a portal lets people do. `code` is the scope; `min_…_level` are the lowest levels it takes (F3).

    `needs_verified_unit`: an unverified unit may not do it (U15). `open_to_unit_account`: a unit without agents may
    do it after its legal representative's face check (U18).
    """

    __tablename__ = "business"

    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(String(200), default="")
    client_id: Mapped[str | None] = mapped_column(ForeignKey("client.client_id"))
    min_person_level: Mapped[int] = mapped_column(default=0)
    min_unit_level: Mapped[int] = mapped_column(default=0)
    needs_verified_unit: Mapped[bool] = mapped_column(default=False)
    open_to_unit_account: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class Binding(Base):
    """A person bound to a unit, and how it was proven. At most one that is pending or active for a pair."""

    __tablename__ = "binding"
    __table_args__ = (
        CheckConstraint("kind IN ('agent', 'common_contact')", name="kind"),
        CheckConstraint("status IN ('pending', 'active', 'refused', 'ended')", name="status"),
        Index(
            "uq_binding_open_pair",
            "unit_id",
            "person_id",
            unique=True,
            sqlite_where=text("status IN ('pending', 'active')"),
            postgresql_where=text("status IN ('pending', 'active')"),
        ),
        Index(
            "uq_binding_common_contact",
            "unit_id",
            unique=True,
            sqlite_where=text("status = 'active' AND kind = 'common_contact'"),
            postgresql_where=text("status = 'active' AND kind = 'common_contact'"),
        ),
        Index("ix_binding_person_id", "person_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(20), default=BindingKind.AGENT)
    status: Mapped[str] = mapped_column(String(10))
    proven_by: Mapped[str] = mapped_column(String(30))
    requested_at: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String(20))


class GrantRequest(Base):
    """An agent's request to be granted a business (C5). It is gone once it was granted, or when it has expired.

    Open until `expires_at`; once refused, it bars another one until then. What became of it stands in the audit.
    """

    __tablename__ = "grant_request"
    __table_args__ = (
        UniqueConstraint("binding_id", "business_code"),
        Index("ix_grant_request_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    binding_id: Mapped[str] = mapped_column(ForeignKey("binding.id"))
    business_code: Mapped[str] = mapped_column(ForeignKey("business.code"))
    requested_at: Mapped[datetime] = mapped_column(Instant)
    refused_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class BusinessGrant(Base):
    """A business that a unit lets a bound person do, within an optional window (U11). One open grant a business."""

    __tablename__ = "business_grant"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from < valid_to", name="window"),
        Index(
            "uq_business_grant_open",
            "binding_id",
            "business_code",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_business_grant_valid_to", "valid_to"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    binding_id: Mapped[str] = mapped_column(ForeignKey("binding.id"))
    business_code: Mapped[str] = mapped_column(ForeignKey("business.code"))
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)
    granted_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_why: Mapped[str | None] = mapped_column(String(20))


class RepresentativeCheck(Base):
    """A face check of a unit's legal representative for one business, in one authorization request (U18).

    `gateway_id` is the check's id at the authority, `url` its page for the phone, `reference` names the decision.
    `state` is a `FaceState`. What was passed serves once, soon: `used_at`. Used ones stay for a while, for the unit to
    see.
    """

    __tablename__ = "representative_check"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'passed', 'failed', 'expired')", name="state"),
        Index("ix_representative_check_interaction_id", "interaction_id"),
        Index("ix_representative_check_unit_id", "unit_id", "used_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    interaction_id: Mapped[str] = mapped_column(String(64))
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    business_code: Mapped[str] = mapped_column(ForeignKey("business.code"))
    gateway_id: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(EncryptedText("representative_check.url"))
    state: Mapped[str] = mapped_column(String(10))
    reference: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
