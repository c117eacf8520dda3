"""What one running stand-in consists of; the views find it at their application."""

from dataclasses import dataclass, field

from flask import current_app

from sandbox.faults import Faults
from sandbox.province.accounts import Account, Accounts, Kind
from sandbox.province.clients import Client, Clients
from sandbox.province.keys import SigningKeys
from sandbox.province.scans import Scans
from sandbox.province.tickets import Tickets

CODE_SECONDS = 60.0
TOKEN_SECONDS = 600.0
BROWSER_SECONDS = 1800.0
OWN_FAULTS = (
    "wrong_signature",
    "unknown_level",
    "no_level",
    "account_disabled",
    "foreign_audience",
    "expired_token",
    "wrong_nonce",
)


@dataclass(frozen=True)
class Profile:
    """Which system is stood in for: its name in options, its title on pages, whom it knows."""

    name: str
    title: str
    phone_app: str
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Grant:
    """What a code, and then an access token, stands for. `nonce` and `challenge` are of OpenID Connect only."""

    protocol: str
    client_id: str
    redirect_uri: str
    useridcode: str
    nonce: str | None = None
    challenge: str | None = None


@dataclass(frozen=True)
class Province:
    """The state of one stand-in."""

    profile: Profile
    client_secret: str
    faults: Faults
    accounts: Accounts = field(default_factory=Accounts)
    clients: Clients = field(default_factory=Clients)
    keys: SigningKeys = field(default_factory=SigningKeys)
    codes: Tickets[Grant] = field(default_factory=lambda: Tickets(CODE_SECONDS))
    tokens: Tickets[Grant] = field(default_factory=lambda: Tickets(TOKEN_SECONDS))
    browsers: Tickets[str] = field(default_factory=lambda: Tickets(BROWSER_SECONDS))
    scans: Scans = field(default_factory=Scans)

    def has_fault(self, mode: str) -> bool:
        """Whether the stand-in is in the error mode `mode` now."""
        return self.faults.current.mode == mode

    def client(self, client_id: str, secret: str) -> Client | None:
        """Return the client with these credentials, or None. Every client has the stand-in's one secret."""
        return self.clients.get(client_id) if secret == self.client_secret else None

    def usable_account(self, useridcode: str) -> Account | None:
        """Return the account unless it was disabled, be it by the fault of the moment."""
        account = self.accounts.get(useridcode)
        if account is None or account.disabled or self.has_fault("account_disabled"):
            return None
        return account

    def stated_level(self, account: Account) -> str | None:
        """Return the level that the stand-in says `account` has; the faults make it one that no table knows."""
        if self.has_fault("no_level"):
            return None
        return "L9" if self.has_fault("unknown_level") else account.level


def province() -> Province:
    """Return the stand-in that answers this request."""
    found: Province = current_app.extensions["province"]
    return found
