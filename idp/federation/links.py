"""Links between accounts at an upstream and ours, and the levels that they carry (F2).

A level is what the upstream said at the newest sign-in, up or down, never mapped upwards. A person's real-name level
is the highest of what still stands: our own proofings, and what the upstreams of all links say.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.log import Entry, record
from idp.factors import freshness, notice, ways
from idp.factors.errors import LastWayIn
from idp.factors.model import UpstreamLink
from idp.federation.errors import LinkGone
from idp.gateways.province import SubjectKind, Vouched
from idp.persons.model import AccountKind, Person, PersonProofing
from idp.rules.levels import RealNameLevel, TrustLevel, real_name_level_of
from idp.sessions import accounts, browser_sessions
from idp.sessions.accounts import Account
from idp.sessions.browser_sessions import SignedIn
from idp.store import hot
from idp.store.base import vault
from idp.store.db import transaction
from idp.units.model import Unit

ADD = hot.Statement(
    "INSERT INTO upstream_link (upstream, stable_id_lookup, kind, owner_id, trust_level, trust_level_way, "
    "trust_level_at, proven_by, linked_at, seen_at) "
    "VALUES (:upstream, :stable_id_lookup, :kind, :owner_id, 0, NULL, NULL, :proven_by, :now, :now) "
    "ON CONFLICT (upstream, stable_id_lookup) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Owner:
    """The account of ours behind a link."""

    kind: AccountKind
    id: str


def account_kind(vouched: Vouched) -> AccountKind:
    """Return which kind of account of ours stands for it."""
    return AccountKind.PERSON if vouched.kind is SubjectKind.PERSON else AccountKind.UNIT


def lookup(vouched: Vouched) -> str:
    """Return the hash under which the stable id is kept."""
    return vault().lookup("upstream", f"{vouched.upstream}:{vouched.stable_id}")


def owner_of(session: Session, vouched: Vouched) -> Owner | None:
    """Return whose account this one over there is linked to."""
    found = session.execute(
        select(UpstreamLink.kind, UpstreamLink.owner_id).where(
            UpstreamLink.upstream == vouched.upstream, UpstreamLink.stable_id_lookup == lookup(vouched)
        )
    ).one_or_none()
    return None if found is None else Owner(AccountKind(found[0]), found[1])


class AlreadyLinked(Exception):
    """Another request linked this account over there first; the transaction must be given up."""


def add(session: Session, vouched: Vouched, owner: Owner, *, proven_by: str) -> None:
    """Link the account over there to ours. The level follows by `refresh`. Raises AlreadyLinked but for one caller."""
    added = hot.within(session).run(
        ADD,
        upstream=vouched.upstream,
        stable_id_lookup=lookup(vouched),
        kind=owner.kind.value,
        owner_id=owner.id,
        proven_by=proven_by,
        now=clock.millis(),
    )
    if not added:
        raise AlreadyLinked
    details = {"upstream": vouched.upstream, "proven_by": proven_by}
    unit_id = owner.id if owner.kind is AccountKind.UNIT else None
    record(session, Entry("upstream.linked", actor_id=owner.id, subject_id=owner.id, unit_id=unit_id, details=details))


def refresh(session: Session, vouched: Vouched, owner: Owner) -> None:
    """Store what the upstream says of the level now, and let the account's own level follow; a unit's data too."""
    this = (UpstreamLink.upstream == vouched.upstream, UpstreamLink.stable_id_lookup == lookup(vouched))
    before = session.execute(select(UpstreamLink.trust_level).where(*this)).scalar_one()
    session.execute(
        update(UpstreamLink)
        .where(*this)
        .values(
            trust_level=int(vouched.trust_level),
            trust_level_way=vouched.trust_level_way,
            trust_level_at=vouched.trust_level_at,
            seen_at=clock.now(),
        )
    )
    if owner.kind is AccountKind.UNIT:
        _refresh_unit(session, vouched, owner.id)
    else:
        _store_level(session, owner.id)
    if before != vouched.trust_level:
        details = {"upstream": vouched.upstream, "from": before, "to": int(vouched.trust_level)}
        record(session, Entry("upstream.level_changed", actor_id=owner.id, subject_id=owner.id, details=details))


def _refresh_unit(session: Session, vouched: Vouched, unit_id: str) -> None:
    """Give the unit the level, the name and the legal representative that the upstream vouches for now (F2, F4).

    At L0 nobody checked them over there, so they stay as they are here. The audit names what changed, not the values.
    """
    unit = session.get_one(Unit, unit_id, populate_existing=True)
    unit.trust_level = int(vouched.trust_level)
    said = {"full_name": vouched.name}
    if vouched.legal_representative is not None:
        said["legal_representative"] = vouched.legal_representative.name
    changed = [name for name, value in said.items() if getattr(unit, name) != value]
    if changed and vouched.trust_level > TrustLevel.L0:
        for name in changed:
            setattr(unit, name, said[name])
        unit.register_level = int(TrustLevel.L0)  # it was asked about the old ones
        details = {"upstream": vouched.upstream, "changed": changed}
        entry = Entry("unit.refreshed", actor_id=unit_id, subject_id=unit_id, unit_id=unit_id, details=details)
        record(session, entry)
    session.flush()


def _store_level(session: Session, person_id: str) -> None:
    """Give the person the highest level that still stands."""
    level = max(_own_level(session, person_id), _said(session, person_id))
    session.execute(update(Person).where(Person.id == person_id).values(real_name_level=int(level)))


def _own_level(session: Session, person_id: str) -> RealNameLevel:
    """Return the highest level that the person proved with us."""
    proved = session.scalar(select(func.max(PersonProofing.level)).where(PersonProofing.person_id == person_id))
    return RealNameLevel(proved or RealNameLevel.ONE)


def _said(session: Session, person_id: str) -> RealNameLevel:
    """Return the highest level that upstreams say of the person."""
    levels = session.scalars(
        select(UpstreamLink.trust_level).where(
            UpstreamLink.owner_id == person_id, UpstreamLink.kind == AccountKind.PERSON
        )
    )
    return max((real_name_level_of(TrustLevel(level)) for level in levels), default=RealNameLevel.ONE)


def has_any(session: Session, owner_id: str) -> bool:
    """Whether any account over there is linked to this one."""
    found = session.scalars(select(UpstreamLink.owner_id).where(UpstreamLink.owner_id == owner_id).limit(1))
    return found.first() is not None


@dataclass(frozen=True, slots=True)
class Linked:
    """An account at an upstream, as the owner of ours sees it. `seen_at` is the newest sign-in by it."""

    upstream: str
    linked_at: datetime
    seen_at: datetime


def of(session: Session, owner_id: str) -> list[Linked]:
    """Return the accounts over there that are linked to a person's or a unit's, the first linked first."""
    mine = select(UpstreamLink).where(UpstreamLink.owner_id == owner_id)
    rows = session.scalars(mine.order_by(UpstreamLink.linked_at, UpstreamLink.upstream))
    return [Linked(row.upstream, row.linked_at, row.seen_at) for row in rows]


def voucher(upstream: str) -> str:
    """Return what a session names as what it rests on (`browser_sessions.end_vouched_by`)."""
    return f"upstream:{upstream}"


def unlink(who: SignedIn, upstream: str) -> None:
    """Take the links of who is signed in to an upstream away; what it said of their level counts no more (F2).

    Sessions that were opened through it end at once, this one too (U13). The owner is told by SMS. Raises
    FreshLoginNeeded, LinkGone, LastWayIn.
    """
    freshness.demand(who)
    with transaction() as session:
        account = accounts.hold(session, who.kind, who.subject_id)
        before = _level(account)
        gone = session.execute(
            delete(UpstreamLink)
            .where(UpstreamLink.owner_id == account.id, UpstreamLink.upstream == upstream)
            .returning(UpstreamLink.owner_id)
        ).all()
        if not gone:
            raise LinkGone
        if not ways.can_sign_in(session, account):
            raise LastWayIn
        if isinstance(account, Person):
            _store_level(session, account.id)
            session.refresh(account)
        else:
            account.trust_level = _trust_left(session, account)
        levels = {"level_from": before, "level_to": _level(account)}
        browser_sessions.end_vouched_by(session, account.id, voucher(upstream), why="upstream_unlinked")
        notice.tell_owner(session, who.kind, account.id, "upstream_unlinked", upstream=upstream, **levels)


def _level(account: Account) -> int:
    return account.real_name_level if isinstance(account, Person) else account.trust_level


def _trust_left(session: Session, unit: Unit) -> int:
    """Return what another upstream said of the unit last, else what the company register did."""
    newest = select(UpstreamLink.trust_level).where(UpstreamLink.owner_id == unit.id)
    said = session.scalars(newest.order_by(UpstreamLink.seen_at.desc()).limit(1)).one_or_none()
    return unit.register_level if said is None else said
