"""What an upstream is (省统一身份认证, 电子社保卡): the Protocol of its adapters, and what it vouches for."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from idp.gateways.errors import GatewayRefused, GatewayUnavailable
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.levels import TrustLevel


class UpstreamUnavailable(GatewayUnavailable):
    """No answer of the upstream, or none that can be trusted. `gateway` is the upstream's name in the settings."""

    code = "upstream_unavailable"


class UpstreamRefused(GatewayRefused):
    """The upstream does not take the code or our request, or what it signed is not for us, or not for this sign-in."""

    code = "upstream_refused"


class UpstreamAccountDisabled(GatewayRefused):
    """The account over there is disabled; nobody signs in with it."""

    code: ClassVar[str] = "upstream_account_disabled"
    status = 403


class SubjectKind(StrEnum):
    """Whom an account at the upstream stands for: 个人登录, 法人登录."""

    PERSON = "person"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class TripSecrets:
    """What one sign-in at an upstream is tied together with. Kept encrypted until the browser comes back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Party:
    """A natural person whom a legal entity names: its legal representative, or its contact. Never printed."""

    name: str = field(repr=False)
    document_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Vouched:
    """What an upstream says of the account that signed in over there, in our canonical forms. Nothing is printed.

    `stable_id` is the only thing by which the account is known again; `phone` is E.164. An unknown or absent level is
    L0. `trust_level_way` is the upstream's own word for how the level was reached.
    """

    upstream: str
    stable_id: str = field(repr=False)
    kind: SubjectKind
    name: str = field(repr=False)
    document_type: PersonDocument | UnitDocument
    document_number: str = field(repr=False)
    phone: str | None = field(repr=False)
    trust_level: TrustLevel
    trust_level_way: str | None
    trust_level_at: datetime | None
    legal_representative: Party | None = field(default=None, repr=False)
    contact: Party | None = field(default=None, repr=False)


class Upstream(Protocol):
    """Signs people in somewhere else. One object for the whole process, safe to share between threads."""

    name: str

    def authorize_url(self, secrets: TripSecrets, redirect_uri: str) -> str:
        """Return the address to send the browser to. `redirect_uri` is our own, without a query.

        Raises UpstreamUnavailable where the address must be asked for first.
        """
        ...

    def fetch(self, code: str, secrets: TripSecrets, redirect_uri: str) -> Vouched:
        """Return whom the returning browser's `code` stands for. Calls the outside: no transaction open.

        Raises UpstreamUnavailable, UpstreamRefused, UpstreamAccountDisabled.
        """
        ...
