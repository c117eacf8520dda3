"""Sign-in with a password, of persons (P8) and of units with their own account (U6), under one throttle (P9).

Known and unknown names go through the same steps and cost the same time: one look-up, one count, one Argon2id check.
The throttle counts by account, so that five tries are five, whichever of its names is typed; a name that no account
has is counted by its keyed hash.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from string import ascii_lowercase

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.audit.log import INSERT_ENTRY, Entry, columns, record
from idp.errors import DomainError
from idp.persons.model import AccountKind, AccountStatus
from idp.rules.documents import PersonDocument, UnitDocument, check_person_document, check_unit_document
from idp.rules.levels import Amr
from idp.rules.login_names import login_name_key
from idp.rules.phones import check_phone
from idp.sessions import browser_sessions, passwords, throttle
from idp.sessions.accounts import MODELS
from idp.sessions.browser_sessions import SignedIn
from idp.store import hot
from idp.store.base import vault
from idp.store.db import db, transaction

_LONGEST_KEY = 20  # of a login name
_HASHES = {AccountKind.PERSON: 1 + len(PersonDocument), AccountKind.UNIT: len(UnitDocument)}
"""At most so many numbers can a name be: a phone, and one of each kind of document."""


def _hash_names(kind: AccountKind) -> tuple[str, ...]:
    return tuple(f"hash_{letter}" for letter in ascii_lowercase[: _HASHES[kind]])


def _find_by_name(kind: AccountKind, *claims: str) -> hot.Statement:
    hashes = ", ".join(f":{name}" for name in _hash_names(kind))
    by_number = "".join(f" OR {claim} IN ({hashes})" for claim in claims)
    return hot.Statement(
        f"SELECT id, status, password_hash, {', '.join(claims)} FROM {kind.value} "  # noqa: S608 - names of ours
        f"WHERE (id = (SELECT owner_id FROM login_name WHERE key = :key AND kind = '{kind.value}'){by_number}) "
        f"AND status <> '{AccountStatus.CANCELLED.value}'"
    )


FIND = {
    AccountKind.PERSON: _find_by_name(AccountKind.PERSON, "phone_claim", "document_claim"),
    AccountKind.UNIT: _find_by_name(AccountKind.UNIT, "document_claim"),
}
STILL_OPEN = {
    kind: hot.Claim(hot.Step.look(f"SELECT 1 FROM {kind.value} WHERE id = :account_id AND status = 'active' "))  # noqa: S608
    for kind in AccountKind
}


class WrongCredentials(DomainError):
    """No such account, or not its password: which of the two is never told (S0 6.3). Fact `left` tries."""

    code = "wrong_credentials"

    def __init__(self, left: int) -> None:
        super().__init__(left=left)


class AccountLocked(DomainError):
    """The password is right, but an administrator has locked the account."""

    code = "account_locked"
    status = 403


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in comes from. `replaces` is the id of the session that the browser had, if any."""

    address: str
    user_agent: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class _Account:
    kind: AccountKind
    id: str
    status: str
    password_hash: str | None = field(repr=False)

    @property
    def throttle_key(self) -> str:
        """Under which wrong passwords are counted."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class _Identifier:
    """What was typed as a name, as everything that it may be. The hashes are those under which accounts are found."""

    login_key: str = field(repr=False)
    hashes: tuple[str, ...]

    @property
    def possible_login_key(self) -> str:
        """The key if a login name can have it, else one that none has: not everything can be asked of a database."""
        possible = self.login_key.isascii() and self.login_key.isprintable() and len(self.login_key) <= _LONGEST_KEY
        return self.login_key if possible else ""

    @property
    def throttle_key(self) -> str:
        """Under which guesses are counted when no account has this name; spellings of one number count as one."""
        return "unknown:" + (self.hashes[0] if self.hashes else vault().lookup("login_name", self.login_key))


def person(identifier: str, password: str, browser: Browser) -> str:
    """Sign a person in by login name, phone or document number; return the secret for the new session's cookie.

    Raises WrongCredentials with the tries left, throttle.TooManyFailures while locked, AccountLocked.
    """
    typed = _as_person(identifier)
    return _sign_in(_find(AccountKind.PERSON, typed), typed, password, browser)


def unit(identifier: str, password: str, browser: Browser) -> str:
    """Sign a unit's own account in by login name or number (USCC, organisation code). Raises as `person` does."""
    typed = _as_unit(identifier)
    return _sign_in(_find(AccountKind.UNIT, typed), typed, password, browser)


def without_password(session: Session, person_id: str, methods: tuple[str, ...], browser: Browser) -> str:
    """Begin the session of a person who proved by `methods` to be this one; return the secret for its cookie.

    An account that five wrong passwords locked is locked for every way in (P9). Raises throttle.TooManyFailures,
    AccountLocked.
    """
    demand_open(session, AccountKind.PERSON, person_id)
    account = _Account(AccountKind.PERSON, person_id, AccountStatus.ACTIVE, None)
    return _start(session, account, methods, browser)


def add_password(who: SignedIn, password: str) -> str:
    """Add the password to a person's session that began without one; return the new secret for its cookie.

    Raises as `person` does, and browser_sessions.SessionOver.
    """
    prove(AccountKind.PERSON, who.subject_id, password)
    with transaction() as session:
        return browser_sessions.add_methods(session, who.session_id, (Amr.PWD.value,), authenticates=True)


def prove(kind: AccountKind, subject_id: str, password: str) -> None:
    """Check the password of an account that is known already, under the throttle of sign-in (P9).

    An account without a password is proven by none. Raises WrongCredentials, throttle.TooManyFailures, AccountLocked.
    """
    model = MODELS[kind]
    stored = db.session().scalars(select(model.password_hash).where(model.id == subject_id)).one()
    account = _Account(kind, subject_id, AccountStatus.ACTIVE, stored)
    failures = throttle.count(account.throttle_key)
    checked = passwords.check(stored, password)
    if not checked.right:
        raise _wrong(account, failures)
    with transaction() as session:
        throttle.forget(session, account.throttle_key)
        _still_open(session, account)
        if checked.fresh_hash is not None:
            _renew_hash(session, account, checked.fresh_hash)


def demand_open(session: Session, kind: AccountKind, subject_id: str) -> None:
    """Let an account in by another way than its password only while that is open too (P9).

    Raises throttle.TooManyFailures, AccountLocked.
    """
    account = _Account(kind, subject_id, AccountStatus.ACTIVE, None)
    throttle.demand_open(session, account.throttle_key)
    _still_open(session, account)


def _sign_in(account: _Account | None, typed: _Identifier, password: str, browser: Browser) -> str:
    key = account.throttle_key if account else typed.throttle_key
    failures = throttle.count(key)
    checked = passwords.check(account.password_hash if account else None, password)
    if account is None or not checked.right:
        raise _wrong(account, failures)
    if checked.fresh_hash is None and browser.replaces is None:
        token = _start_at_once(account, browser)
        if token is not None:
            return token
    with transaction() as session:
        throttle.forget(session, key)
        _still_open(session, account)
        if checked.fresh_hash is not None:
            _renew_hash(session, account, checked.fresh_hash)
        return _start(session, account, (Amr.PWD.value,), browser)


def _start_at_once(account: _Account, browser: Browser) -> str | None:
    """End the row of wrong passwords and begin a session, with one claim, in a browser that had none.

    Returns None when the account is not open any more: an administrator may have locked it since.
    """
    fresh = browser_sessions.prepare(
        kind=account.kind,
        subject_id=account.id,
        amr=(Amr.PWD.value,),
        address=browser.address,
        user_agent=browser.user_agent,
    )
    values = {"key": account.throttle_key, **fresh.row, **columns(fresh.entry)}
    writes = (throttle.FORGET, browser_sessions.INSERT_SESSION, INSERT_ENTRY)
    won = hot.claim_and_write(STILL_OPEN[account.kind], writes, **values)
    return fresh.token if won else None


def _start(session: Session, account: _Account, methods: tuple[str, ...], browser: Browser) -> str:
    return browser_sessions.start(
        session,
        kind=account.kind,
        subject_id=account.id,
        amr=methods,
        address=browser.address,
        user_agent=browser.user_agent,
        replaces=browser.replaces,
    )


def _wrong(account: _Account | None, failures: int) -> DomainError:
    left = throttle.tries_left(failures)
    details = {"tries_left": left, "known": account is not None}
    with transaction() as session:
        record(
            session,
            Entry("sign_in.refused", subject_id=account.id if account else None, outcome="failed", details=details),
        )
    return WrongCredentials(left) if left else throttle.TooManyFailures(throttle.LOCK_MINUTES)


def _still_open(session: Session, account: _Account) -> None:
    """Look again, in the transaction: an administrator may have locked the account since. Raises AccountLocked."""
    model = MODELS[account.kind]
    status = session.scalars(select(model.status).where(model.id == account.id)).one()
    if status != AccountStatus.ACTIVE:
        raise AccountLocked


def _renew_hash(session: Session, account: _Account, fresh: str) -> None:
    """Put a hash under today's settings in place of a weaker one, unless the password was changed meanwhile."""
    model = MODELS[account.kind]
    session.execute(
        update(model)
        .where(model.id == account.id, model.password_hash == account.password_hash)
        .values(password_hash=fresh)
    )


def _canonical(rule: Callable[[], str]) -> str | None:
    try:
        return rule()
    except DomainError:
        return None


def _as_person(identifier: str) -> _Identifier:
    """Read `identifier` as a phone, then as each kind of document in order."""
    text = identifier.strip()
    phone = _canonical(partial(check_phone, text))
    hashes = [vault().lookup("phone", phone)] if phone else []
    for kind in PersonDocument:
        number = _canonical(partial(check_person_document, kind, text, today=clock.today()))
        if number is not None:
            hashes.append(vault().lookup("document", f"{kind}:{number}"))
    return _Identifier(login_name_key(text), tuple(hashes))


def _as_unit(identifier: str) -> _Identifier:
    """Read `identifier` as each kind of a unit's document."""
    text = identifier.strip()
    hashes: list[str] = []
    for kind in UnitDocument:
        number = _canonical(partial(check_unit_document, kind, text))
        if number is not None:
            hashes.append(vault().lookup("unit_document", f"{kind}:{number}"))
    return _Identifier(login_name_key(text), tuple(hashes))


def _find(kind: AccountKind, typed: _Identifier) -> _Account | None:
    """Return the account of this name that is not cancelled: by login name first, for nobody else can have it."""
    hashes = dict(zip_longest(_hash_names(kind), typed.hashes))
    found = hot.reader().all(FIND[kind], key=typed.possible_login_key, **hashes)
    best = min(found, key=lambda row: _rank(typed, row[3:]), default=None)
    return None if best is None else _Account(kind, best[0], best[1], best[2])


def _rank(typed: _Identifier, claims: Sequence[str | None]) -> int:
    """Return how far down the account stands among those found: none of its numbers was typed, so its name was."""
    return min((place for place, each in enumerate(typed.hashes) if each in claims), default=-1)
