"""Tables of the unit aggregate."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.persons.model import AccountStatus
from idp.store.base import Base, EncryptedText, Instant


class Region(Base):
    """A province, city or district by its six-digit code (GB/T 2260). The table is the truth, seeded by migration.

    `level` is 1 province, 2 city, 3 district. Municipalities have no city row; 东莞 and 中山 have no districts.
    """

    __tablename__ = "region"

    code: Mapped[str] = mapped_column(String(6), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    level: Mapped[int]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)


class Unit(Base):
    """A legal entity with its own account, which manages itself and does no business (U7).

    The document type and number never change (U16). `trust_level` is the province's (0 = L0 … 3 = L3).
    `register_level` is what the company register alone is worth: that stays when the upstream is unlinked.
    """

    __tablename__ = "unit"
    __table_args__ = (
        CheckConstraint("trust_level BETWEEN 0 AND 3", name="trust_level"),
        CheckConstraint("status IN ('active', 'locked', 'cancelled')", name="status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    login_name: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None] = mapped_column(Instant)
    document_type: Mapped[str] = mapped_column(String(20))
    document_number: Mapped[str] = mapped_column(EncryptedText("unit.document_number"))
    document_lookup: Mapped[str] = mapped_column(String(64), index=True)
    document_claim: Mapped[str | None] = mapped_column(String(64), unique=True)
    full_name: Mapped[str] = mapped_column(EncryptedText("unit.full_name"))
    legal_representative: Mapped[str] = mapped_column(EncryptedText("unit.legal_representative"))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    trust_level: Mapped[int] = mapped_column(default=0)
    register_level: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    verified_how: Mapped[str | None] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(10), default=AccountStatus.ACTIVE)
    created_at: Mapped[datetime] = mapped_column(Instant)


class UnitAuthorisationCode(Base):
    """A code that may verify a unit (单位授权码, U14), as a keyed hash: one at most for a unit, gone once used."""

    __tablename__ = "unit_authorisation_code"

    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
