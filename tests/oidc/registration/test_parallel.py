"""Many updates of one registration at once, on several worker processes: one of them stands, whole (RFC 7592 §2.2)."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.support.stack import Stack

AT_ONCE = 16
ROUNDS = 3
NEVER_REPEATED = {
    *("registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret"),
    "client_secret_expires_at",
}


def _description(number: int) -> dict[str, Any]:
    """Return metadata that differ from number to number in every part, columns and the rest alike."""
    home = f"https://client{number}.example"
    return {
        "client_name": f"应用{number}",
        "redirect_uris": [f"{home}/callback", f"{home}/second"][: 1 + number % 2],
        "client_uri": f"{home}/",
        "logo_uri": f"{home}/logo.png",
        "contacts": [f"{number}@client.example"],
        "software_version": str(number),
    }


def test_updates_at_the_same_moment(stack: Stack) -> None:
    """Nobody gets a 5xx, each is told what they sent, and what stands is one of the sent registrations."""
    token = json.loads(stack.jingban("client", "token", "parallel"))["initial_access_token"]
    told = requests.post(
        f"{stack.issuer}/oidc/register",
        json=_description(0),
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    ).json()
    headers = {"Authorization": f"Bearer {told['registration_access_token']}"}
    start = threading.Barrier(AT_ONCE)

    def send(number: int) -> requests.Response:
        body = _description(number) | {"client_id": told["client_id"]}
        with requests.Session() as session:
            start.wait(timeout=30)
            return session.put(told["registration_client_uri"], json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for turn in range(ROUNDS):
            numbers = range(turn * AT_ONCE + 1, (turn + 1) * AT_ONCE + 1)
            answers = list(pool.map(send, numbers))
            assert {each.status_code for each in answers} == {200}, [each.text for each in answers]
            for number, each in zip(numbers, answers, strict=True):
                assert _description(number).items() <= each.json().items()
            stands = requests.get(told["registration_client_uri"], headers=headers, timeout=20).json()
            assert _without(stands) in [_without(each.json()) for each in answers]


def _without(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in NEVER_REPEATED}
