"""The dynamic side of the suite: clients that register themselves, as the plans with dynamic registration do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from joserfc.jwk import RSAKey

from tests.conformance.suite import HOME, TIMEOUT, Registration, Suite
from tests.oidc import client_jwt, servers

CALLBACK = f"{HOME}dynamic/callback"
KEY = RSAKey.generate_key(2048, {"kid": "first"})


@dataclass
class Registered:
    """A client that registered itself: what it was told, and the suite that plays it."""

    told: dict[str, Any]
    suite: Suite

    def read(self) -> requests.Response:
        """Ask for the registration (RFC 7592 §2.1)."""
        return requests.get(self.told["registration_client_uri"], headers=self._headers(), timeout=TIMEOUT)

    def removed(self) -> requests.Response:
        """Unregister, as the suite does after each module (§2.3)."""
        return requests.delete(self.told["registration_client_uri"], headers=self._headers(), timeout=TIMEOUT)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.told['registration_access_token']}"}


@dataclass
class Registrar:
    """Registers clients with an initial access token, and unregisters them."""

    suite: Suite
    token: str
    registered: list[Registered] = field(default_factory=list)

    def ask(self, **changes: Any) -> requests.Response:
        """Send the suite's registration request; None leaves a member out."""
        metadata = {
            "client_name": "一致性测试",
            "application_type": "web",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": client_jwt.key_set(KEY),
            "contacts": ["conformance@conformance.example"],
        } | changes
        body = {name: value for name, value in metadata.items() if value is not None}
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.post(self.suite.metadata["registration_endpoint"], json=body, headers=headers, timeout=TIMEOUT)

    def client(self, **changes: Any) -> Registered:
        """Register a client that must be taken, and check the response (Registration 1.0 §3.2)."""
        response = self.ask(**changes)
        assert response.status_code == 201, response.text
        assert response.headers["Content-Type"].partition(";")[0] == "application/json"
        assert "no-store" in response.headers["Cache-Control"]
        told = response.json()
        asked = {name: value for name, value in changes.items() if value is not None}
        assert asked.items() <= told.items(), "the server MUST return all registered metadata"
        assert told["registration_client_uri"].startswith(f"{self.suite.issuer}/")
        assert told["registration_access_token"]
        assert ("client_secret" in told) == ("client_secret_expires_at" in told)
        method = told["token_endpoint_auth_method"]
        registration = Registration(
            told["client_id"],
            told.get("client_secret", ""),
            told["redirect_uris"][0],
            method,
            told["id_token_signed_response_alg"],
            KEY if method == "private_key_jwt" else None,
        )
        found = Registered(told, self.suite.with_client(registration))
        self.registered.append(found)
        return found

    def assert_refused(self, error: str, **changes: Any) -> None:
        """Assert that a registration is refused (RFC 7591 §3.2.2)."""
        response = self.ask(**changes)
        assert response.status_code == 400, response.text
        assert response.headers["Content-Type"].partition(";")[0] == "application/json"
        assert response.json()["error"] == error

    def unregister(self) -> None:
        """Remove all that were registered."""
        for each in self.registered:
            assert each.removed().status_code == 204
            assert each.read().status_code == 401


@contextmanager
def published(content: Callable[[], bytes], content_type: str) -> Iterator[tuple[str, servers.Portal]]:
    """Serve a document of the client while the block runs; yields its address."""
    with servers.portal() as server:
        server.answer = lambda _path: (200, {"Content-Type": content_type}, content())
        yield f"http://127.0.0.1:{server.port}/document", server
