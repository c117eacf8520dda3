"""The check of a person's face against an authority (粤信签 and its like; U18). The person does it on a phone."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from idp.gateways.errors import GatewayUnavailable
from idp.gateways.json_client import JsonObject, JsonService, text_of
from idp.settings import LOOPBACK_HOSTS

_ID = r"[A-Za-z0-9_-]{8,100}"
_REFERENCE = r"[A-Za-z0-9_-]{1,64}"
_ADDRESS = r"[\x21-\x7e]{1,500}"


class FaceState(StrEnum):
    """How a check stands. Only PASSED proves anything; the last three are final."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class FaceCheckBegun:
    """A check that waits for the person. `url` is the page for the phone: whoever opens it takes the check."""

    id: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class FaceResult:
    """How a check stands, and the authority's reference for a decision that was made, which may be logged."""

    state: FaceState
    reference: str | None


class FaceCheck(Protocol):
    """Compares the face in front of a phone with what the authority keeps of a person."""

    def begin(self, *, name: str, document_number: str, purpose: str) -> FaceCheckBegun:
        """Begin a check of this person; `purpose` (at most 60 characters) is what the phone's page says it is for.

        Raises GatewayUnavailable (try again later) and GatewayRefused (this person will never be checked).
        """
        ...

    def result(self, check_id: str) -> FaceResult:
        """Return how the check stands; one that the authority does not know (any more) has expired. Raises both."""
        ...


class HttpFaceCheck:
    """`FaceCheck` by POST /face/sessions and GET /face/sessions/{id}."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def begin(self, *, name: str, document_number: str, purpose: str) -> FaceCheckBegun:
        """Ask as `FaceCheck.begin` says."""
        wanted = {"name": name, "document_number": document_number, "purpose": purpose}
        answer = self._service.post("/face/sessions", wanted)
        gateway = self._service.gateway
        return FaceCheckBegun(text_of(gateway, answer, "id", _ID), _address(gateway, answer))

    def result(self, check_id: str) -> FaceResult:
        """Ask as `FaceCheck.result` says."""
        if not re.fullmatch(_ID, check_id):
            return FaceResult(FaceState.EXPIRED, None)
        answer = self._service.get(f"/face/sessions/{check_id}")
        if answer is None:
            return FaceResult(FaceState.EXPIRED, None)
        gateway = self._service.gateway
        state = text_of(gateway, answer, "state")
        if state not in set(FaceState):
            # A state that we cannot read must not become a verdict about a person.
            raise GatewayUnavailable(gateway, "bad_answer")
        decided = state in {FaceState.PASSED, FaceState.FAILED}
        return FaceResult(FaceState(state), text_of(gateway, answer, "reference", _REFERENCE) if decided else None)


def _address(gateway: str, answer: JsonObject) -> str:
    """Return the address for the phone: https, or on this machine. Raises GatewayUnavailable("bad_answer")."""
    url = text_of(gateway, answer, "url", _ADDRESS)
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS:
        return url
    raise GatewayUnavailable(gateway, "bad_answer")
