"""Pushed authorization requests (RFC 9126): kept for a client until the sign-in that they begin has ended.

A reference may be opened again while nothing came of it: people reload pages. What ends the sign-in claims it by one
statement, so of two browsers or tabs that opened it one gets an answer.
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self

from idp import clock, ids
from idp.sessions.model import PushedRequest
from idp.settings import settings
from idp.store import hot
from idp.store.base import vault
from idp.store.db import release, transaction

CONTEXT = "pushed_request.parameters"
PREFIX = "urn:ietf:params:oauth:request_uri:"

OPEN = hot.Statement(
    "UPDATE pushed_request SET expires_at = CASE WHEN opened_at IS NULL THEN :until ELSE expires_at END,"
    " opened_at = COALESCE(opened_at, :now)"
    " WHERE request_hash = :request_hash AND client_id = :client_id AND used_at IS NULL AND expires_at > :now"
    " RETURNING parameters"
)
CLAIM = hot.Statement(
    "UPDATE pushed_request SET used_at = :now WHERE request_hash = :request_hash AND used_at IS NULL"
    " RETURNING request_hash"
)


@dataclass(frozen=True, slots=True)
class Pushed:
    """The parameters of a pushed request, and whether they came in a request object that the client signed."""

    values: dict[str, str]
    resources: tuple[str, ...] = ()
    is_signed: bool = False

    def to_text(self) -> str:
        """Return it for the table."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what `to_text` wrote."""
        stored: dict[str, Any] = json.loads(text)
        return cls(stored["values"], tuple(stored["resources"]), stored["is_signed"])


def push(client_id: str, pushed: Pushed) -> str:
    """Keep a checked request and return its `request_uri`: 256 bits, kept as SHA-256."""
    secret = ids.new_secret()
    now = clock.now()
    row = PushedRequest(
        request_hash=ids.fingerprint(secret),
        client_id=client_id,
        parameters=pushed.to_text(),
        created_at=now,
        expires_at=now + timedelta(seconds=settings().pushed_request_lifetime),
    )
    release()
    with transaction() as session:
        session.add(row)
    return PREFIX + secret


def hash_of(request_uri: str) -> str:
    """Return the key of a `request_uri` of ours."""
    return ids.fingerprint(request_uri.removeprefix(PREFIX))


def open_again(client_id: str, request_uri: str) -> Pushed | None:
    """Return what was pushed; None if it is another client's, unknown, expired, or its sign-in has ended.

    From the first opening on the person has as long for it as for any sign-in.
    """
    now = clock.millis()
    row = hot.reader().one(
        OPEN,
        request_hash=hash_of(request_uri),
        client_id=client_id,
        now=now,
        until=now + settings().interaction_lifetime * 1000,
    )
    return None if row is None else Pushed.from_text(vault().decrypt(bytes(row[0]), CONTEXT).decode())


def claim(on: hot.Executor, request_hash: str) -> bool:
    """Take the pushed request for the answer that ends its sign-in; False if another one was first."""
    return on.one(CLAIM, request_hash=request_hash, now=clock.millis()) is not None
