"""Clients that register and manage themselves (RFC 7591, RFC 7592): tokens, bounds, and the one transaction of each.

An initial access token lets somebody register, a certain number of times and until a moment. A registration access
token manages one client; it stays the same through changes, for a new one whose answer is lost would lock the client
out of itself. Both are bearer secrets of 256 bits, kept as SHA-256.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.clients import registration
from idp.clients.description import NewClient
from idp.clients.metadata import ClientMetadataInvalid
from idp.clients.model import Client, InitialAccessToken, RegistrationAccessToken
from idp.clients.registration_policy import RegistrationPolicy
from idp.store.db import db, transaction


class TokenRefused(Exception):
    """The initial or registration access token is unknown, used up, expired, or of another client."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """An initial access token to be made: for what, how often (None: without bound), and until when."""

    label: str
    policy: RegistrationPolicy
    uses: int | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Managed:
    """A client as its own registration access token may see it."""

    client: NewClient
    policy: RegistrationPolicy
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Registered:
    """What is told once: the secret (None where there is none, or no new one) and the registration access token."""

    managed: Managed
    secret: str | None
    token: str


def make_token(new: NewToken) -> str:
    """Make an initial access token and return it; it is not kept."""
    token = ids.new_secret()
    with transaction() as session:
        row = InitialAccessToken(
            token_hash=ids.fingerprint(token),
            label=new.label,
            policy=new.policy.to_json(),
            uses_left=new.uses,
            created_at=clock.now(),
            expires_at=new.expires_at,
        )
        session.add(row)
        record(session, Entry("client.token_made", details={"label": new.label, "uses": new.uses}))
    return token


def policy_of(token: str) -> RegistrationPolicy:
    """Return what whoever holds this initial access token may register. Raises TokenRefused."""
    found = db.session().scalars(
        select(InitialAccessToken.policy).where(
            InitialAccessToken.token_hash == ids.fingerprint(token),
            InitialAccessToken.expires_at > clock.now(),
            InitialAccessToken.uses_left.is_(None) | (InitialAccessToken.uses_left > 0),
        )
    )
    policy = found.one_or_none()
    if policy is None:
        raise TokenRefused
    return RegistrationPolicy.model_validate(policy)


def register(client: NewClient, policy: RegistrationPolicy, initial_token: str | None) -> Registered:
    """Register `client`, which was checked, and use the initial access token up by one. Raises TokenRefused."""
    token = ids.new_secret()
    with transaction() as session:
        label = None if initial_token is None else _use_up(session, initial_token)
        secret = registration.register(session, client)
        row = session.get_one(Client, client.client_id)
        session.add(
            RegistrationAccessToken(
                client_id=client.client_id, token_hash=ids.fingerprint(token), policy=policy.to_json()
            )
        )
        record(session, Entry("client.self_registered", client_id=client.client_id, details={"token": label}))
        managed = Managed(client, policy, row.created_at)
    return Registered(managed, secret, token)


def _use_up(session: Session, token: str) -> str:
    """Claim one use of an initial access token and return its label: one conditional statement decides."""
    table = InitialAccessToken
    label = session.execute(
        update(table)
        .where(
            table.token_hash == ids.fingerprint(token),
            table.expires_at > clock.now(),
            table.uses_left.is_(None) | (table.uses_left > 0),
        )
        .values(uses_left=table.uses_left - 1)
        .returning(table.label)
    ).scalar_one_or_none()
    if label is None:
        raise TokenRefused
    return label


def find(client_id: str, token: str) -> Managed:
    """Return the living client that `token` manages. Raises TokenRefused for every other (RFC 7592 §2.1)."""
    row, policy = _held(db.session(), client_id, token)
    return _managed(row, policy)


def replace(
    client_id: str, token: str, described: Callable[[Managed], NewClient], *, secret: str | None
) -> Registered:
    """Let the client be as `described` says (RFC 7592 §2.2: what is left out is gone).

    Of many at the same moment one follows the other: `described` is asked while the row is held, and is given what
    stands then. It must be quick. `secret` is the one that the client repeats, None if it does not. Raises
    TokenRefused, ClientMetadataInvalid for a wrong secret, and what `described` raises.
    """
    with transaction() as session:
        row, policy = _held(session, client_id, token, lock=True)
        if secret is not None and not hmac.compare_digest(ids.fingerprint(secret), row.secret_hash or ""):
            raise ClientMetadataInvalid(what="client_secret")
        client = described(_managed(row, policy))
        registration.write(row, client)
        fresh = registration.mend_secret(row)
        session.flush()
        record(session, Entry("client.self_changed", client_id=client_id))
        managed = Managed(client, policy, row.created_at)
    return Registered(managed, fresh, token)


def forget_token(session: Session, client_id: str, token: str) -> None:
    """Take its registration access token from a client that is to be removed. Raises TokenRefused."""
    _held(session, client_id, token, lock=True)
    session.execute(delete(RegistrationAccessToken).where(RegistrationAccessToken.client_id == client_id))


def _managed(row: Client, policy: RegistrationPolicy) -> Managed:
    return Managed(registration.description_of(row), policy, row.created_at)


def _held(session: Session, client_id: str, token: str, *, lock: bool = False) -> tuple[Client, RegistrationPolicy]:
    if not client_id.isascii() or not client_id.isprintable():  # what PostgreSQL cannot store must not reach it
        raise TokenRefused
    found = select(Client, RegistrationAccessToken).join(
        RegistrationAccessToken, RegistrationAccessToken.client_id == Client.client_id
    )
    found = found.where(Client.client_id == client_id, Client.disabled_at.is_(None))
    row = session.execute(
        (found.with_for_update() if lock else found).execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or not hmac.compare_digest(row[1].token_hash, ids.fingerprint(token)):
        raise TokenRefused
    return row[0], RegistrationPolicy.model_validate(row[1].policy)
