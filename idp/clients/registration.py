"""Registering clients: their metadata checked once, their secret shown once."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients.combinations import check
from idp.clients.description import AUTH_METHODS, PUBLIC, SECRET_JWT, STANDARD_SCOPES, NewClient
from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor, Client
from idp.errors import DomainError
from idp.store.db import transaction

__all__ = [
    "AUTH_METHODS",
    "PUBLIC",
    "STANDARD_SCOPES",
    "ClientTaken",
    "NewClient",
    "add",
    "all_clients",
    "check",
    "description_of",
    "disable",
    "give_secret",
    "mend_secret",
    "needs_secret",
    "register",
    "write",
]


class ClientTaken(DomainError):
    """A client of this id exists."""

    code = "client_taken"


def add(client: NewClient) -> str | None:
    """Register `client` and return its secret, which is not kept; None for a public client.

    Raises ClientMetadataInvalid, ClientTaken.
    """
    check(client)
    with transaction() as session:
        return register(session, client)


def register(session: Session, client: NewClient) -> str | None:
    """Store `client`, which was checked, and return its secret; None for a public client. Raises ClientTaken."""
    if session.get(Client, client.client_id) is not None:
        raise ClientTaken
    row = Client(client_id=client.client_id, created_at=clock.now())
    write(row, client)
    secret = give_secret(row)
    session.add(row)
    session.flush()
    record(session, Entry("client.added", client_id=client.client_id))
    return secret


def give_secret(row: Client) -> str | None:
    """Give a client the secret that its way of authentication needs, and return it; None where it needs none."""
    secret = ids.new_secret() if needs_secret(row) else None
    row.secret_hash = None if secret is None else ids.fingerprint(secret)
    # A secret that signs must be known to whoever verifies (OpenID Connect Core §9); all others are kept as a hash.
    row.sealed_secret = secret if row.token_endpoint_auth_method == SECRET_JWT else None
    return secret


def mend_secret(row: Client) -> str | None:
    """Keep the client's secret if its way of authentication, changed, can use it; else as `give_secret`."""
    signs = row.token_endpoint_auth_method == SECRET_JWT
    usable = row.secret_hash is not None and (row.sealed_secret is not None or not signs)
    if not needs_secret(row) or not usable:
        return give_secret(row)
    if not signs:
        row.sealed_secret = None
    return None


def needs_secret(row: Client) -> bool:
    """Whether the client authenticates with a secret that it shares with us (OpenID Connect Core §9)."""
    return row.token_endpoint_auth_method.startswith("client_secret_")


def write(row: Client, client: NewClient) -> None:
    """Let the row say what `client` says; its id, its secret and its age stay."""
    row.client_name = client.client_name
    row.client_uri = client.client_uri
    row.token_endpoint_auth_method = client.token_endpoint_auth_method
    row.redirect_uris = list(client.redirect_uris)
    row.post_logout_redirect_uris = list(client.post_logout_redirect_uris)
    row.backchannel_logout_uri = client.backchannel_logout_uri
    row.initiate_login_uri = client.initiate_login_uri
    row.grant_types = list(client.grant_types)
    row.scopes = list(client.scopes)
    row.resource = client.resource
    row.acts_for = client.acts_for
    row.allows_unit_accounts = client.allows_unit_accounts
    row.uscc_only = client.uscc_only
    row.min_person_level = client.min_person_level
    row.min_unit_level = client.min_unit_level
    row.consent_required = client.consent_required
    row.access_token_format = client.access_token_format
    row.access_token_alg = client.access_token_alg
    row.id_token_alg = client.id_token_alg
    row.more = client.protocol.model_dump(mode="json", exclude_defaults=True)


def description_of(row: Client) -> NewClient:
    """Return what the row says of its client."""
    return NewClient(
        client_id=row.client_id,
        client_name=row.client_name,
        client_uri=row.client_uri,
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
    )


def all_clients(session: Session) -> list[Client]:
    """Return every client, disabled ones too, by id."""
    return list(session.scalars(select(Client).order_by(Client.client_id)))


def disable(session: Session, client_id: str) -> bool:
    """Let a client be unknown from now on; `idp.sessions.client_removal` ends what hangs on it.

    Returns False when there is no such living client.
    """
    disabled = session.execute(
        update(Client)
        .where(Client.client_id == client_id, Client.disabled_at.is_(None))
        .values(disabled_at=clock.now())
        .returning(Client.client_id)
    ).one_or_none()
    if disabled is None:
        return False
    record(session, Entry("client.disabled", client_id=client_id))
    return True
