"""Registering clients: their metadata checked once, their secret shown once."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.clients.model import ActsFor, Client
from idp.errors import DomainError
from idp.features import GRANT_TYPES
from idp.settings import LOOPBACK_HOSTS
from idp.store.db import transaction

PUBLIC = "none"
AUTH_METHODS = ("client_secret_basic", "client_secret_post", PUBLIC)
CONFIDENTIAL_ONLY = frozenset({"client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"})
"""Grant types in which the client acts by itself, so it must be able to prove itself (RFC 6749 §4.4)."""
LONGEST_ID = 64
STANDARD_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")


class ClientTaken(DomainError):
    """A client of this id exists."""

    code = "client_taken"


@dataclass(frozen=True, slots=True)
class NewClient:
    """What an administrator says of a client; names as in RFC 7591 and `Client`."""

    client_id: str
    client_name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...] = STANDARD_SCOPES
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - the name of a method
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    acts_for: ActsFor = ActsFor.NEVER
    resource: str | None = None
    client_uri: str | None = None
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    post_logout_redirect_uris: tuple[str, ...] = ()
    allows_unit_accounts: bool = False
    uscc_only: bool = False
    min_person_level: int = 0
    min_unit_level: int = 0
    consent_required: bool = True
    access_token_format: str = "jwt"  # noqa: S105 - the name of a format
    access_token_alg: str = "ES256"  # noqa: S105 - the name of an algorithm
    id_token_alg: str = "RS256"  # noqa: S105 - the name of an algorithm
    protocol: ProtocolMetadata = field(default_factory=ProtocolMetadata)


def add(client: NewClient) -> str | None:
    """Register `client` and return its secret, which is not kept; None for a public client.

    Raises ClientMetadataInvalid, ClientTaken.
    """
    _check(client)
    secret = None if client.token_endpoint_auth_method == PUBLIC else ids.new_secret()
    with transaction() as session:
        if session.get(Client, client.client_id) is not None:
            raise ClientTaken
        session.add(_row(client, secret))
        session.flush()
        record(session, Entry("client.added", client_id=client.client_id))
    return secret


def _row(client: NewClient, secret: str | None) -> Client:
    return Client(
        client_id=client.client_id,
        client_name=client.client_name,
        client_uri=client.client_uri,
        secret_hash=None if secret is None else ids.fingerprint(secret),
        token_endpoint_auth_method=client.token_endpoint_auth_method,
        redirect_uris=list(client.redirect_uris),
        post_logout_redirect_uris=list(client.post_logout_redirect_uris),
        backchannel_logout_uri=client.backchannel_logout_uri,
        initiate_login_uri=client.initiate_login_uri,
        grant_types=list(client.grant_types),
        scopes=list(client.scopes),
        resource=client.resource,
        acts_for=client.acts_for,
        allows_unit_accounts=client.allows_unit_accounts,
        uscc_only=client.uscc_only,
        min_person_level=client.min_person_level,
        min_unit_level=client.min_unit_level,
        consent_required=client.consent_required,
        access_token_format=client.access_token_format,
        access_token_alg=client.access_token_alg,
        id_token_alg=client.id_token_alg,
        more=client.protocol.model_dump(mode="json", exclude_defaults=True),
        created_at=clock.now(),
    )


def _check(client: NewClient) -> None:
    if not client.client_id or len(client.client_id) > LONGEST_ID or not client.client_id.isascii():
        raise ClientMetadataInvalid(what="client_id")
    if client.token_endpoint_auth_method not in AUTH_METHODS:
        raise ClientMetadataInvalid(what="token_endpoint_auth_method")
    # RFC 9700 §4.15: the `sub` of a client's own token must not be taken for a person's or a unit's.
    if client.client_id.startswith((ids.PERSON, ids.UNIT)):
        raise ClientMetadataInvalid(what="client_id")
    unknown = [each for each in client.grant_types if each not in GRANT_TYPES]
    if unknown or (client.token_endpoint_auth_method == PUBLIC and CONFIDENTIAL_ONLY.intersection(client.grant_types)):
        raise ClientMetadataInvalid(what="grant_types")
    if not client.redirect_uris and "authorization_code" in client.grant_types:
        raise ClientMetadataInvalid(what="redirect_uris")
    if not client.protocol.require_pkce and (client.token_endpoint_auth_method == PUBLIC or client.protocol.profile):
        raise ClientMetadataInvalid(what="require_pkce")
    if not _frontchannel_is_own(client):
        raise ClientMetadataInvalid(what="frontchannel_logout_uri")
    for uri in (*client.redirect_uris, *client.post_logout_redirect_uris, client.backchannel_logout_uri):
        if uri is not None and not _is_web_address(uri):
            raise ClientMetadataInvalid(what=uri)


def _frontchannel_is_own(client: NewClient) -> bool:
    """OpenID Connect Front-Channel Logout 1.0 §2: scheme, host and port of a redirect URI, and no fragment."""
    uri = client.protocol.frontchannel_logout_uri
    if uri is None:
        return True
    places = {_place(each) for each in client.redirect_uris}
    return _is_web_address(uri) and _place(uri) in places


def _place(uri: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(uri)
    try:
        port = parts.port
    except ValueError as error:
        raise ClientMetadataInvalid(what=uri) from error
    return parts.scheme, parts.hostname, port or {"https": 443, "http": 80}.get(parts.scheme)


def _is_web_address(uri: str) -> bool:
    """Whether a portal may be reached there: https, or http on this machine; no fragment (RFC 6749 §3.1.2)."""
    parts = urlsplit(uri)
    if parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)


def all_clients(session: Session) -> list[Client]:
    """Return every client, disabled ones too, by id."""
    return list(session.scalars(select(Client).order_by(Client.client_id)))


def disable(client_id: str) -> bool:
    """Disable a client: it is unknown from now on. Returns False when there is no such living client."""
    with transaction() as session:
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
