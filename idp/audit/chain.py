"""The hash chain over the audit: sealed in the background, verified on demand.

One sealer gives each entry its place. Places are a primary key, so two sealers cannot both give out the same one:
the slower one rolls back and comes again.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.model import AuditEntry, AuditSeal
from idp.store.base import EPOCH, to_millis
from idp.store.db import transaction

GENESIS = "0" * 64
BATCH = 500
# An entry can become visible after younger ones have been sealed, when its transaction took longer than theirs.
LONGEST_TRANSACTION = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: the first place that does not fit, and how many old entries have no place."""

    sealed: int
    broken_at: int | None
    unsealed: int

    @property
    def intact(self) -> bool:
        """Whether every sealed entry is as it was and nothing old is unsealed."""
        return self.broken_at is None and self.unsealed == 0


def link(previous: str, entry: AuditEntry) -> str:
    """Return the hash of `entry` after `previous`: SHA-256 over both, the entry as canonical JSON, in hex."""
    content = {
        "id": entry.id,
        "at": to_millis(entry.at),
        "action": entry.action,
        "actor_id": entry.actor_id,
        "subject_id": entry.subject_id,
        "unit_id": entry.unit_id,
        "client_id": entry.client_id,
        "address": entry.address,
        "outcome": entry.outcome,
        "details": entry.details,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def seal() -> int:
    """Give the next entries their place in the chain; return how many. Zero when another sealer was quicker."""
    try:
        with transaction() as session:
            position, previous, since = _last(session)
            entries = session.scalars(_unsealed_since(since).order_by(AuditEntry.id).limit(BATCH)).all()
            for entry in entries:
                position += 1
                previous = link(previous, entry)
                session.add(AuditSeal(position=position, entry_id=entry.id, hash=previous))
            return len(entries)
    except IntegrityError:
        return 0


def _last(session: Session) -> tuple[int, str, datetime]:
    """Return the last place, its hash, and the time from which on entries may be unsealed."""
    row = session.execute(
        select(AuditSeal.position, AuditSeal.hash, AuditEntry.at)
        .join(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
        .order_by(AuditSeal.position.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return 0, GENESIS, EPOCH
    return row[0], row[1], row[2] - LONGEST_TRANSACTION


def _unsealed_since(moment: datetime) -> Select[AuditEntry]:
    sealed = select(AuditSeal.entry_id).where(AuditSeal.entry_id == AuditEntry.id)
    return select(AuditEntry).where(AuditEntry.at >= moment, ~sealed.exists())


def verify(session: Session) -> Verdict:
    """Walk the whole chain and compare every hash; entries older than a minute must be sealed."""
    previous, expected = GENESIS, 0
    broken_at = None
    for position, stored, entry in _chain(session):
        expected += 1
        previous = link(previous, entry)
        if position != expected or stored != previous:
            broken_at = expected
            break
    settled = clock.now() - timedelta(minutes=1)
    loose = _unsealed_since(EPOCH).where(AuditEntry.at < settled).subquery()
    unsealed = session.scalar(select(func.count()).select_from(loose)) or 0
    return Verdict(sealed=expected, broken_at=broken_at, unsealed=unsealed)


def _chain(session: Session) -> Iterator[Row[int, str, AuditEntry]]:
    """Yield place, hash and entry in order, read batch by batch."""
    last = 0
    while rows := session.execute(
        select(AuditSeal.position, AuditSeal.hash, AuditEntry)
        .join(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
        .where(AuditSeal.position > last)
        .order_by(AuditSeal.position)
        .limit(BATCH)
        .execution_options(populate_existing=True)
    ).all():
        yield from rows
        last = rows[-1][0]
