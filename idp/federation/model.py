"""Tables of federation. The links that it makes are ways in to an account: `idp.factors.model.UpstreamLink`."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant


class Purpose(StrEnum):
    """What a trip is for: to sign in, or to have the level raised over there first (F3)."""

    SIGN_IN = "sign_in"
    UPGRADE = "upgrade"


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
