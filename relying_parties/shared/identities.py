"""Who is signed in: one record for each browser, and in it one identity for the person and for each of their units.

An identity hangs on the provider's session (`sid`), carries its own tokens, and ends by itself: a unit that withdraws
its grant ends one of them and leaves the others alone (U13). Ended ones are kept without tokens, so that an open page
can say what happened.
"""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from flask import current_app

from relying_parties.shared import clock
from relying_parties.shared.database import connection, transaction
from relying_parties.shared.keys import Keys

IDLE_SECONDS = 30 * 60
ABSOLUTE_SECONDS = 12 * 3600
TOUCH_SECONDS = 60
REFRESH_CLAIM_SECONDS = 20
"""How long one request may take to refresh before another may try; longer than the provider's time-out."""


class Ended(StrEnum):
    """Why an identity ended."""

    LOGOUT = "logout"  # the provider said so: logout there, or a delegation that was withdrawn
    REFUSED = "refused"  # the provider refuses its tokens
    EXPIRED = "expired"  # the delegation was valid until now
    REPLACED = "replaced"  # somebody else signed in with this browser


class SessionOver(Exception):
    """The provider ended the session while its code was on the way to us."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit acted for, as `acting_for` describes it (DESIGN 4). `ends_at` in seconds, or None."""

    id: str
    uscc: str
    name: str
    verified: bool
    capacity: str
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave. `access_ends_at` in seconds since 1970."""

    id_token: str
    access_token: str
    access_ends_at: int
    refresh_token: str | None
    scope: frozenset[str]


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that succeeded: whom the ID token names, for which unit, in which session of the provider.

    `acr` and `auth_time` (seconds): at which level, and when the person last proved who they are.
    """

    sid: str
    person: str
    person_name: str
    issued_at: int
    unit: Unit | None
    tokens: Tokens
    acr: str | None = None
    auth_time: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity of a browser, without its tokens. Moments in seconds since 1970."""

    id: str
    sid: str
    person: str
    person_name: str
    unit: Unit | None
    scope: frozenset[str]
    access_ends_at: int
    used_at: int
    ended_at: int | None
    ended_why: Ended | None
    acr: str | None
    auth_time: int | None

    @property
    def name(self) -> str:
        """Return what to call it on pages."""
        return self.unit.name if self.unit else self.person_name

    @property
    def detail(self) -> str:
        """Return who acts, and as what."""
        if self.unit is None:
            return "个人"
        itself = self.unit.id == self.person  # a unit that signed in with its own account
        return self.unit.capacity if itself else f"{self.unit.capacity} · {self.person_name}"

    @property
    def acted_for(self) -> Unit:
        """Return the unit, of an identity that `access.for_unit` let in."""
        if self.unit is None:
            raise LookupError(self.id)
        return self.unit

    def may(self, business: str) -> bool:
        """Tell whether the unit's grants let this agent do `business` (R7)."""
        return self.unit is not None and business in self.scope


def find_browser(cookie: str | None) -> str | None:
    """Return the id of the living browser record behind `cookie`."""
    if not cookie:
        return None
    now = clock.now()
    row = connection().execute("SELECT * FROM browser WHERE id = ?", [_fingerprint(cookie)]).fetchone()
    if row is None or now - row["created_at"] > ABSOLUTE_SECONDS or now - row["seen_at"] > IDLE_SECONDS:
        return None
    if now - row["seen_at"] > TOUCH_SECONDS:
        connection().execute("UPDATE browser SET seen_at = ? WHERE id = ?", [now, row["id"]])
    return str(row["id"])


def sign_in(cookie: str | None, fresh: SignIn) -> str:
    """Add `fresh` to the browser behind `cookie`, and return the browser's new cookie (no session fixation).

    Its earlier identity for the same unit goes; identities of another person end. Raises SessionOver.
    """
    old, token, now = find_browser(cookie), secrets.token_urlsafe(32), clock.now()
    browser_id = _fingerprint(token)
    with transaction() as database:
        if _already_over(database, fresh):
            raise SessionOver(fresh.sid)
        _forget_expired(database, now)
        database.execute("INSERT INTO browser VALUES (?, ?, ?)", [browser_id, now, now])
        if old is not None:
            _take_over(database, old, browser_id, fresh)
        _insert(database, browser_id, fresh, now)
    return token


def of_browser(browser_id: str) -> list[Identity]:
    """Return all identities of a browser, ended ones too, the last used first."""
    rows = connection().execute(
        "SELECT * FROM identity WHERE browser_id = ? ORDER BY used_at DESC, rowid DESC", [browser_id]
    )
    return [_identity(row) for row in rows]


def touch(identity: Identity) -> None:
    """Note that `identity` is the one in use, so that 企业中心 opens with it."""
    connection().execute("UPDATE identity SET used_at = ? WHERE id = ?", [clock.now(), identity.id])


def end(identity_id: str, why: Ended) -> None:
    """End one identity and drop its tokens."""
    _end(connection(), why, "id = ?", [identity_id])


def sign_out(browser_id: str) -> None:
    """Forget the browser with all of its identities."""
    connection().execute("DELETE FROM browser WHERE id = ?", [browser_id])


def obey_logout_token(jti: str, sid: str | None, person: str | None, issued_at: int) -> bool:
    """End the identities of session `sid`, or without it all those of `person`; False if `jti` came before.

    One transaction (OpenID Connect Back-Channel Logout 1.0 §2.6, §2.7). The token is remembered, so that a sign-in
    which is on its way ends too.
    """
    with transaction() as database:
        noted = database.execute(
            "INSERT INTO logout VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [jti, sid, person, issued_at, clock.now()],
        )
        if noted.rowcount == 0:
            return False
        if sid is not None:
            _end(database, Ended.LOGOUT, "sid = ?", [sid])
        else:
            _end(database, Ended.LOGOUT, "person = ?", [person])
    return True


def id_token(identity: Identity) -> str:
    """Return the ID token, also of an ended identity. Raises SealBroken."""
    return _token(identity.id, "id_token") or ""


def access_token(identity: Identity) -> str | None:
    """Return the access token, None once the identity has ended. Raises SealBroken."""
    return _token(identity.id, "access_token")


def claim_refresh(identity: Identity) -> str | None:
    """Return the refresh token if this request is the one to use it; None if there is none or another one is at it.

    A rotating refresh token that is sent twice looks stolen, and the provider would end everything.
    """
    now = clock.now()
    claimed = connection().execute(
        "UPDATE identity SET refreshing_until = ? WHERE id = ? AND ended_at IS NULL AND refresh_token IS NOT NULL "
        "AND access_ends_at = ? AND refreshing_until <= ?",
        [now + REFRESH_CLAIM_SECONDS, identity.id, identity.access_ends_at, now],
    )
    return _token(identity.id, "refresh_token") if claimed.rowcount else None


def has_refresh_token(identity: Identity) -> bool:
    """Tell whether the identity can be refreshed at all."""
    found = connection().execute("SELECT 1 FROM identity WHERE id = ? AND refresh_token IS NOT NULL", [identity.id])
    return found.fetchone() is not None


def release_refresh(identity: Identity) -> None:
    """Give the claim back after the provider could not be asked."""
    connection().execute("UPDATE identity SET refreshing_until = 0 WHERE id = ?", [identity.id])


def store_refreshed(identity: Identity, tokens: Tokens, unit: Unit | None) -> None:
    """Keep what a refresh gave; the unit's name, state or end may have changed with it."""
    connection().execute(
        "UPDATE identity SET id_token = :id_token, access_token = :access_token, refresh_token = :refresh_token, "
        "access_ends_at = :access_ends_at, scope = :scope, refreshing_until = 0, unit_uscc = :unit_uscc, "
        "unit_name = :unit_name, unit_verified = :unit_verified, capacity = :capacity, "
        "delegation_ends_at = :delegation_ends_at WHERE id = :id AND ended_at IS NULL",
        {"id": identity.id} | _sealed(identity.id, tokens) | _unit_columns(unit),
    )


def find(identity_id: str) -> Identity | None:
    """Return the identity as it is now."""
    row = connection().execute("SELECT * FROM identity WHERE id = ?", [identity_id]).fetchone()
    return None if row is None else _identity(row)


def _already_over(database: sqlite3.Connection, fresh: SignIn) -> bool:
    found = database.execute(
        "SELECT 1 FROM logout WHERE sid = ? OR (sid IS NULL AND person = ? AND issued_at >= ?)",
        [fresh.sid, fresh.person, fresh.issued_at],
    )
    return found.fetchone() is not None


def _take_over(database: sqlite3.Connection, old: str, browser_id: str, fresh: SignIn) -> None:
    unit = fresh.unit.id if fresh.unit else None
    database.execute("DELETE FROM identity WHERE browser_id = ? AND unit IS ?", [old, unit])
    database.execute("UPDATE identity SET browser_id = ? WHERE browser_id = ?", [browser_id, old])
    _end(database, Ended.REPLACED, "browser_id = ? AND person <> ?", [browser_id, fresh.person])
    database.execute("DELETE FROM browser WHERE id = ?", [old])


def _insert(database: sqlite3.Connection, browser_id: str, fresh: SignIn, now: int) -> None:
    identity_id = secrets.token_hex(8)
    row: dict[str, object] = {
        "id": identity_id,
        "browser_id": browser_id,
        "sid": fresh.sid,
        "person": fresh.person,
        "person_name": fresh.person_name,
        "unit": fresh.unit.id if fresh.unit else None,
        "signed_in_at": now,
        "used_at": now,
        "acr": fresh.acr,
        "auth_time": fresh.auth_time,
    }
    row |= _sealed(identity_id, fresh.tokens) | _unit_columns(fresh.unit)
    places = ", ".join(f":{name}" for name in row)
    database.execute(f"INSERT INTO identity ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608 - our own names


def _end(database: sqlite3.Connection, why: Ended, where: str, values: list[str | None]) -> None:
    # The ID token stays: as id_token_hint it still lets the person log out at the provider.
    changes = "ended_at = ?, ended_why = ?, access_token = NULL, refresh_token = NULL"
    statement = f"UPDATE identity SET {changes} WHERE ended_at IS NULL AND {where}"  # noqa: S608 - our own conditions
    database.execute(statement, [clock.now(), why, *values])


def _forget_expired(database: sqlite3.Connection, now: int) -> None:
    oldest = now - ABSOLUTE_SECONDS
    database.execute(
        "DELETE FROM browser WHERE created_at < ? OR seen_at < ?", [oldest, now - IDLE_SECONDS - TOUCH_SECONDS]
    )
    database.execute("DELETE FROM logout WHERE received_at < ?", [oldest])


def _identity(row: sqlite3.Row) -> Identity:
    return Identity(
        id=row["id"],
        sid=row["sid"],
        person=row["person"],
        person_name=row["person_name"],
        unit=_unit(row) if row["unit"] else None,
        scope=frozenset(row["scope"].split()),
        access_ends_at=row["access_ends_at"],
        used_at=row["used_at"],
        ended_at=row["ended_at"],
        ended_why=Ended(row["ended_why"]) if row["ended_why"] else None,
        acr=row["acr"],
        auth_time=row["auth_time"],
    )


def _unit(row: sqlite3.Row) -> Unit:
    return Unit(
        id=row["unit"],
        uscc=row["unit_uscc"],
        name=row["unit_name"],
        verified=bool(row["unit_verified"]),
        capacity=row["capacity"],
        ends_at=row["delegation_ends_at"],
    )


def _unit_columns(unit: Unit | None) -> dict[str, object]:
    return {
        "unit_uscc": unit and unit.uscc,
        "unit_name": unit and unit.name,
        "unit_verified": unit and unit.verified,
        "capacity": unit and unit.capacity,
        "delegation_ends_at": unit and unit.ends_at,
    }


def _sealed(identity_id: str, tokens: Tokens) -> dict[str, object]:
    def seal(name: str, token: str | None) -> bytes | None:
        return None if token is None else _keys().seal(token, f"{identity_id}.{name}")

    return {
        "id_token": seal("id_token", tokens.id_token),
        "access_token": seal("access_token", tokens.access_token),
        "refresh_token": seal("refresh_token", tokens.refresh_token),
        "access_ends_at": tokens.access_ends_at,
        "scope": " ".join(sorted(tokens.scope)),
    }


def _token(identity_id: str, name: str) -> str | None:
    row = connection().execute("SELECT * FROM identity WHERE id = ?", [identity_id]).fetchone()
    if row is None or row[name] is None:
        return None
    return _keys().unseal(row[name], f"{identity_id}.{name}")


def _fingerprint(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def _keys() -> Keys:
    keys: Keys = current_app.extensions["portal_keys"]
    return keys
