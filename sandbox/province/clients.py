"""The systems that may send people here, and where their answers may go."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from sandbox import web


@dataclass(frozen=True)
class Client:
    """A registered system. Its redirect URI must begin with one of the prefixes: the real system asks no more."""

    client_id: str
    name: str
    redirect_prefixes: tuple[str, ...]

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read {client_id, name?, redirect_prefixes: [str]}. Raises web.Invalid."""
        client_id = web.text_field(body, "client_id", r"[A-Za-z0-9_.-]{1,64}")
        prefixes = web.as_list(body.get("redirect_prefixes"), "redirect_prefixes")
        return cls(
            client_id=client_id,
            name=web.optional_text_field(body, "name") or client_id,
            redirect_prefixes=tuple(
                web.text_field({"redirect_prefixes": prefix}, "redirect_prefixes", r"https?://[^\s/]+.*")
                for prefix in prefixes
            ),
        )

    def may_receive(self, redirect_uri: str) -> bool:
        """Whether an answer may go to `redirect_uri`."""
        # A prefix that ends within a port would else let user:password@elsewhere pass.
        if "@" in urlsplit(redirect_uri).netloc:
            return False
        return any(redirect_uri.startswith(prefix) for prefix in self.redirect_prefixes)


USUAL = Client("jingban", "经办", ("http://localhost:", "http://127.0.0.1:", "https://localhost:"))
"""The client of a stand-in that was told of no other: whatever runs on this machine."""


class Clients:
    """Clients by id, safe for parallel requests."""

    def __init__(self) -> None:
        self._clients = {USUAL.client_id: USUAL}
        self._lock = threading.Lock()

    def put(self, client: Client) -> bool:
        """Enter `client`, or replace the one of its id; return whether it is new."""
        with self._lock:
            new = client.client_id not in self._clients
            self._clients[client.client_id] = client
            return new

    def get(self, client_id: str) -> Client | None:
        """Return the client, or None."""
        with self._lock:
            return self._clients.get(client_id)

    def may_receive(self, redirect_uri: str) -> bool:
        """Whether somebody may be sent to `redirect_uri` by any client's leave."""
        with self._lock:
            clients = list(self._clients.values())
        return any(client.may_receive(redirect_uri) for client in clients)
