"""The portal's secret, in a file of its own: it signs the form cookie and seals the tokens in the database."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed value does not open: another key file, or the value was changed or moved to another row."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys derived from the one secret, each for one purpose."""

    cookie_key: bytes = field(repr=False)
    sealing_key: bytes = field(repr=False)

    @classmethod
    def load(cls, path: Path, portal: str) -> Self:
        """Read the secret at `path`, which is made (mode 600) when missing; `portal` is whose keys they are.

        Raises OSError or ValueError.
        """
        secret = _read_or_create(path)
        if len(secret) < SECRET_BYTES:
            msg = f"{path} holds less than {SECRET_BYTES} bytes"
            raise ValueError(msg)
        return cls(_derive(secret, f"{portal} cookies"), _derive(secret, f"{portal} tokens"))

    def seal(self, text: str, context: str) -> bytes:
        """Encrypt `text` so that it opens only with the same `context`, e.g. the row and column it stands in."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.sealing_key).encrypt(nonce, text.encode(), context.encode())

    def unseal(self, sealed: bytes, context: str) -> str:
        """Decrypt what `seal` returned. Raises SealBroken."""
        try:
            opened = AESGCM(self.sealing_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except InvalidTag as error:
            raise SealBroken(context) from error
        return opened.decode()


def _read_or_create(path: Path) -> bytes:
    if not path.exists():
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        partial.touch(mode=0o600, exist_ok=False)
        partial.write_text(secrets.token_hex(SECRET_BYTES), "ascii")
        try:
            os.link(partial, path)  # unlike a rename it leaves a secret alone that another process made meanwhile
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_bytes().strip()


def _derive(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)
