"""Settings, from the environment (`JINGBAN_…`) and a TOML file (`JINGBAN_CONFIG`); the environment wins.

They are checked once, at start. A wrong setting stops the program with a sentence that names it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from flask import current_app
from limits import parse_many
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from idp.features import Feature

Network = IPv4Network | IPv6Network

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


class SettingWrong(Exception):
    """A setting names a file that cannot serve; the message says which, and why, for an operator."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"JINGBAN_{name.upper()}: {reason}")


class UpstreamSetting(BaseModel):
    """One system in which people sign in for us (F1): the province's, or another of its kind.

    `title` is what the tile says. `kinds` is whose accounts it has. `upgrade_url` is where it lifts a level (F3).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")
    title: str = Field(min_length=1, max_length=30)
    protocol: Literal["province", "oidc"]
    base_url: str = ""
    issuer: str = ""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    kinds: tuple[Literal["person", "unit"], ...] = Field(("person", "unit"), min_length=1)
    upgrade_url: str = ""

    @property
    def address(self) -> str:
        """The address that we call."""
        return self.issuer if self.protocol == "oidc" else self.base_url

    @model_validator(mode="after")
    def _addresses_can_be_called(self) -> "UpstreamSetting":
        """Codes, secrets and identities go there: https, unless it is on this machine."""
        wanted = "issuer" if self.protocol == "oidc" else "base_url"
        if not self.address or (self.base_url and self.issuer):
            msg = f"upstream {self.name} speaks {self.protocol}: it takes {wanted} and nothing in its place"
            raise ValueError(msg)
        for address in (self.address, self.upgrade_url):
            parts = urlsplit(address)
            is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
            if address and not (is_safe and parts.hostname and not parts.query and not parts.fragment):
                msg = f"upstream {self.name}: addresses are https, unless on this machine, without query and fragment"
                raise ValueError(msg)
        return self


class Settings(BaseSettings):
    """Everything an operator may set. Lifetimes are in seconds."""

    model_config = SettingsConfigDict(env_prefix="JINGBAN_", extra="forbid", frozen=True)

    # The issuer is a plain string: a URL type would add a slash, and clients compare it byte for byte.
    issuer: str = Field("http://localhost:8000", description="Address of this provider, without a trailing slash")
    database_url: str = Field("sqlite:///var/jingban.sqlite3", description="SQLAlchemy address of the database")
    key_file: Path = Field(Path("var/jingban.keys.json"), description="Keys for columns, look-ups and cookies")
    redis_url: str = Field("", description="Rate limits shared by workers; empty: each worker counts alone")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    trusted_proxies: int = Field(0, ge=0, le=5, description="How many reverse proxies stand in front")
    default_locale: Literal["zh_Hans", "zh_Hant", "en"] = "zh_Hans"

    sms_url: str = ""
    sms_key: SecretStr = SecretStr("")
    unionpay_url: str = ""
    unionpay_key: SecretStr = SecretStr("")
    company_register_url: str = ""
    company_register_key: SecretStr = SecretStr("")
    face_check_url: str = ""
    face_check_key: SecretStr = SecretStr("")
    upstreams: tuple[UpstreamSetting, ...] = Field(
        (),
        description="Systems in which people sign in for us: the province's, and others of its kind (docs/levels.md)",
    )

    code_lifetime: int = Field(60, ge=10, le=600)
    pushed_request_lifetime: int = Field(60, ge=5, le=600)
    access_token_lifetime: int = Field(300, ge=30, le=3600)
    representative_token_lifetime: int = Field(
        600, ge=60, le=1800, description="Access tokens of a unit whose legal representative was checked (U18)"
    )
    id_token_lifetime: int = Field(3600, ge=60, le=86400)
    refresh_token_lifetime: int = Field(30 * 86400, ge=600)
    refresh_grace: int = Field(10, ge=0, le=60, description="A refresh whose answer was lost may be retried this long")
    dpop_nonce_required: bool = Field(False, description="Every DPoP proof must repeat a nonce of ours (RFC 9449 §8)")
    interaction_lifetime: int = Field(1800, ge=60, le=7200)
    device_code_lifetime: int = Field(600, ge=60, le=3600)
    scan_lifetime: int = Field(180, ge=60, le=600, description="A QR code for sign-in waits this long for a phone")
    unit_authorisation_code_lifetime: int = Field(
        7 * 86400,
        ge=3600,
        le=90 * 86400,
        description="An authorisation code (单位授权码) can be typed this long (U14)",
    )
    session_idle: int = Field(1800, ge=60)
    session_absolute: int = Field(43200, ge=300)
    key_publish_ahead: int = Field(86400, ge=0, description="A new signing key is published this long before use")
    key_active_for: int = Field(90 * 86400, ge=60, description="Signing keys rotate by schedule after this long")

    password_any_three_kinds: bool = Field(False, description="P3: accept any three of the four character kinds")
    argon2_memory_kib: int = Field(19456, ge=8192)
    argon2_time_cost: int = Field(2, ge=1)
    argon2_parallel: int = Field(2, ge=1, le=64, description="How many password checks a process runs at once")

    limit_sign_in: str = Field("120/minute;2000/hour", description="Sign-ins from one address")
    limit_registration: str = Field("60/minute;600/hour", description="Registrations from one address")
    limit_authorize: str = Field(
        "600/minute;12000/hour", description="Sign-ins begun for a portal, a device or a phone, from one address"
    )
    limit_sms: str = Field("30/minute;300/hour", description="SMS codes asked for from one address")
    sms_daily_phone: int = Field(10, ge=1, description="SMS codes to one phone in 24 hours")
    sms_daily_prefix: int = Field(500, ge=1, description="SMS codes to phones of one prefix (7 digits) in 24 hours")
    sms_daily_address: int = Field(300, ge=1, description="SMS codes asked for from one address in 24 hours")

    certificate_authorities: Path | None = Field(
        None, description="Authorities whose certificates sign people and units in (PEM); without it none does"
    )
    certificate_hardware_policies: tuple[str, ...] = Field(
        (), description='Policies (OIDs) under which an authority says that a key is in hardware: ["1.2.156.1"]'
    )
    certificate_tls_url: str = Field(
        "", description="Address at which the proxy asks the browser for a client certificate; empty: nowhere"
    )
    certificate_tls_proxies: tuple[Network, ...] = Field(
        (), description='Addresses of the proxies that may pass a client certificate on: ["127.0.0.1/32"]'
    )

    features_off: frozenset[Feature] = Field(
        frozenset(), description='Parts of the protocol that are not offered, as a list: ["device", "registration"]'
    )
    registration_open: bool = Field(
        False, description="Clients may register themselves without an initial access token"
    )
    software_statement_jwks: Path | None = Field(None, description="Keys of who signs software statements (RFC 7591)")
    fetch_allow_loopback: bool = Field(False, description="Let portals on this machine be called, http included")
    fetch_networks: tuple[Network, ...] = Field(
        (), description='Private networks in which portals live and may be called, by https: ["10.20.0.0/16"]'
    )
    fetch_ca_file: Path | None = Field(None, description="Certificate authorities for calls to portals")

    @field_validator("issuer")
    @classmethod
    def _issuer_is_an_address(cls, issuer: str) -> str:
        """Refuse what RFC 8414 §2 does: an issuer has a host, no query, no fragment; https, but for loopback."""
        parts = urlsplit(issuer)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            msg = "issuer must be an http(s) address with a host and without query or fragment"
            raise ValueError(msg)
        if issuer.endswith("/"):
            msg = "issuer must not end with a slash"
            raise ValueError(msg)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            msg = "issuer must be https, unless it is on this machine"
            raise ValueError(msg)
        return issuer

    @field_validator("limit_sign_in", "limit_registration", "limit_authorize", "limit_sms")
    @classmethod
    def _limit_can_be_read(cls, limit: str) -> str:
        """Refuse at start what Flask-Limiter could not read later."""
        parse_many(limit)
        return limit

    @field_validator("fetch_networks")
    @classmethod
    def _networks_are_private(cls, networks: tuple[Network, ...]) -> tuple[Network, ...]:
        """Refuse loopback, link-local (where clouds keep their credentials) and multicast: no portal lives there."""
        for network in networks:
            if network.is_loopback or network.is_link_local or network.is_multicast or not network.is_private:
                msg = f"fetch_networks takes private networks, and {network} is none"
                raise ValueError(msg)
        return networks

    @field_validator("certificate_hardware_policies")
    @classmethod
    def _policies_are_oids(cls, policies: tuple[str, ...]) -> tuple[str, ...]:
        for each in policies:
            if not _OID.fullmatch(each):
                msg = f"certificate_hardware_policies takes object identifiers like 1.2.156.1, and {each} is none"
                raise ValueError(msg)
        return policies

    @field_validator("certificate_tls_url")
    @classmethod
    def _certificates_are_asked_for_by_tls(cls, url: str) -> str:
        """Refuse what is no https address of a host alone: only in a TLS handshake is a certificate presented."""
        parts = urlsplit(url)
        if url and (parts.scheme != "https" or not parts.hostname or parts.path or parts.query or parts.fragment):
            msg = "certificate_tls_url is an https address without path: https://certificate.idp.example"
            raise ValueError(msg)
        return url

    @field_validator("upstreams")
    @classmethod
    def _upstreams_have_names_of_their_own(cls, upstreams: tuple[UpstreamSetting, ...]) -> tuple[UpstreamSetting, ...]:
        """Refuse two of one name: links to accounts are kept under it."""
        if len({each.name for each in upstreams}) != len(upstreams):
            msg = "two upstreams have the same name"
            raise ValueError(msg)
        return upstreams

    @field_validator("database_url")
    @classmethod
    def _sqlite_file_is_absolute(cls, database_url: str) -> str:
        """Take an SQLite file relative to where the command runs; Flask-SQLAlchemy would take it from elsewhere."""
        prefix = "sqlite:///"
        path = database_url.removeprefix(prefix)
        if not database_url.startswith(prefix) or path in {"", ":memory:"} or path.startswith("file:"):
            return database_url
        return prefix + str(Path(path).absolute())

    @model_validator(mode="after")
    def _a_proxy_passes_certificates_on(self) -> "Settings":
        """Refuse an address for client certificates at which anybody could make one up."""
        if self.certificate_tls_url and not (self.certificate_tls_proxies and self.certificate_authorities):
            msg = "certificate_tls_url needs certificate_tls_proxies and certificate_authorities"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _idle_within_absolute(self) -> "Settings":
        if self.session_idle > self.session_absolute:
            msg = "session_idle must not be longer than session_absolute"
            raise ValueError(msg)
        return self

    def is_on(self, feature: Feature) -> bool:
        """Whether this part of the protocol is offered."""
        return feature not in self.features_off

    @property
    def https(self) -> bool:
        """Whether cookies can be Secure and carry the `__Host-` prefix."""
        return self.issuer.startswith("https://")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence: arguments, environment, TOML file."""
        del dotenv_settings, file_secret_settings
        config = os.environ.get("JINGBAN_CONFIG")
        if config is None:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config)


_at_hand: ContextVar[Settings | None] = ContextVar("settings", default=None)


def settings() -> Settings:
    """Return the settings of the running application."""
    at_hand = _at_hand.get()
    if at_hand is not None:
        return at_hand
    found: Settings = current_app.extensions["jingban.settings"]
    return found


@contextmanager
def at_hand(configured: Settings) -> Iterator[None]:
    """Let `settings()` return `configured` without asking Flask: a hot request asks ten times."""
    token = _at_hand.set(configured)
    try:
        yield
    finally:
        _at_hand.reset(token)
