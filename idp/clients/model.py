"""Tables of the client aggregate."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant, JsonText


class ActsFor(StrEnum):
    """Whether a client's users act for a unit (DESIGN 4)."""

    NEVER = "never"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Client(Base):
    """A relying party. Metadata names are those of RFC 7591 and OpenID Connect; the rest is ours.

    `scopes` is all it may ask for, businesses included. `resource` is the audience of its access tokens (RFC 8707).
    `more` holds registered metadata that no column stands for.
    """

    __tablename__ = "client"
    __table_args__ = (CheckConstraint("acts_for IN ('never', 'optional', 'required')", name="acts_for"),)

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_name: Mapped[str] = mapped_column(String(100))
    client_uri: Mapped[str | None] = mapped_column(Text)
    secret_hash: Mapped[str | None] = mapped_column(String(64))
    # Only of clients that sign with their secret.
    sealed_secret: Mapped[str | None] = mapped_column(EncryptedText("client.secret"))
    token_endpoint_auth_method: Mapped[str] = mapped_column(String(30), default="client_secret_basic")
    redirect_uris: Mapped[list[str]] = mapped_column(JsonText)
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(JsonText, default=list)
    backchannel_logout_uri: Mapped[str | None] = mapped_column(Text)
    initiate_login_uri: Mapped[str | None] = mapped_column(Text)
    grant_types: Mapped[list[str]] = mapped_column(JsonText)
    scopes: Mapped[list[str]] = mapped_column(JsonText)
    resource: Mapped[str | None] = mapped_column(Text)
    acts_for: Mapped[str] = mapped_column(String(10), default=ActsFor.NEVER)
    allows_unit_accounts: Mapped[bool] = mapped_column(default=False)
    uscc_only: Mapped[bool] = mapped_column(default=False)
    min_person_level: Mapped[int] = mapped_column(default=0)
    min_unit_level: Mapped[int] = mapped_column(default=0)
    consent_required: Mapped[bool] = mapped_column(default=True)
    access_token_format: Mapped[str] = mapped_column(String(10), default="jwt")
    access_token_alg: Mapped[str] = mapped_column(String(10), default="ES256")
    id_token_alg: Mapped[str] = mapped_column(String(10), default="RS256")
    more: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    # Counted up by every change of a row through the ORM; by it a process knows that its copy is still right.
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy types it as its own


class InitialAccessToken(Base):
    """What lets somebody register a client (RFC 7591 §3), kept as SHA-256. `uses_left` is empty where it has no bound.

    `policy` is a `RegistrationPolicy`.
    """

    __tablename__ = "initial_access_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    label: Mapped[str] = mapped_column(String(100))
    policy: Mapped[dict[str, Any]] = mapped_column(JsonText)
    uses_left: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class RegistrationAccessToken(Base):
    """What manages one client that registered itself (RFC 7592), kept as SHA-256, with the policy that bounds it."""

    __tablename__ = "registration_access_token"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    policy: Mapped[dict[str, Any]] = mapped_column(JsonText)


class Consent(Base):
    """What a person let a client have, for themselves (`unit_id` empty) or when acting for one unit."""

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("subject_id", "client_id", "unit_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject_id: Mapped[str] = mapped_column(String(32))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    unit_id: Mapped[str] = mapped_column(String(32), default="")
    scopes: Mapped[list[str]] = mapped_column(JsonText)
    given_at: Mapped[datetime] = mapped_column(Instant)
