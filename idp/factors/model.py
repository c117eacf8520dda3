"""Tables of factors. An SMS code needs none of its own: the phone stands on the person."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, EncryptedText, Instant, JsonText


class Totp(Base):
    """A person's authenticator app (RFC 6238). `last_step` is the time step of the last code that was taken."""

    __tablename__ = "totp"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    secret: Mapped[str] = mapped_column(EncryptedText("totp.secret"))
    last_step: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class RecoveryCode(Base):
    """A code that stands in once for a lost authenticator app; only its keyed hash is kept."""

    __tablename__ = "recovery_code"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Passkey(Base):
    """A public key credential (WebAuthn §4). `credential_id` is base64url; `name` is what its owner calls it.

    `sign_count` stays 0 where the authenticator does not count, as synchronised passkeys do not.
    """

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)  # 32 bits without a sign
    transports: Mapped[list[Any]] = mapped_column(JsonText)
    name: Mapped[str] = mapped_column(String(30))
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class WebauthnChallenge(Base):
    """A challenge that a browser was given, kept as SHA-256, for one purpose. `person_id` is empty at sign-in."""

    __tablename__ = "webauthn_challenge"

    challenge_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser_id: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[str] = mapped_column(String(32))
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class ScanTicket(Base):
    """A sign-in that waits for a phone (扫码登录, P7). Its id stands in the QR code and opens nothing by itself.

    `browser_id` is the browser that asked, and the only one that may take the result; `phone_id` the first one that
    opened it signed in, and the only one that may confirm. `number` is shown in the former and typed into the latter;
    `tries` counts wrong ones. A phone's sign-in must not be older than `signed_in_since`. What was decided is
    `confirmed_at`, with who, in which session of the phone, and how (`amr`), or `refused_at`; `used_at` is when the
    session began.
    """

    __tablename__ = "scan_ticket"
    __table_args__ = (CheckConstraint("kind IN ('person', 'unit')", name="kind"),)

    id: Mapped[str] = mapped_column(String(10), primary_key=True)
    browser_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(10))
    as_unit: Mapped[bool]
    client_id: Mapped[str | None] = mapped_column(String(64))
    interaction_id: Mapped[str | None] = mapped_column(String(64))
    next_path: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    number: Mapped[str] = mapped_column(String(2))
    tries: Mapped[int] = mapped_column(default=0)
    signed_in_since: Mapped[datetime] = mapped_column(Instant)
    phone_id: Mapped[str | None] = mapped_column(String(64))
    subject_id: Mapped[str | None] = mapped_column(String(32))
    session_id: Mapped[str | None] = mapped_column(String(32))
    amr: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    refused_at: Mapped[datetime | None] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Certificate(Base):
    """A digital certificate (数字证书) of a person or a unit. `issuer_serial` is the SHA-256 of both, which name it.

    `issuer` is the authority's name as the owner reads it. `chain` is the certificate and those above it as PEM, as
    they were when it was used last: by them the lists of revoked ones are asked while its sessions live. One that
    its owner removed stays as a row, or its next use would add it again.
    """

    __tablename__ = "certificate"
    __table_args__ = (CheckConstraint("kind IN ('person', 'unit')", name="kind"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    owner_id: Mapped[str] = mapped_column(String(32), index=True)
    issuer_serial: Mapped[str] = mapped_column(String(64), unique=True)
    key_fingerprint: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(100))
    serial: Mapped[str] = mapped_column(String(40))
    in_hardware: Mapped[bool]
    chain: Mapped[str] = mapped_column(EncryptedText("certificate.chain"))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    removed_at: Mapped[datetime | None] = mapped_column(Instant)


class CertificateChallenge(Base):
    """What a browser was given to sign, or to present a certificate for: kept as SHA-256, for one purpose and use.

    `owner_id` is empty at sign-in. A certificate that was presented waits as PEM in `chain` for the browser that
    brings the secret behind `code_hash`. The rest says where the browser goes on.
    """

    __tablename__ = "certificate_challenge"

    challenge_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    door: Mapped[str] = mapped_column(String(10))
    purpose: Mapped[str] = mapped_column(String(10))
    browser_id: Mapped[str] = mapped_column(String(64))
    owner_id: Mapped[str] = mapped_column(String(32))
    tab: Mapped[str] = mapped_column(String(10))
    as_unit: Mapped[bool]
    interaction_id: Mapped[str] = mapped_column(String(64))
    next_path: Mapped[str | None] = mapped_column(Text)
    chain: Mapped[str | None] = mapped_column(EncryptedText("certificate_challenge.chain"))
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class UpstreamLink(Base):
    """An account at an upstream that is one of ours, of a person or a unit; made and read by `idp.federation`.

    The stable id over there is kept as a keyed hash only.

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
