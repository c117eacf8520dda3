"""Tables of federation."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant


class Purpose(StrEnum):
    """What a trip is for: to sign in, or to have the level raised over there first (F3)."""

    SIGN_IN = "sign_in"
    UPGRADE = "upgrade"


class UpstreamLink(Base):
    """An account at an upstream that is one of ours. The stable id over there is kept as a keyed hash only.

    Level, way and time are what the upstream said at the newest sign-in (`seen_at`). `proven_by` is how the link came
    about: first_login, password, session, initialisation.
    """

    __tablename__ = "upstream_link"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'unit')", name="kind"),
        CheckConstraint("trust_level BETWEEN 0 AND 3", name="trust_level"),
    )

    upstream: Mapped[str] = mapped_column(String(30), primary_key=True)
    stable_id_lookup: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    owner_id: Mapped[str] = mapped_column(String(32), index=True)
    trust_level: Mapped[int]
    trust_level_way: Mapped[str | None] = mapped_column(String(60))
    trust_level_at: Mapped[datetime | None] = mapped_column(Instant)
    proven_by: Mapped[str] = mapped_column(String(30))
    linked_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)


class UpstreamTrip(Base):
    """A browser on its way to an upstream and back. The state is kept as SHA-256, the other secrets encrypted."""

    __tablename__ = "upstream_trip"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    upstream: Mapped[str] = mapped_column(String(30))
    browser_id: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(10))
    secrets: Mapped[str] = mapped_column(EncryptedText("upstream_trip.secrets"))
    tab: Mapped[str] = mapped_column(String(10))
    interaction_id: Mapped[str | None] = mapped_column(String(64))
    next_path: Mapped[str | None] = mapped_column(Text)
    as_unit: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
