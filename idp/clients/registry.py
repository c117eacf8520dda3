"""Looking clients up: a copy in the process, trusted for seconds, then checked by its version (DESIGN 9).

A client that was changed or disabled is seen by every process within `TRUST_MS`. What is cached is a value and not
a row: threads share it, and nobody can change it.
"""

from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy import select

from idp import clock
from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor, Client
from idp.store import hot
from idp.store.db import db

TRUST_MS = 2000

FIND_VERSION = hot.Statement("SELECT version FROM client WHERE client_id = :client_id AND disabled_at IS NULL")


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A living client as a value. Fields are those of `idp.clients.model.Client`."""

    client_id: str
    client_name: str
    client_uri: str | None
    secret_hash: str | None
    sealed_secret: str | None = field(repr=False)
    token_endpoint_auth_method: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    backchannel_logout_uri: str | None
    initiate_login_uri: str | None
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    resource: str | None
    acts_for: ActsFor
    allows_unit_accounts: bool
    uscc_only: bool
    min_person_level: int
    min_unit_level: int
    consent_required: bool
    access_token_format: str
    access_token_alg: str
    id_token_alg: str
    protocol: ProtocolMetadata
    version: int

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Tell Authlib's client authentication whether the client registered for `method`, at every endpoint."""
        del endpoint
        return method == self.token_endpoint_auth_method


@dataclass(frozen=True, slots=True)
class _Copy:
    client: RegisteredClient
    checked_at: int


def find(client_id: str) -> RegisteredClient | None:
    """Return the living client of this id; None when it is unknown or disabled.

    Costs nothing while the copy is trusted, one short statement when its version must be checked.
    """
    copies: dict[str, _Copy] = current_app.extensions.setdefault("jingban.clients", {})
    now = clock.millis()
    copy = copies.get(client_id)
    # A clock that was set back must not make a copy young for ever: its age has two bounds.
    if copy is not None and 0 <= now - copy.checked_at < TRUST_MS:
        return copy.client
    version = hot.reader().one(FIND_VERSION, client_id=client_id)
    if version is None:
        copies.pop(client_id, None)
        return None
    client = copy.client if copy is not None and copy.client.version == version[0] else _load(client_id)
    if client is None:
        copies.pop(client_id, None)
        return None
    copies[client_id] = _Copy(client, now)
    return client


def _load(client_id: str) -> RegisteredClient | None:
    row = db.session.scalars(
        select(Client)
        .where(Client.client_id == client_id, Client.disabled_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if row is None else _value(row)


def _value(row: Client) -> RegisteredClient:
    return RegisteredClient(
        client_id=row.client_id,
        client_name=row.client_name,
        client_uri=row.client_uri,
        secret_hash=row.secret_hash,
        sealed_secret=row.sealed_secret,
        token_endpoint_auth_method=row.token_endpoint_auth_method,
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        backchannel_logout_uri=row.backchannel_logout_uri,
        initiate_login_uri=row.initiate_login_uri,
        grant_types=tuple(row.grant_types),
        scopes=tuple(row.scopes),
        resource=row.resource,
        acts_for=ActsFor(row.acts_for),
        allows_unit_accounts=row.allows_unit_accounts,
        uscc_only=row.uscc_only,
        min_person_level=row.min_person_level,
        min_unit_level=row.min_unit_level,
        consent_required=row.consent_required,
        access_token_format=row.access_token_format,
        access_token_alg=row.access_token_alg,
        id_token_alg=row.id_token_alg,
        protocol=ProtocolMetadata.read(row.more),
        version=row.version,
    )
