"""Password hashes: Argon2id (RFC 9106), computed outside of any transaction, a bounded number at once.

One hash takes tens of megabytes and milliseconds; without a bound a burst of sign-ins would take all of both.
"""

import base64
import os
import threading
from dataclasses import dataclass

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from idp.rules.passwords import PasswordPolicy, prepare_password
from idp.settings import Settings, settings
from idp.store import db

_EXTENSION = "jingban.passwords"


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the password was right; `fresh_hash` replaces the stored one when that is weaker than the settings."""

    right: bool
    fresh_hash: str | None = None


class _Hasher:
    """Argon2id under the settings of one application."""

    def __init__(self, configured: Settings) -> None:
        self.argon2 = PasswordHasher(
            time_cost=configured.argon2_time_cost,
            memory_cost=configured.argon2_memory_kib,
            parallelism=1,
            type=Type.ID,
        )
        self.at_once = threading.BoundedSemaphore(configured.argon2_parallel)
        self.nobodys = self._nobodys_hash()

    def _nobodys_hash(self) -> str:
        """Return a hash that no password opens, whose check costs what every check costs."""
        parameters = f"m={self.argon2.memory_cost},t={self.argon2.time_cost},p={self.argon2.parallelism}"
        salt, digest = (
            base64.b64encode(os.urandom(length)).decode().rstrip("=")
            for length in (self.argon2.salt_len, self.argon2.hash_len)
        )
        return f"$argon2id$v=19${parameters}${salt}${digest}"


def _hasher() -> _Hasher:
    found: _Hasher | None = current_app.extensions.get(_EXTENSION)
    if found is None:
        found = current_app.extensions.setdefault(_EXTENSION, _Hasher(settings()))
    return found


def policy() -> PasswordPolicy:
    """Return what a password must be (P3), as the settings have it."""
    return PasswordPolicy(any_three_kinds=settings().password_any_three_kinds)


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password that passed `idp.rules.passwords.check_password`."""
    hasher = _hasher()
    db.release()
    with hasher.at_once:
        return hasher.argon2.hash(password.encode())


def check(stored: str | None, password: str) -> Checked:
    """Compare what was typed with a stored hash. Without a hash (no such account) it takes the same time (P9)."""
    hasher = _hasher()
    db.release()
    typed = prepare_password(password).encode()
    with hasher.at_once:
        try:
            hasher.argon2.verify(stored or hasher.nobodys, typed)
        except (VerificationError, InvalidHashError):
            return Checked(right=False)
        if stored is None or not hasher.argon2.check_needs_rehash(stored):
            return Checked(right=stored is not None)
        return Checked(right=True, fresh_hash=hasher.argon2.hash(typed))
