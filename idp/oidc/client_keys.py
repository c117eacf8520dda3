"""A client's keys at the moment of use: registered by value, or fetched from its `jwks_uri` and kept for a while.

A client rotates its keys when it likes, so a `kid` that the copy lacks makes us look again (OpenID Connect Core
§10.1.1). But the `kid` stands in a token that anybody may send: a client's address is asked at most once in
`AGAIN_MS`, however many strange tokens come. If it does not answer, the last good copy stands.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus

import structlog
from flask import current_app

from idp import clock
from idp.clients import public_keys
from idp.clients.public_keys import PublicKey
from idp.clients.registry import RegisteredClient
from idp.gateways import fetch
from idp.gateways.fetch import FetchFailed
from idp.oidc import strict_json
from idp.oidc.strict_json import JsonRefused

FRESH_MS = 15 * 60 * 1000
"""How long a fetched set is used without looking again."""

KEPT_MS = 24 * 3600 * 1000
"""How long it stands while the address does not answer."""

AGAIN_MS = 10 * 1000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Copy:
    """The keys of one version of a client. `fetched_at` is 0 as long as nothing came."""

    version: int
    keys: tuple[PublicKey, ...] = ()
    fetched_at: int = 0
    asked_at: int = 0


def candidates(client: RegisteredClient, alg: str, kid: str | None) -> list[PublicKey]:
    """Return the keys that may have made a signature of `alg`: the one named `kid`, or all that fit without a name."""
    keys = _fitting(_keys(client, lacks=None), alg, kid)
    if not keys and kid is not None:
        keys = _fitting(_keys(client, lacks=kid), alg, kid)
    return keys


def _fitting(keys: tuple[PublicKey, ...], alg: str, kid: str | None) -> list[PublicKey]:
    return [key for key in keys if key.fits(alg) and (kid is None or key.kid == kid)]


def _keys(client: RegisteredClient, *, lacks: str | None) -> tuple[PublicKey, ...]:
    """Return the client's keys; with `lacks` look again for a key of that id, if we may."""
    copies: dict[str, _Copy] = current_app.extensions.setdefault("jingban.client_keys", {})
    copy = copies.get(client.client_id)
    if copy is None or copy.version != client.version:
        copy = _Copy(client.version, public_keys.read(client.protocol.jwks))
    uri = client.protocol.jwks_uri
    if uri is None:
        copies[client.client_id] = copy
        return copy.keys
    now = clock.millis()
    is_fresh = 0 <= now - copy.fetched_at < FRESH_MS
    asked_lately = 0 <= now - copy.asked_at < AGAIN_MS
    if (is_fresh and lacks is None) or asked_lately:
        return copy.keys
    copies[client.client_id] = copy = replace(copy, asked_at=now)  # first: threads that come meanwhile do not ask too
    fetched = _fetched(client, uri)
    if fetched is not None:
        copy = replace(copy, keys=fetched, fetched_at=now)
    elif not 0 <= now - copy.fetched_at < KEPT_MS:
        copy = replace(copy, keys=())
    copies[client.client_id] = copy
    return copy.keys


def _fetched(client: RegisteredClient, uri: str) -> tuple[PublicKey, ...] | None:
    """Return the keys at `uri`; None when nothing usable came."""
    try:
        answer = fetch.get(uri, accept="application/jwk-set+json, application/json")
        found = public_keys.read(strict_json.read(answer.body.decode())) if answer.status == HTTPStatus.OK else ()
    except (FetchFailed, JsonRefused, UnicodeDecodeError) as error:
        log.warning("client_keys.away", client_id=client.client_id, reason=getattr(error, "reason", "not_json"))
        return None
    if not found:
        log.warning("client_keys.away", client_id=client.client_id, reason="no_keys", status=answer.status)
    return found or None
