"""The signing keys at work: made, published, rotated, and handed out parsed.

Every algorithm has one active key and one next. The next key stands in the JWKS for `key_publish_ahead` before it
signs; a retired one stays there until no session can still hold a token that it signed. RSA keys take tens of
milliseconds to parse, so a process parses each key once and then asks the database every two seconds whether
anything changed (DESIGN 9).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from flask import current_app
from joserfc import jwk
from joserfc.jwk import Key
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.errors import DomainError
from idp.settings import settings
from idp.store import hot
from idp.store.base import vault
from idp.store.db import db, release, transaction
from idp.store.signing_keys import SigningKey

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""What tokens may be signed with (RFC 7518 §3.1, RFC 8037). RS256 is the one that every client must know."""

TRUST_MS = 2000
PRIVATE_CONTEXT = "signing_key.private_jwk"
ACTIVE, NEXT, RETIRED = "active", "next", "retired"
RSA_BITS = 2048

# Which keys there are: short enough to be asked every two seconds, and different whenever anything changed.
LIST_KEYS = hot.Statement(
    "SELECT kid, state FROM signing_key WHERE state <> 'retired' OR retired_at > :retired_since ORDER BY state, kid"
)
LOAD_KEYS = hot.Statement(
    "SELECT kid, alg, state, public_jwk, private_jwk FROM signing_key "
    "WHERE state <> 'retired' OR retired_at > :retired_since ORDER BY state, alg, kid"
)
# Several processes start at once: whoever comes second finds the key there.
INSERT_KEY = hot.Statement(
    "INSERT INTO signing_key (kid, alg, state, public_jwk, private_jwk, created_at, activated_at) "
    "VALUES (:kid, :alg, :state, :public_jwk, :private_jwk, :now, :activated_at) ON CONFLICT DO NOTHING"
)


class NoSigningKey(Exception):
    """No key of this algorithm is active: `ensure_keys` was never called on this database."""


class UnknownAlgorithm(DomainError):
    """`alg` is none of ALGORITHMS."""

    code = "unknown_algorithm"


class NextKeyTooYoung(DomainError):
    """The next key of `alg` has not been published for as long as clients may keep their copy of the JWKS."""

    code = "next_key_too_young"
    status = 409


@dataclass(frozen=True)
class Signer:
    """The active key of an algorithm. Its private part is parsed once, when it first signs: RSA takes 40 ms."""

    kid: str
    alg: str
    private_jwk: bytes

    @cached_property
    def key(self) -> Key:
        """The private key."""
        return _parsed_private(self.private_jwk)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A published key. `alg` is the one algorithm it may be used with, whatever a token's header says."""

    alg: str
    key: Key


@dataclass(frozen=True, slots=True)
class _Ring:
    """All keys at one moment. Replaced as a whole, never changed, so that threads share it."""

    version: tuple[hot.Row, ...]
    signers: dict[str, Signer]
    verifiers: dict[str, Verifier]
    jwks: bytes


@dataclass(slots=True)
class _Cache:
    ring: _Ring
    checked_at: int


def signer(alg: str) -> Signer:
    """Return exactly the active key of `alg`. Raises NoSigningKey."""
    found = _ring().signers.get(alg)
    if found is None:
        msg = f"no active signing key for {alg}; run `jingban keys rotate`"
        raise NoSigningKey(msg)
    return found


def verifier(kid: str) -> Verifier | None:
    """Return the published key of this id, next and retired ones included."""
    return _ring().verifiers.get(kid)


def jwks() -> bytes:
    """Return the JWK set (RFC 7517 §5) as JSON: active keys first, then next, then retired ones; no private part."""
    return _ring().jwks


def _ring() -> _Ring:
    cache: _Cache | None = current_app.extensions.get("jingban.keyring")
    now = clock.millis()
    # A clock that was set back must not make the copy young for ever: its age has two bounds.
    if cache is not None and 0 <= now - cache.checked_at < TRUST_MS:
        return cache.ring
    since = now - int(_keep_retired().total_seconds() * 1000)
    version = tuple(hot.reader().all(LIST_KEYS, retired_since=since))
    if cache is not None and cache.ring.version == version:
        cache.checked_at = now
        return cache.ring
    ring = _load(version, hot.reader().all(LOAD_KEYS, retired_since=since), cache.ring if cache else None)
    current_app.extensions["jingban.keyring"] = _Cache(ring, now)
    return ring


def _load(version: tuple[hot.Row, ...], rows: Iterable[hot.Row], before: _Ring | None) -> _Ring:
    signers: dict[str, Signer] = {}
    verifiers: dict[str, Verifier] = {}
    public: list[object] = []
    known = {} if before is None else {each.kid: each for each in before.signers.values()}
    for kid, alg, state, public_jwk, private_jwk in rows:
        published = json.loads(public_jwk)
        public.append(published)
        verifiers[kid] = Verifier(alg, _parsed(public_jwk))
        if state == ACTIVE:
            signers[alg] = known.get(kid) or Signer(kid, alg, bytes(private_jwk))
    return _Ring(version, signers, verifiers, json.dumps({"keys": public}, separators=(",", ":")).encode())


@lru_cache(maxsize=64)
def _parsed(public_jwk: str) -> Key:
    """Return the public key; one that stayed when others changed stays parsed."""
    return jwk.import_key(json.loads(public_jwk))


@lru_cache(maxsize=16)
def _parsed_private(private_jwk: bytes) -> Key:
    """Return the private key. What is kept is found by its ciphertext, which is another one for every key stored."""
    return jwk.import_key(json.loads(vault().decrypt(private_jwk, PRIVATE_CONTEXT)))


def _look_again() -> None:
    """Let the next caller in this process see what was just changed; keys that stayed stay parsed."""
    cache: _Cache | None = current_app.extensions.get("jingban.keyring")
    if cache is not None:
        cache.checked_at = 0


def _keep_retired() -> timedelta:
    """How long a retired key stays published: as long as a session that its last tokens belong to can live.

    Until then an ID token may come back as `id_token_hint`, expired or not (RP-Initiated Logout 1.0 §2).
    """
    now = settings()
    return timedelta(seconds=max(now.session_absolute, now.id_token_lifetime, now.access_token_lifetime))


def _generate(alg: str) -> Key:
    if alg in {"RS256", "PS256"}:
        return jwk.generate_key("RSA", RSA_BITS)
    if alg == "ES256":
        return jwk.generate_key("EC", "P-256")
    return jwk.generate_key("OKP", "Ed25519")


def _insert(session: Session, alg: str, state: str, key: Key) -> str:
    """Store a fresh key unless `alg` has one in that state, and return its id, the thumbprint (RFC 7638)."""
    kid = key.thumbprint()
    now = clock.millis()
    named = {"kid": kid, "alg": alg, "use": "sig"}
    hot.within(session).run(
        INSERT_KEY,
        kid=kid,
        alg=alg,
        state=state,
        public_jwk=json.dumps(key.as_dict(private=False, **named)),
        private_jwk=vault().encrypt(json.dumps(key.as_dict(private=True, **named)).encode(), PRIVATE_CONTEXT),
        now=now,
        activated_at=now if state == ACTIVE else None,
    )
    return kid


def ensure_keys() -> None:
    """Give every algorithm an active and a next key where it lacks one. Safe to call by many processes at once."""
    release()
    have = {tuple(row) for row in db.session.execute(select(SigningKey.alg, SigningKey.state))}
    release()
    wanted = [(alg, state) for alg in ALGORITHMS for state in (ACTIVE, NEXT) if (alg, state) not in have]
    fresh = [(alg, state, _generate(alg)) for alg, state in wanted]  # slow, so outside the transaction
    if not fresh:
        return
    with transaction() as session:
        for alg, state, key in fresh:
            _insert(session, alg, state, key)
    _look_again()


def algorithms_without_active_key() -> list[str]:
    """Return those of ALGORITHMS that cannot sign now."""
    found = set(db.session.scalars(select(SigningKey.alg).where(SigningKey.state == ACTIVE)))
    return [alg for alg in ALGORITHMS if alg not in found]


def all_keys() -> list[SigningKey]:
    """Return every key, by algorithm and age."""
    return list(db.session.scalars(select(SigningKey).order_by(SigningKey.alg, SigningKey.created_at)))


def rotate(alg: str | None = None, *, at_once: bool = False) -> list[str]:
    """Make the next key of `alg` (or of every algorithm) the active one; return the ids of the keys that now sign.

    Raises UnknownAlgorithm; and NextKeyTooYoung, unless `at_once`: then clients meet a key that they may not have
    fetched yet, which is the lesser evil when a private key has leaked.
    """
    if alg is not None and alg not in ALGORITHMS:
        raise UnknownAlgorithm(alg=alg)
    ensure_keys()
    algorithms = ALGORITHMS if alg is None else (alg,)
    if not at_once:
        for each in algorithms:
            _check_published(each)
    rotated = [_rotate(each) for each in algorithms]
    return [kid for kid in rotated if kid is not None]


def _check_published(alg: str) -> None:
    waiting = db.session.execute(
        select(SigningKey.created_at).where(SigningKey.alg == alg, SigningKey.state == NEXT)
    ).scalar_one()
    left = waiting + timedelta(seconds=settings().key_publish_ahead) - clock.now()
    if left > timedelta(0):
        raise NextKeyTooYoung(alg=alg, seconds=int(left.total_seconds()) + 1)


def _rotate(alg: str) -> str | None:
    """Retire the active key, activate the next, publish a new next: one transaction. None: another was faster."""
    fresh = _generate(alg)
    now = clock.now()
    with transaction() as session:
        old, new = (_kid(session, alg, state) for state in (ACTIVE, NEXT))
        retired = session.execute(
            update(SigningKey)
            .where(SigningKey.kid == old, SigningKey.state == ACTIVE)
            .values(state=RETIRED, retired_at=now, private_jwk=None)
            .returning(SigningKey.kid)
        ).one_or_none()
        if retired is None:
            return None
        session.execute(
            update(SigningKey)
            .where(SigningKey.kid == new, SigningKey.state == NEXT)
            .values(state=ACTIVE, activated_at=now)
        )
        _insert(session, alg, NEXT, fresh)
    _look_again()
    return new


def _kid(session: Session, alg: str, state: str) -> str | None:
    return session.scalars(
        select(SigningKey.kid).where(SigningKey.alg == alg, SigningKey.state == state)
    ).one_or_none()


def rotate_on_schedule() -> None:
    """Rotate what has signed for `key_active_for`, and delete retired keys that no token needs. For the worker."""
    ensure_keys()
    now = clock.now()
    for alg in _due(now - timedelta(seconds=settings().key_active_for)):
        try:
            _check_published(alg)
        except NextKeyTooYoung:
            continue
        _rotate(alg)
    with transaction() as session:
        session.execute(
            delete(SigningKey).where(SigningKey.state == RETIRED, SigningKey.retired_at <= now - _keep_retired())
        )


def _due(activated_before: datetime) -> list[str]:
    found = db.session.scalars(
        select(SigningKey.alg).where(SigningKey.state == ACTIVE, SigningKey.activated_at <= activated_before)
    )
    return list(found)
