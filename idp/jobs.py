"""What `jingban worker` does: deliver the outbox, and the duties that keep the house in order.

Several workers may run side by side: messages are claimed one by one, and each duty is safe to do twice.
"""

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import structlog
from flask import Flask, current_app
from sqlalchemy import delete

from idp import clock
from idp.audit import chain
from idp.clients.model import InitialAccessToken
from idp.delegation import expiry
from idp.delegation.model import GrantRequest, RepresentativeCheck
from idp.factors.certificates import sessions
from idp.factors.model import CertificateChallenge, ScanTicket, WebauthnChallenge
from idp.federation.model import UpstreamTrip
from idp.gateways.errors import GatewayRefused
from idp.gateways.wiring import Gateways
from idp.notify import outbox, worker
from idp.notify.model import OutboxMessage, Quota, SmsCode
from idp.oidc import backchannel_logout
from idp.sessions.model import (
    Attempts,
    Authorization,
    AuthorizationCode,
    DeviceCode,
    Draft,
    Interaction,
    OpaqueToken,
    PushedRequest,
    RefreshToken,
    RevokedToken,
    UsedJti,
)
from idp.store import keyring
from idp.store.db import db, transaction
from idp.units.model import UnitAuthorisationCode

# Portals that do not answer hold a deliverer for some seconds; the others go on meanwhile.
DELIVERERS = 4
IDLE_WAIT = 0.25
KEEP_DELIVERED = timedelta(days=7)
KEEP_DEVICE_CODES = timedelta(hours=1)  # so that a device learns that its code expired (RFC 8628 §3.5)
KEEP_ATTEMPTS = timedelta(days=1)

Result = TypeVar("Result")

log = structlog.get_logger()

# Authorizations expire only if they came by token exchange; after the opaque tokens that hang on them.
_EXPIRING = (
    *(AuthorizationCode, RefreshToken, OpaqueToken, Authorization),
    *(RevokedToken, UsedJti, Interaction, PushedRequest, Draft, SmsCode, WebauthnChallenge, InitialAccessToken),
    *(UpstreamTrip, GrantRequest, RepresentativeCheck, ScanTicket, CertificateChallenge, UnitAuthorisationCode),
)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done every so many seconds."""

    name: str
    every: float
    do: Callable[[], object]


def register_handlers() -> None:
    """Tell the outbox who delivers what."""
    worker.register(outbox.SMS, _send_sms)
    worker.register(outbox.BACKCHANNEL_LOGOUT, backchannel_logout.deliver)


def _send_sms(message_id: str, payload: dict[str, Any]) -> None:
    gateways: Gateways = current_app.extensions["jingban.gateways"]
    try:
        gateways.sms.send(message_id, payload["phone"], payload["template"], payload["params"])
    except GatewayRefused as error:
        raise worker.Permanent(error.code) from error


def forget_what_expired() -> None:
    """Delete rows that nobody can use any more, so that tables bound themselves (DESIGN 7).

    Used codes and refresh tokens stay until they would have expired: only so is a replay known as one.
    """
    now = clock.now()
    with transaction() as session:
        for table in _EXPIRING:
            session.execute(delete(table).where(table.expires_at < now))
        session.execute(delete(DeviceCode).where(DeviceCode.expires_at < now - KEEP_DEVICE_CODES))
        session.execute(delete(Quota).where(Quota.window_ends_at < now))
        session.execute(delete(Attempts).where(Attempts.last_at < now - KEEP_ATTEMPTS))
        session.execute(delete(OutboxMessage).where(OutboxMessage.finished_at < now - KEEP_DELIVERED))


DUTIES = (
    Duty("close_expired_grants", 1, lambda: expiry.close_expired(clock.now())),
    Duty("seal_audit", 1, chain.seal),
    Duty("rotate_signing_keys", 60, keyring.rotate_on_schedule),
    Duty("forget_what_expired", 60, forget_what_expired),
)
# These ask others, who may take their time: a thread of their own, so that nothing above waits for them.
ASKING_DUTIES = (Duty("end_sessions_of_revoked_certificates", 60, sessions.end_of_revoked),)


def run(app: Flask) -> None:
    """Work until SIGTERM or SIGINT; what is being delivered then is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    turn = threading.Lock()
    threads = [threading.Thread(target=deliver_until, args=(app, stop, turn)) for _ in range(DELIVERERS)]
    threads += [threading.Thread(target=_do_duties_until, args=(app, stop, of)) for of in (DUTIES, ASKING_DUTIES)]
    for thread in threads:
        thread.start()
    log.info("worker.started")
    for thread in threads:
        thread.join()
    log.info("worker.stopped")


def deliver_until(app: Flask, stop: threading.Event, turn: threading.Lock) -> None:
    """Deliver what is due until `stop`, beside others who share `turn`."""
    while not stop.is_set():
        with turn:  # one looks for all: while nothing is due, the others need not ask the database too
            message = _attempt(app, "claim", worker.claim)
            if message is None:
                stop.wait(IDLE_WAIT)
        if message is not None:
            _attempt(app, "deliver", partial(worker.deliver, message))


def _do_duties_until(app: Flask, stop: threading.Event, duties: Sequence[Duty]) -> None:
    due = dict.fromkeys(duties, 0.0)
    while not stop.is_set():
        for duty in duties:
            if monotonic() >= due[duty]:
                _attempt(app, duty.name, duty.do)
                due[duty] = monotonic() + duty.every
        stop.wait(IDLE_WAIT)


def _attempt(app: Flask, name: str, work: Callable[[], Result]) -> Result | None:
    """Do `work` in an application context; a failure (database away) is logged and tried again later."""
    with app.app_context():
        try:
            return work()
        except Exception:
            log.exception("worker.failed", work=name)
            return None
        finally:
            db.session.remove()
