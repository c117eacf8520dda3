"""The stand-ins for the province and the social-security card as upstreams of the provider."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sandbox import province
from sandbox.serving import Server
from tests.sandbox.client import KEY, Client
from tests.support import fictional

CLIENT_ID = "jingban"
PERSON: dict[str, Any] = {
    "useridcode": "p-0001",
    "login": "jiazi",
    "password": "Over-There-1",
    "name": fictional.person_name(),
    "document_number": fictional.resident_id(),
    "phone": fictional.mobile(),
    "level": "L2",
    "level_way": "face",
    "level_at": "2026-03-01T09:30:00+08:00",
}
UNIT: dict[str, Any] = {
    "useridcode": "u-0001",
    "login": "keji",
    "password": "Over-There-2",
    "name": fictional.unit_name(1),
    "uscc": fictional.uscc(1),
    "phone": fictional.mobile(1),
    "level": "L2",
    "level_way": "electronic_licence",
    "level_at": "2026-03-02T00:00:00Z",
    "legal_representative": {"name": fictional.person_name(6), "document_number": fictional.resident_id(6)},
    "contact": {"name": fictional.person_name(7), "document_number": fictional.resident_id(7)},
}


@dataclass(frozen=True)
class StandIn:
    """One running stand-in, as its operators reach it and as the provider's settings name it."""

    url: str
    operator: Client

    def setting(self, protocol: str = "province", name: str = "province", **changes: Any) -> dict[str, Any]:
        """Return an entry of the setting `upstreams`."""
        address = {"issuer": self.url + "/oidc"} if protocol == "oidc" else {"base_url": self.url}
        usual = {
            "name": name,
            "title": "省统一身份认证",
            "protocol": protocol,
            "client_id": CLIENT_ID,
            "client_secret": KEY,
            "upgrade_url": self.url + "/upgrade",
        }
        return {**usual, **address, **changes}

    def put(self, account: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Enter an account, or change it; return it."""
        changed = {name: value for name, value in {**account, **changes}.items() if value is not None}
        kind = "persons" if "document_number" in changed else "legal-entities"
        answer = self.operator.put(f"/{kind}/{changed['useridcode']}", changed)
        assert answer.status_code in {200, 201}, answer.text
        return changed

    def fault(self, mode: str, **more: Any) -> None:
        """Put the stand-in into an error mode."""
        answer = self.operator.fault(mode, **more)
        assert answer.status_code == 200, answer.text

    def rotate_keys(self) -> None:
        """Let the stand-in sign with a new key from now on."""
        assert self.operator.post("/oidc/rotate-keys", {}).status_code == 200


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Serve a stand-in for the province that knows PERSON and UNIT."""
    with Server(province.create_app(KEY, {"persons": [PERSON], "legal_entities": [UNIT]})) as server:
        yield StandIn(server.url, Client(server.url))


@pytest.fixture(scope="module")
def running_upstream() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def there(running_upstream: StandIn) -> Iterator[StandIn]:
    """The province, which every test finds as new."""
    yield running_upstream
    running_upstream.fault("none")
    running_upstream.put(PERSON)
    running_upstream.put(UNIT)


def sign_in_there(url: str, account: dict[str, Any]) -> str:
    """Sign in on the stand-in's page at `url`; return the address to which it sends the browser back."""
    form = {
        "tab": "person" if "document_number" in account else "legal",
        "username": account["login"],
        "password": account["password"],
    }
    answer = requests.post(url, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]
