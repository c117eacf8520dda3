"""The error modes: each on each stand-in, switched while it runs."""

import time

import pytest
import requests

from sandbox.faults import MODES, Fault, Faults
from tests.sandbox.client import Client
from tests.sandbox.province import PERSON
from tests.sandbox.test_company_register import ENTRY, USCC
from tests.sandbox.test_face_check import FACE
from tests.sandbox.test_sms_gateway import MESSAGE
from tests.sandbox.test_unionpay import CARD

REFUSALS = {
    "sms": "number_blocked",
    "bank": "query_not_permitted",
    "register": "query_not_permitted",
    "upstream": "query_not_permitted",
    "face": "query_not_permitted",
}


@pytest.fixture(params=list(REFUSALS))
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def client(request: pytest.FixtureRequest, name: str) -> Client:
    found: Client = request.getfixturevalue(name)
    return found


def ask(client: Client, name: str) -> requests.Response:
    """Do with the stand-in what the provider does."""
    if name == "sms":
        return client.post("/sms/send", MESSAGE)
    if name == "bank":
        return client.post("/unionpay/verify", CARD)
    if name == "upstream":
        return client.get("/sso/oauth2/tokeninfo", params={"access_token": "unknown"})
    if name == "face":
        return client.post("/face/sessions", FACE)
    client.put(f"/companies/{USCC}", ENTRY)
    return client.get(f"/companies/{USCC}")


def test_none_is_the_mode_of_a_new_stand_in(client: Client, name: str) -> None:
    assert client.get("/faults", key=None).json() == {"mode": "none", "seconds": 10}
    assert ask(client, name).ok


def test_refuse_is_well_formed(client: Client, name: str) -> None:
    assert client.fault("refuse").json()["mode"] == "refuse"
    answer = ask(client, name)
    assert (answer.status_code, answer.json()) == (422, {"error": "refused", "reason": REFUSALS[name]})


def test_down_closes_the_connection_without_a_byte(client: Client, name: str) -> None:
    client.fault("down")
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        ask(client, name)
    assert time.monotonic() - started < 2


def test_error_is_500(client: Client, name: str) -> None:
    client.fault("error")
    assert ask(client, name).status_code == 500


def test_garbage_is_a_page_with_200(client: Client, name: str) -> None:
    client.fault("garbage")
    answer = ask(client, name)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_slow_answers_rightly_but_late(client: Client, name: str) -> None:
    client.fault("slow", seconds=0.4)
    started = time.monotonic()
    assert ask(client, name).ok
    assert 0.4 <= time.monotonic() - started < 3


def test_slow_does_its_work_before_it_waits(sms: Client) -> None:
    """So that a caller that gave up has sent all the same, as it happens with real gateways."""
    sms.fault("slow", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{sms.url}/sms/send",
            json=MESSAGE,
            headers={"X-API-Key": "key-of-the-tests"},
            timeout=0.5,
            proxies={"http": ""},
        )
    assert len(sms.get("/sms/messages").json()) == 1


@pytest.mark.parametrize("mode", ["refuse", "down", "error", "garbage"])
def test_a_struck_message_does_not_arrive(sms: Client, mode: str) -> None:
    sms.fault(mode)
    try:
        sms.post("/sms/send", MESSAGE)
    except requests.ConnectionError:
        assert mode == "down"
    assert sms.get("/sms/messages").json() == []


@pytest.mark.parametrize("mode", MODES)
def test_what_is_ours_works_in_every_mode(client: Client, name: str, mode: str) -> None:
    """Health, faults, the inbox and seeding belong to the stand-in, not to the system that it stands for."""
    client.fault(mode)
    assert client.get("/health", key=None).json() == {"status": "ok"}
    assert client.get("/faults", key=None).json()["mode"] == mode
    ours = {
        "sms": lambda: client.get("/").status_code == client.get("/sms/messages").status_code == 200,
        "bank": lambda: client.post("/unionpay/cards", CARD).status_code == 201,
        "register": lambda: client.put(f"/companies/{USCC}", ENTRY).status_code == 201,
        "upstream": lambda: client.put("/persons/p-0001", PERSON).status_code == client.get("/").status_code == 200,
        "face": lambda: True,
    }
    assert ours[name]()
    client.fault("none")
    assert ask(client, name).ok


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "mode"),
        ({"mode": "broken"}, "mode"),
        ({"mode": 5}, "mode"),
        ({"mode": "slow", "seconds": -1}, "seconds"),
        ({"mode": "slow", "seconds": 301}, "seconds"),
        ({"mode": "slow", "seconds": "5"}, "seconds"),
        ({"mode": "slow", "seconds": True}, "seconds"),
    ],
)
def test_a_mode_that_is_none_changes_nothing(sms: Client, body: dict[str, object], reason: str) -> None:
    sms.fault("error")
    answer = sms.post("/faults", body, key=None)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request", "reason": reason})
    assert sms.get("/faults").json()["mode"] == "error"


def test_a_mode_of_one_stand_in_is_none_of_anothers(sms: Client, upstream: Client) -> None:
    assert upstream.fault("unknown_level").status_code == 200
    assert sms.fault("unknown_level").json() == {"error": "invalid_request", "reason": "mode"}


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_seconds_are_a_real_number(seconds: float) -> None:
    faults = Faults("number_blocked")
    with pytest.raises(ValueError, match="seconds"):
        faults.change("slow", seconds)
    assert faults.current == Fault()
