"""扫码登录 (P7): one browser shows a QR code, a phone on which somebody is signed in confirms, the browser goes on.

The code names a ticket, which opens nothing by itself. What may happen once is claimed by one conditional statement
each: which phone it is, what is decided, and that the browser which asked takes the result.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.log import Entry, record
from idp.factors.errors import ScanGone, ScanNumberWrong, ScanTaken
from idp.factors.model import ScanTicket
from idp.persons.model import AccountKind
from idp.rules.levels import TrustLevel, after_scan
from idp.sessions import browser_sessions, sign_in
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.device_codes import ALPHABET
from idp.sessions.freshness import FRESH_FOR
from idp.sessions.model import BrowserSession
from idp.sessions.sign_in import Browser
from idp.settings import settings
from idp.store.base import from_millis
from idp.store.db import db, transaction

ID_LENGTH = 10
"""Of the 20 letters of device codes: 43 bits, for minutes."""
NUMBERS = 100
TRIES = 3
TAKEN_WITHIN = timedelta(minutes=1)
"""How long a confirmed sign-in waits for its browser, which asks every few seconds or has a button."""


class State(StrEnum):
    """What became of a ticket."""

    WAITING = "waiting"
    SCANNED = "scanned"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    EXPIRED = "expired"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a browser wants to sign in for, and where it goes on afterwards.

    `client_id` is the portal that asks. `oldest` is how old the phone's sign-in may be; never more than FRESH_FOR.
    """

    kind: AccountKind
    as_unit: bool = False
    client_id: str | None = None
    interaction_id: str | None = None
    next_path: str | None = None
    oldest: timedelta = FRESH_FOR


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket, and the browser that waits."""

    id: str
    state: State
    wanted: Wanted
    number: str
    address: str
    user_agent: str
    begun_at: datetime
    signed_in_since: datetime

    def is_fresh(self, who: SignedIn) -> bool:
        """Whether the phone's sign-in is young enough for this."""
        return from_millis(who.auth_time) >= self.signed_in_since


@dataclass(frozen=True, slots=True)
class Taken:
    """Signed in: the secret for the session's cookie, and what was wanted."""

    token: str
    wanted: Wanted


def begin(wanted: Wanted, browser_id: str, browser: Browser) -> str:
    """Store a ticket of this browser and return its id."""
    now = clock.now()
    ticket = ScanTicket(
        id="".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH)),
        browser_id=browser_id,
        kind=wanted.kind,
        as_unit=wanted.as_unit,
        client_id=wanted.client_id,
        interaction_id=wanted.interaction_id,
        next_path=wanted.next_path,
        address=browser.address,
        user_agent=browser.user_agent[:300],
        number=f"{secrets.randbelow(NUMBERS):02d}",
        signed_in_since=now - min(wanted.oldest, FRESH_FOR),
        created_at=now,
        expires_at=now + timedelta(seconds=settings().scan_lifetime),
    )
    with transaction() as session:
        session.add(ticket)
    return ticket.id


def shown(ticket_id: str) -> str:
    """Return an id in two groups, as people read and type it."""
    return f"{ticket_id[:5]}-{ticket_id[5:]}"


def watch(ticket_id: str, browser_id: str) -> Ticket:
    """Return the ticket of the browser that asked. Raises ScanGone."""
    return _value(_row(ScanTicket.id == _canonical(ticket_id), ScanTicket.browser_id == browser_id))


def look(ticket_id: str, phone_id: str) -> Ticket:
    """Return a ticket to a phone on which nobody is signed in, so that it is not its yet. Raises ScanGone, ScanTaken.

    Whatever merely previews an address must not use the code up.
    """
    return _on_phone(ticket_id, phone_id)


def scan(ticket_id: str, phone_id: str) -> Ticket:
    """Return the ticket to the first phone that opens it signed in, and to no other. Raises ScanGone, ScanTaken.

    From here on there is as much time again, for the phone may have to sign in anew.
    """
    now = clock.now()
    with transaction() as session:
        session.execute(
            update(ScanTicket)
            .where(ScanTicket.id == _canonical(ticket_id), ScanTicket.phone_id.is_(None), _is_open(now))
            .values(phone_id=phone_id, expires_at=now + timedelta(seconds=settings().scan_lifetime))
        )
    return _on_phone(ticket_id, phone_id)


def confirm(ticket_id: str, phone_id: str, who: SignedIn, typed: str) -> None:
    """Let the browser that waits sign in as `who`, if the number on its screen was typed.

    Tries are counted before they are looked at; the third wrong one refuses. Raises ScanGone, ScanNumberWrong.
    """
    now = clock.now()
    mine = (ScanTicket.id == _canonical(ticket_id), ScanTicket.phone_id == phone_id, _is_open(now))
    with transaction() as session:
        counted = session.execute(
            update(ScanTicket)
            .where(*mine, ScanTicket.kind == who.kind, ScanTicket.signed_in_since <= from_millis(who.auth_time))
            .values(tries=ScanTicket.tries + 1)
            .returning(ScanTicket.number, ScanTicket.tries)
        ).one_or_none()
        if counted is None:
            raise ScanGone
        number, tries = counted
        right = _digits(typed) == number
        if right:
            methods = after_scan(who.amr, TrustLevel(who.trust_level))
            decided: dict[str, Any] = {
                "confirmed_at": now,
                "subject_id": who.subject_id,
                "session_id": who.session_id,
                "amr": " ".join(methods),
                "expires_at": now + TAKEN_WITHIN,
            }
            _decide(session, mine, decided, _entry("scan.confirmed", who, ticket_id))
        elif tries >= TRIES:
            _decide(session, mine, {"refused_at": now}, _entry("scan.refused", who, ticket_id, why="number"))
    if not right:
        raise ScanNumberWrong(max(0, TRIES - tries))


def refuse(ticket_id: str, phone_id: str, who: SignedIn) -> None:
    """Let the browser that waits know that the person said no. Raises ScanGone."""
    now = clock.now()
    mine = (ScanTicket.id == _canonical(ticket_id), ScanTicket.phone_id == phone_id, _is_open(now))
    with transaction() as session:
        _decide(session, mine, {"refused_at": now}, _entry("scan.refused", who, ticket_id, why="person"))


def take(ticket_id: str, browser_id: str, browser: Browser) -> Taken:
    """Begin the session that was confirmed, once, in the browser that asked; not if the phone's was ended meanwhile.

    `auth_time` is when it was confirmed. Raises ScanGone, AccountLocked, throttle.TooManyFailures.
    """
    now = clock.now()
    with transaction() as session:
        taken = session.scalars(
            update(ScanTicket)
            .where(
                ScanTicket.id == _canonical(ticket_id),
                ScanTicket.browser_id == browser_id,
                ScanTicket.confirmed_at.is_not(None),
                ScanTicket.used_at.is_(None),
                ScanTicket.expires_at > now,
            )
            .values(used_at=now)
            .returning(ScanTicket)
        ).one_or_none()
        phone = session.get(BrowserSession, taken.session_id) if taken is not None and taken.session_id else None
        if taken is None or taken.subject_id is None or phone is None or phone.ended_at is not None:
            raise ScanGone
        wanted = _wanted(taken)
        sign_in.demand_open(session, wanted.kind, taken.subject_id)
        token = browser_sessions.start(
            session,
            kind=wanted.kind,
            subject_id=taken.subject_id,
            amr=tuple((taken.amr or "").split()),
            address=browser.address,
            user_agent=browser.user_agent,
            replaces=browser.replaces,
            vouched_by=phone.vouched_by,  # the new session rests on what the phone's does
            auth_time=taken.confirmed_at,
        )
        record(session, Entry("scan.used", actor_id=taken.subject_id, details={"ticket": taken.id}))
    return Taken(token, wanted)


def _decide(session: Session, mine: tuple[ColumnElement[bool], ...], values: dict[str, Any], entry: Entry) -> None:
    """Store what the phone decided, unless something was decided already. Raises ScanGone."""
    decided = session.execute(update(ScanTicket).where(*mine).values(**values).returning(ScanTicket.id))
    if decided.one_or_none() is None:
        raise ScanGone
    record(session, entry)


def _entry(action: str, who: SignedIn, ticket_id: str, **details: str) -> Entry:
    outcome = "ok" if action == "scan.confirmed" else "refused"
    return Entry(
        action, who.subject_id, who.subject_id, outcome=outcome, details={"ticket": _canonical(ticket_id), **details}
    )


def _is_open(now: datetime) -> ColumnElement[bool]:
    return (ScanTicket.expires_at > now) & ScanTicket.confirmed_at.is_(None) & ScanTicket.refused_at.is_(None)


def _on_phone(ticket_id: str, phone_id: str) -> Ticket:
    row = _row(ScanTicket.id == _canonical(ticket_id))
    if row.phone_id not in {None, phone_id}:
        raise ScanTaken
    ticket = _value(row)
    if ticket.state is State.EXPIRED:
        raise ScanGone
    return ticket


def _row(*which: ColumnElement[bool]) -> ScanTicket:
    found = db.session().scalars(select(ScanTicket).where(*which).execution_options(populate_existing=True)).first()
    if found is None:
        raise ScanGone
    return found


def _value(row: ScanTicket) -> Ticket:
    return Ticket(
        id=row.id,
        state=_state(row),
        wanted=_wanted(row),
        number=row.number,
        address=row.address,
        user_agent=row.user_agent,
        begun_at=row.created_at,
        signed_in_since=row.signed_in_since,
    )


def _state(row: ScanTicket) -> State:
    if row.used_at is not None:
        return State.USED
    if row.refused_at is not None:
        return State.REFUSED
    if row.expires_at <= clock.now():
        return State.EXPIRED
    if row.confirmed_at is not None:
        return State.CONFIRMED
    return State.WAITING if row.phone_id is None else State.SCANNED


def _wanted(row: ScanTicket) -> Wanted:
    oldest = row.created_at - row.signed_in_since
    return Wanted(AccountKind(row.kind), row.as_unit, row.client_id, row.interaction_id, row.next_path, oldest)


def _canonical(ticket_id: str) -> str:
    """Return an id as it is stored, from one that may have been typed by hand."""
    return ticket_id.upper().replace("-", "").replace(" ", "")[: ID_LENGTH + 1]


def _digits(typed: str) -> str:
    """Return the number that was typed; spaces and full-width digits say nothing."""
    return "".join(str(int(each)) for each in typed if each.isdecimal())
