"""What a portal must be told, by environment variables that begin with its name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

NAMES = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "DATABASE", "KEY_FILE")


class SettingsError(Exception):
    """A setting is missing or cannot be; the text says which."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider's issuer, how it knows us, our own address without a trailing slash, and where our files are."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    base_url: str
    database: Path
    key_file: Path

    @classmethod
    def from_environment(cls, prefix: str, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables that NAMES lists, each with `prefix`, e.g. RECRUITMENT_ISSUER. Raises SettingsError."""
        missing = [prefix + name for name in NAMES if not environment.get(prefix + name)]
        if missing:
            msg = f"not set: {', '.join(missing)}"
            raise SettingsError(msg)
        given = {name.lower(): environment[prefix + name] for name in NAMES}
        for name in ("issuer", "base_url"):
            _check_url(prefix + name.upper(), given[name])
        return cls(
            issuer=given["issuer"],
            client_id=given["client_id"],
            client_secret=given["client_secret"],
            base_url=given["base_url"].rstrip("/"),
            database=Path(given["database"]),
            key_file=Path(given["key_file"]),
        )

    @property
    def https(self) -> bool:
        """Tell whether browsers reach us by https, so that cookies may insist on it."""
        return self.base_url.startswith("https://")

    @property
    def issuer_origin(self) -> str:
        """Return scheme, host and port of the provider."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def redirect_uri(self) -> str:
        """Return where the provider answers authorization requests."""
        return f"{self.base_url}/callback"

    @property
    def post_logout_redirect_uri(self) -> str:
        """Return where the provider sends the browser after a logout."""
        return f"{self.base_url}/"

    @property
    def audience(self) -> str:
        """Return what our API is called in access tokens (RFC 8707)."""
        return f"{self.base_url}/api"


def _check_url(name: str, value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        msg = f"{name} is not an http(s) address: {value}"
        raise SettingsError(msg)
