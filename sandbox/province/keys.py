"""The keys that sign ID tokens. They are made when first needed and replaced on demand."""

import threading
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

_BITS = 2048


class SigningKeys:
    """One key that signs, and a stranger's that does when the signature shall be wrong."""

    def __init__(self) -> None:
        self._key: RSAKey | None = None
        self._lock = threading.Lock()

    def rotate(self) -> str:
        """Replace the key and forget the old one, as after a compromise. Returns the new `kid`."""
        with self._lock:
            self._key = _new_key()
            return _kid(self._key)

    def public(self) -> dict[str, Any]:
        """Return the key set (RFC 7517 §5) that verifies what `sign` signs."""
        return dict(KeySet([self._current()]).as_dict(private=False))

    def sign(self, claims: dict[str, Any], *, wrongly: bool = False) -> str:
        """Return a JWT (RS256) with the key's `kid`; `wrongly` another key signs in its name."""
        key = self._current()
        header = {"alg": "RS256", "kid": _kid(key), "typ": "JWT"}
        return jwt.encode(header, claims, _new_key() if wrongly else key, algorithms=["RS256"])

    def _current(self) -> RSAKey:
        with self._lock:
            if self._key is None:
                self._key = _new_key()
            return self._key


def _new_key() -> RSAKey:
    return RSAKey.generate_key(_BITS, {"use": "sig", "alg": "RS256"}, private=True, auto_kid=True)


def _kid(key: RSAKey) -> str:
    return str(key.kid)
