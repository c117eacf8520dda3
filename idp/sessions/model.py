"""Tables of sessions.

A `BrowserSession` is one sign-in in one browser. Under it hangs a `PortalSession` for every client, and for
every unit that is acted for at that client: its id is the `sid` that the portal sees, so that one pair of person
and unit can be logged out while all others go on (U13). An `Authorization` is what one authorization request
allowed; codes and refresh tokens belong to it, and a JWT access token names it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant, JsonText


class BrowserSession(Base):
    """One sign-in. The cookie holds a secret of which only the SHA-256 is kept.

    `vouched_level` is the trust level that an upstream stated at this sign-in; 0 where none did. `vouched_by` names
    the upstreams and certificates that it rests on, with spaces between: it ends when one of them counts no more.
    """

    __tablename__ = "browser_session"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'unit')", name="kind"),
        Index("ix_browser_session_subject_id", "subject_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[str] = mapped_column(String(32))
    auth_time: Mapped[datetime] = mapped_column(Instant)
    amr: Mapped[str] = mapped_column(String(100))
    vouched_level: Mapped[int] = mapped_column(default=0)
    vouched_by: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class Interaction(Base):
    """An authorization request on its way: what was asked, and which needs are met. Bound to the browser.

    `refusal` is the OAuth error code that the client is to be answered with, once the person has said no.
    `level_offered`: a voluntary step-up was shown once, and is not shown again.
    """

    __tablename__ = "interaction"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser_id: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    request: Mapped[dict[str, Any]] = mapped_column(JsonText)
    session_id: Mapped[str | None] = mapped_column(String(32))
    as_unit: Mapped[bool] = mapped_column(default=False)
    acting_for: Mapped[str | None] = mapped_column(String(32))
    consented: Mapped[bool] = mapped_column(default=False)
    level_offered: Mapped[bool] = mapped_column(default=False)
    refusal: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class PortalSession(Base):
    """A portal's share of a browser session. `id` is the `sid` claim; `unit_id` is set when acting for a unit."""

    __tablename__ = "portal_session"
    __table_args__ = (
        Index("ix_portal_session_session_id", "session_id"),
        Index("ix_portal_session_subject_id", "subject_id", "unit_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("browser_session.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    subject_id: Mapped[str] = mapped_column(String(32))
    unit_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


def _index_where_set(name: str, column: str) -> Index:
    """Return an index that costs nothing for the rows, nearly all, in which the column is empty."""
    is_set = text(f"{column} IS NOT NULL")
    return Index(name, column, sqlite_where=is_set, postgresql_where=is_set)


class Authorization(Base):
    """What one authorization request allowed a client: the grant that tokens hang on.

    `kind` is who signed in; `subject_id` is the person or the unit account. `unit_id` is the unit acted for.
    `scope` is what was granted, `businesses` the part of it that is business; `resource` holds the audiences granted,
    separated by spaces (RFC 8707). Times of the claims do not change when tokens are refreshed (`auth_time`, `acr`,
    `amr`). One that came by token exchange (RFC 8693) ends with the authorization `parent_id`, and is forgotten some
    time after `expires_at`, when its one token has expired.
    """

    __tablename__ = "authorization"
    __table_args__ = (
        Index("ix_authorization_portal_session_id", "portal_session_id"),
        _index_where_set("ix_authorization_parent_id", "parent_id"),
        _index_where_set("ix_authorization_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    portal_session_id: Mapped[str | None] = mapped_column(ForeignKey("portal_session.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[str] = mapped_column(String(32), index=True)
    unit_id: Mapped[str | None] = mapped_column(String(32))
    scope: Mapped[str] = mapped_column(Text)
    businesses: Mapped[str] = mapped_column(Text, default="")
    resource: Mapped[str] = mapped_column(Text)
    nonce: Mapped[str | None] = mapped_column(Text)
    claims: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    auth_time: Mapped[datetime] = mapped_column(Instant)
    acr: Mapped[str] = mapped_column(String(40))
    amr: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    refreshed_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_why: Mapped[str | None] = mapped_column(String(30))
    parent_id: Mapped[str | None] = mapped_column(String(32))
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class AuthorizationCode(Base):
    """An authorization code, kept as SHA-256, claimed by one conditional statement.

    `dpop_jkt` is the thumbprint of the only key that may redeem it (RFC 9449 §10).
    """

    __tablename__ = "authorization_code"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    authorization_id: Mapped[str] = mapped_column(ForeignKey("authorization.id"))
    client_id: Mapped[str] = mapped_column(String(64))
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str | None] = mapped_column(String(128))
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class DeviceCode(Base):
    """A device that waits for a person to sign in elsewhere (RFC 8628). The device code is kept as SHA-256.

    The user code opens nothing by itself, lives for minutes and must be found and shown, so it stands here as it is.
    `request` is the checked request. `poll_every` is in seconds; `hurried` says that the last poll came before it was
    over. What was decided is `authorization_id` or `refused_at`; `used_at` is when tokens were paid out.
    """

    __tablename__ = "device_code"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    device_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_code: Mapped[str] = mapped_column(String(8), unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    request: Mapped[dict[str, Any]] = mapped_column(JsonText)
    address: Mapped[str] = mapped_column(String(45))
    poll_every: Mapped[int]
    hurried: Mapped[bool] = mapped_column(default=False)
    polled_at: Mapped[datetime | None] = mapped_column(Instant)
    authorization_id: Mapped[str | None] = mapped_column(ForeignKey("authorization.id"))
    refused_at: Mapped[datetime | None] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class RefreshToken(Base):
    """A refresh token of the family `authorization_id`. `parent_hash` is the token it was issued for.

    `jkt` is the thumbprint of the only key that may use it (RFC 9449 §5): for public clients.
    """

    __tablename__ = "refresh_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    authorization_id: Mapped[str] = mapped_column(ForeignKey("authorization.id"), index=True)
    client_id: Mapped[str] = mapped_column(String(64))
    parent_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    jkt: Mapped[str | None] = mapped_column(String(43))
    issued_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class OpaqueToken(Base):
    """An opaque access token, for clients that want no JWT. `claims` is what introspection answers.

    One that a client got for itself hangs on no authorization.
    """

    __tablename__ = "opaque_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    authorization_id: Mapped[str | None] = mapped_column(ForeignKey("authorization.id"))
    claims: Mapped[dict[str, Any]] = mapped_column(JsonText)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class RevokedToken(Base):
    """The `jti` of an access token that its client revoked before it expired (RFC 7009)."""

    __tablename__ = "revoked_token"

    jti: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class PushedRequest(Base):
    """A pushed authorization request (RFC 9126), kept as SHA-256 of its reference.

    `opened_at` is when a browser first brought it, `used_at` when its sign-in ended.
    """

    __tablename__ = "pushed_request"

    request_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    parameters: Mapped[str] = mapped_column(EncryptedText("pushed_request.parameters"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    opened_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class UsedJti(Base):
    """A `jti` that may be presented once, as a fingerprint together with its kind and issuer."""

    __tablename__ = "used_jti"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class Attempts(Base):
    """How often a password was guessed at an account (or at a name that no account has) in a row (P9)."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    last_at: Mapped[datetime] = mapped_column(Instant, index=True)


class Draft(Base):
    """What was typed into the steps of a form so far, encrypted, bound to the browser."""

    __tablename__ = "draft"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser_id: Mapped[str] = mapped_column(String(64))
    form: Mapped[str] = mapped_column(String(30))
    content: Mapped[str] = mapped_column(EncryptedText("draft.content"))
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
