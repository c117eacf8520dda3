"""Identifiers and secrets. Ids carry a prefix by kind (DESIGN 4) and tell nothing about their order."""

import hashlib
import secrets

PERSON = "p_"
UNIT = "u_"
BINDING = "b_"


def new_id(prefix: str) -> str:
    """Return `prefix` and 22 characters of [A-Za-z0-9_-]: 128 random bits."""
    return prefix + secrets.token_urlsafe(16)


def new_secret() -> str:
    """Return a bearer secret of 256 random bits, URL-safe, 43 characters."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Return the SHA-256 of a machine-made secret in hex: what is stored in its place.

    A plain hash is enough only because the secret has 256 bits of its own; passwords go through Argon2id.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
