"""Sign-in sessions of a browser: started, found by cookie, kept alive, ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock, ids
from idp.audit.log import Entry, record
from idp.errors import DomainError
from idp.persons.model import AccountKind
from idp.rules.levels import CERTIFICATES
from idp.sessions import portal_sessions
from idp.sessions.model import BrowserSession, PortalSession
from idp.settings import settings
from idp.store import hot
from idp.store.base import to_millis
from idp.store.db import transaction

# Idle and absolute ends are checked where the session is read: truth is in the database, not in the cookie.
FIND_SESSION = hot.Statement(
    "SELECT s.id, s.kind, s.subject_id, s.auth_time, s.amr, s.seen_at, p.real_name_level, p.login_name, u.login_name, "
    "u.trust_level, s.vouched_level "
    "FROM browser_session s "
    "LEFT JOIN person p ON s.kind = 'person' AND p.id = s.subject_id AND p.status = 'active' "
    "LEFT JOIN unit u ON s.kind = 'unit' AND u.id = s.subject_id AND u.status = 'active' "
    "WHERE s.token_hash = :token_hash AND s.ended_at IS NULL AND s.expires_at > :now AND s.seen_at > :idle_since "
    "AND COALESCE(p.id, u.id) IS NOT NULL"
)
TOUCH_SESSION = hot.Statement("UPDATE browser_session SET seen_at = :now WHERE id = :id AND ended_at IS NULL")

INSERT_SESSION = hot.Statement(
    "INSERT INTO browser_session (id, token_hash, kind, subject_id, auth_time, amr, vouched_level, vouched_by, "
    "address, user_agent, created_at, seen_at, expires_at) "
    "VALUES (:session_id, :token_hash, :kind, :account_id, :auth_time, :amr, :vouched_level, :vouched_by, "
    ":browser_address, :user_agent, :now, :now, :expires_at)"
)

TOUCH_EVERY_MS = 30_000


class SessionOver(DomainError):
    """The session ended while something was being done in it."""

    code = "session_over"
    status = 403


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in in this browser. `auth_time` is in milliseconds; `amr` holds RFC 8176 values.

    `real_name_level` is the person's (0 for a unit account). `trust_level` is the unit account's, or that of the
    certificate it signed in by; for a person it is what an upstream or a certificate stated for this session, else 0.
    """

    session_id: str
    kind: AccountKind
    subject_id: str
    login_name: str
    auth_time: int
    amr: tuple[str, ...]
    real_name_level: int
    trust_level: int

    @property
    def is_person(self) -> bool:
        """Whether a person signed in, not a unit's own account."""
        return self.kind is AccountKind.PERSON


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that is to begin: the secret for its cookie, the values of INSERT_SESSION, and what the audit says."""

    token: str = field(repr=False)
    row: Mapping[str, Any]
    entry: Entry


def find(token: str) -> SignedIn | None:
    """Return who the cookie's `token` stands for, or None when it has ended, expired or was never issued."""
    now = clock.millis()
    row = hot.reader().one(
        FIND_SESSION,
        token_hash=ids.fingerprint(token),
        now=now,
        idle_since=now - settings().session_idle * 1000,
    )
    if row is None:
        return None
    if now - row[5] > TOUCH_EVERY_MS:
        hot.reader().run(TOUCH_SESSION, now=now, id=row[0])
    amr = tuple(row[4].split())
    return SignedIn(
        session_id=row[0],
        kind=AccountKind(row[1]),
        subject_id=row[2],
        login_name=row[7] or row[8],
        auth_time=row[3],
        amr=amr,
        real_name_level=row[6] or 0,
        trust_level=row[10] if row[6] is not None else _of_unit(row[9] or 0, row[10], amr),
    )


def _of_unit(trust_level: int, vouched_level: int, amr: tuple[str, ...]) -> int:
    """Return a unit's trust level in this session: its own follows the upstreams; a certificate stands for itself."""
    return max(trust_level, vouched_level) if CERTIFICATES.intersection(amr) else trust_level


def prepare(
    *,
    kind: AccountKind,
    subject_id: str,
    amr: tuple[str, ...],
    address: str,
    user_agent: str,
    vouched_level: int = 0,
    vouched_by: str = "",
    auth_time: datetime | None = None,
) -> NewSession:
    """Return a session to store, always with a new secret for the cookie (session fixation).

    `vouched_level` is the trust level that an upstream or a certificate stated at this sign-in, and `vouched_by` names
    that one; see `end_vouched_by`. `auth_time` is when the person authenticated, where that was before now.
    """
    now, token, session_id = clock.millis(), ids.new_secret(), ids.new_id("s_")
    row = {
        "session_id": session_id,
        "token_hash": ids.fingerprint(token),
        "kind": kind.value,
        "account_id": subject_id,
        "auth_time": now if auth_time is None else to_millis(auth_time),
        "amr": " ".join(amr),
        "vouched_level": vouched_level,
        "vouched_by": vouched_by,
        "browser_address": address,
        "user_agent": user_agent[:300],
        "now": now,
        "expires_at": now + settings().session_absolute * 1000,
    }
    details = {"amr": list(amr), "session": session_id}
    return NewSession(token, row, Entry("session.started", actor_id=subject_id, details=details))


def start(
    session: Session,
    *,
    kind: AccountKind,
    subject_id: str,
    amr: tuple[str, ...],
    address: str,
    user_agent: str,
    replaces: str | None,
    vouched_level: int = 0,
    vouched_by: str = "",
    auth_time: datetime | None = None,
) -> str:
    """Begin a session as `prepare` makes it, and return the secret for the cookie.

    `replaces` is the id of the session the browser had. Signing in again as the same subject carries its portal
    sessions over to the new one, so that a step-up does not sign anybody out; another subject ends it.
    """
    fresh = prepare(
        kind=kind,
        subject_id=subject_id,
        amr=amr,
        address=address,
        user_agent=user_agent,
        vouched_level=vouched_level,
        vouched_by=vouched_by,
        auth_time=auth_time,
    )
    hot.within(session).run(INSERT_SESSION, **fresh.row)
    if replaces is not None:
        _replace(session, replaces, subject_id, fresh.row["session_id"])
    record(session, fresh.entry)
    return fresh.token


def renew(session_id: str) -> str | None:
    """Give a living session a new secret for its cookie, because its level changed (DESIGN 8); None if it has ended.

    Nothing else changes: nobody authenticated anew, so `auth_time` and `amr` stay.
    """
    token = ids.new_secret()
    with transaction() as session:
        renewed = session.execute(
            update(BrowserSession)
            .where(BrowserSession.id == session_id, BrowserSession.ended_at.is_(None))
            .values(token_hash=ids.fingerprint(token))
            .returning(BrowserSession.id)
        ).scalar_one_or_none()
    return None if renewed is None else token


def add_methods(
    session: Session,
    session_id: str,
    methods: Iterable[str],
    *,
    authenticates: bool,
    vouched_level: int = 0,
    vouched_by: str = "",
) -> str:
    """Add a factor to a living session, and return the new secret for its cookie (DESIGN 8). Raises SessionOver.

    `methods` are `Amr` values. `authenticates`: the factor signs people in by itself, so this is an authentication of
    its own and `auth_time` moves (OpenID Connect Core §2). A code that is only ever a second factor leaves it: an old
    sign-in does not become young by it, and `max_age` and prompt=login cannot be met with it alone. `vouched_level` is
    what a certificate states besides of who its holder is, and `vouched_by` names the certificate.
    """
    found = session.get(BrowserSession, session_id, with_for_update=True)  # of two factors at once neither is lost
    if found is None or found.ended_at is not None:
        raise SessionOver
    token = ids.new_secret()
    found.token_hash = ids.fingerprint(token)
    found.amr = " ".join(dict.fromkeys((*found.amr.split(), *methods)))
    found.vouched_by = " ".join(dict.fromkeys((*found.vouched_by.split(), *vouched_by.split())))
    found.vouched_level = max(found.vouched_level, vouched_level)
    if authenticates:
        found.auth_time = clock.now()
    details = {"amr": found.amr.split(), "session": session_id}
    record(session, Entry("session.raised", actor_id=found.subject_id, details=details))
    return token


def _replace(session: Session, old_id: str, subject_id: str, fresh_id: str) -> None:
    old = session.get(BrowserSession, old_id)
    if old is None or old.ended_at is not None:
        return
    if old.subject_id != subject_id:
        end(session, old_id, why="replaced")
        return
    session.execute(
        update(PortalSession)
        .where(PortalSession.session_id == old_id, PortalSession.ended_at.is_(None))
        .values(session_id=fresh_id)
    )
    old.ended_at = clock.now()


def end(session: Session, session_id: str, *, why: str) -> None:
    """End a session, and with it every portal session under it; the portals are told by back-channel logout."""
    ended = session.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session_id, BrowserSession.ended_at.is_(None))
        .values(ended_at=clock.now())
        .returning(BrowserSession.subject_id)
    ).scalar_one_or_none()
    if ended is None:
        return
    portal_sessions.end_of_browser_session(session, session_id, why=why)
    record(session, Entry("session.ended", actor_id=ended, details={"why": why, "session": session_id}))


def end_all_of(session: Session, subject_id: str, *, why: str, but: str | None = None) -> None:
    """End every session of a person or unit account, except `but`: after a password change, locking, cancelling."""
    live = session.scalars(
        select(BrowserSession.id).where(BrowserSession.subject_id == subject_id, BrowserSession.ended_at.is_(None))
    )
    for session_id in live.all():
        if session_id != but:
            end(session, session_id, why=why)


def end_vouched_by(session: Session, subject_id: str, voucher: str, *, why: str) -> None:
    """End every session of an account that rests on `voucher`, an upstream or a certificate that counts no more."""
    live = session.execute(
        select(BrowserSession.id, BrowserSession.vouched_by).where(
            BrowserSession.subject_id == subject_id, BrowserSession.ended_at.is_(None)
        )
    )
    for session_id, vouched_by in live.all():
        if voucher in vouched_by.split():
            end(session, session_id, why=why)


def rests_on(session: Session, session_id: str, voucher: str) -> bool:
    """Whether a session would end with `voucher`; see `end_vouched_by`."""
    vouched_by = session.scalars(select(BrowserSession.vouched_by).where(BrowserSession.id == session_id)).one()
    return voucher in vouched_by.split()


def lives(session: Session, session_id: str) -> bool:
    """Whether nobody has ended a session."""
    ended_at = session.scalars(select(BrowserSession.ended_at).where(BrowserSession.id == session_id)).one()
    return ended_at is None
