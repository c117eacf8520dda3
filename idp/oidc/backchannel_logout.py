"""Telling a portal that one of its sessions is over (OpenID Connect Back-Channel Logout 1.0).

The message was queued in the transaction that ended the session; the worker hands it over here and tries again on
any failure, with other messages going on meanwhile.
"""

from http import HTTPStatus
from typing import Any

import structlog

from idp import clock
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.gateways import fetch
from idp.gateways.fetch import FetchFailed
from idp.oidc import subjects
from idp.oidc.tokens import jws
from idp.settings import settings

TYP = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = 120  # seconds; §2.4 "preferably at most two minutes in the future"


log = structlog.get_logger()


class NotAccepted(Exception):
    """The portal answered, but not with 2xx: it is told again later."""


def deliver(message_id: str, payload: dict[str, Any]) -> None:
    """Send a logout token to the client of `payload` {client_id, subject_id, sid}; return when it was accepted.

    A client that is gone, or wants to hear nothing any more, needs no telling. Raises FetchFailed, NotAccepted.
    """
    client = registry.find(payload["client_id"])
    if client is None or client.backchannel_logout_uri is None:
        return
    token = jws.sign(_claims(message_id, payload, client), alg=client.id_token_alg, typ=TYP)
    try:
        status = fetch.post_form(client.backchannel_logout_uri, {"logout_token": token}).status
    except FetchFailed as error:
        log.warning("backchannel_logout.failed", client=client.client_id, message=message_id, reason=error.reason)
        raise
    # §2.8: 200, and some frameworks answer 204 where they mean it.
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        log.warning("backchannel_logout.refused", client=client.client_id, message=message_id, status=status)
        raise NotAccepted(str(status))


def _claims(message_id: str, payload: dict[str, Any], client: RegisteredClient) -> dict[str, Any]:
    """§2.4. `jti` is the message's id: the same for every try, so a portal knows a second delivery again.

    No nonce: it would make the token usable as an ID token.
    """
    now = clock.timestamp()
    return {
        "iss": settings().issuer,
        "aud": payload["client_id"],
        "iat": now,
        "exp": now + LIFETIME,
        "jti": message_id,
        "events": {EVENT: {}},
        "sub": subjects.subject(client, payload["subject_id"]),
        "sid": payload["sid"],
    }
