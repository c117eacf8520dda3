"""Keys that never leave the provider: encryption of columns, keyed look-up hashes, cookie signing.

The keys stand in a file of their own (mode 600), apart from the database, so that a stolen dump says nothing.
Encryption keys rotate: a value names the key it was written under. The look-up key does not: an HMAC cannot be
recomputed without its input, so changing it means reading and rewriting every row.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class KeyFileError(Exception):
    """The key file is missing, unreadable or malformed; the text says which and what to do."""


class DecryptionError(Exception):
    """A stored value does not open: wrong key file, or the value was changed or moved."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Encrypts, decrypts and hashes under the keys of one key file."""

    active: str
    keys: dict[str, bytes]
    lookup_key: bytes
    cookie_key: bytes

    def encrypt(self, plain: bytes, context: str) -> bytes:
        """Return key id length (1 byte) ‖ key id ‖ nonce ‖ AES-256-GCM ciphertext, bound to `context`."""
        nonce = os.urandom(NONCE_BYTES)
        name = self.active.encode()
        sealed = AESGCM(self.keys[self.active]).encrypt(nonce, plain, context.encode())
        return bytes([len(name)]) + name + nonce + sealed

    def decrypt(self, stored: bytes, context: str) -> bytes:
        """Open what `encrypt` returned. Raises DecryptionError."""
        end = 1 + stored[0]
        name = stored[1:end].decode(errors="replace")
        key = self.keys.get(name)
        if key is None:
            msg = f"value was encrypted under key {name!r}, which the key file does not have"
            raise DecryptionError(msg)
        try:
            return AESGCM(key).decrypt(stored[end : end + NONCE_BYTES], stored[end + NONCE_BYTES :], context.encode())
        except InvalidTag as error:
            msg = f"value of {context} does not open under key {name!r}"
            raise DecryptionError(msg) from error

    def lookup(self, kind: str, value: str) -> str:
        """Return the keyed hash (HMAC-SHA256, hex) under which `value` of `kind` is found without being readable."""
        return hmac.new(self.lookup_key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()


def _decode(name: str, text: object) -> bytes:
    try:
        key = base64.b64decode(str(text), validate=True)
    except ValueError as error:
        msg = f"key file: {name} is not base64"
        raise KeyFileError(msg) from error
    if len(key) != KEY_BYTES:
        msg = f"key file: {name} must be {KEY_BYTES} bytes"
        raise KeyFileError(msg)
    return key


def load(path: Path) -> Vault:
    """Read a key file. Raises KeyFileError with a sentence that an operator can act on."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        msg = f"key file {path} does not exist; `jingban keys init` makes one"
        raise KeyFileError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"key file {path} cannot be read: {error}"
        raise KeyFileError(msg) from error
    try:
        keys = {name: _decode(name, text) for name, text in content["columns"].items()}
        vault = Vault(
            content["active"],
            keys,
            _decode("lookup", content["lookup"]),
            _decode("cookie", content["cookie"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"key file {path} lacks {error}"
        raise KeyFileError(msg) from error
    if vault.active not in vault.keys:
        msg = f"key file {path}: the active key {vault.active!r} is not among its columns keys"
        raise KeyFileError(msg)
    return vault


def create(path: Path) -> None:
    """Write a new key file with fresh random keys, readable by its owner alone. Never overwrites."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "active": "k1",
        "columns": {"k1": _fresh()},
        "lookup": _fresh(),
        "cookie": _fresh(),
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
