"""The SMS gateway's interface: what it takes, that it takes an id once, and what it lists."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.sms_gateway import create_app
from sandbox.sms_gateway.inbox import CAPACITY, Inbox, Message
from tests.sandbox.client import Client
from tests.support import fictional

PHONE = fictional.mobile()
MESSAGE: dict[str, object] = {
    "message_id": "m-1",
    "phone": PHONE,
    "template": "verification_code",
    "params": {"code": "402913", "purpose": "个人注册"},
    "text": "【经办】验证码402913",
}


def test_takes_a_message_and_lists_it(sms: Client) -> None:
    answer = sms.post("/sms/send", MESSAGE)
    assert (answer.status_code, answer.json()) == (200, {"message_id": "m-1", "status": "accepted", "deliveries": 1})
    listed = sms.get("/sms/messages", key=None).json()
    received_at = datetime.fromisoformat(listed[0].pop("received_at"))
    assert listed == [
        {
            "message_id": "m-1",
            "phone": PHONE,
            "template": "verification_code",
            "text": "【经办】验证码402913",
            "code": "402913",
            "deliveries": 1,
        }
    ]
    assert timedelta(0) <= datetime.now(UTC) - received_at < timedelta(minutes=1)


def test_a_message_without_a_code_lists_none(sms: Client) -> None:
    sms.post("/sms/send", MESSAGE | {"params": {}})
    assert "code" not in sms.get("/sms/messages").json()[0]


def test_a_message_without_text_shows_its_parameters(sms: Client) -> None:
    sms.post("/sms/send", {name: value for name, value in MESSAGE.items() if name != "text"})
    assert sms.get("/sms/messages").json()[0]["text"] == "verification_code: code=402913, purpose=个人注册"


def test_the_newest_stands_first_and_a_phone_is_found_in_any_spelling(sms: Client) -> None:
    for number, phone in enumerate(["+8613800138000", "13900139000", "13800138000", "+85251234567"]):
        assert sms.post("/sms/send", MESSAGE | {"message_id": f"m-{number}", "phone": phone}).status_code == 200

    def ids(phone: str) -> list[str]:
        listed = sms.get("/sms/messages", params={"phone": phone}).json()
        return [message["message_id"] for message in listed]

    assert ids("") == ["m-3", "m-2", "m-1", "m-0"]
    assert ids("13800138000") == ids("+8613800138000") == ids("138 0013 8000") == ["m-2", "m-0"]
    assert ids("+85251234567") == ["m-3"]
    assert ids("13700137000") == ids("nobody") == []


def test_an_unescaped_plus_in_the_address_finds_the_phone(sms: Client) -> None:
    sms.post("/sms/send", MESSAGE)
    assert len(sms.get(f"/sms/messages?phone={PHONE}").json()) == 1


def test_an_id_sent_in_parallel_arrives_once(sms: Client) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: sms.post("/sms/send", MESSAGE), range(48)))
    assert [answer.status_code for answer in answers] == [200] * 48
    assert sorted(answer.json()["deliveries"] for answer in answers) == list(range(1, 49))
    listed = sms.get("/sms/messages").json()
    assert [(message["message_id"], message["deliveries"]) for message in listed] == [("m-1", 48)]


def test_no_delivery_is_lost_when_threads_change_places_all_the_time() -> None:
    """Over HTTP threads seldom meet between reading and writing; here they do, so that the lock is proven."""
    inbox = Inbox()
    message = Message("m-1", PHONE, "verification_code", "text")
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: [inbox.receive(message) for _ in range(250)], range(8)))
    finally:
        sys.setswitchinterval(usual)
    assert [message.deliveries for message in inbox.messages()] == [2000]


def test_parallel_messages_are_all_kept(sms: Client) -> None:
    messages = [MESSAGE | {"message_id": f"m-{number}"} for number in range(48)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda message: sms.post("/sms/send", message), messages))
    listed = sms.get("/sms/messages").json()
    assert {message["message_id"] for message in listed} == {message["message_id"] for message in messages}
    assert {message["deliveries"] for message in listed} == {1}


@pytest.mark.parametrize("change", [{"phone": fictional.mobile(1)}, {"text": "another"}, {"template": "another"}])
def test_an_id_cannot_stand_for_two_messages(sms: Client, change: dict[str, object]) -> None:
    sms.post("/sms/send", MESSAGE)
    answer = sms.post("/sms/send", MESSAGE | change)
    assert (answer.status_code, answer.json()) == (409, {"error": "refused", "reason": "message_id_reused"})
    listed = sms.get("/sms/messages").json()
    assert [(message["text"], message["deliveries"]) for message in listed] == [(MESSAGE["text"], 1)]


def test_clearing_forgets_messages_and_ids(sms: Client) -> None:
    sms.post("/sms/send", MESSAGE)
    assert sms.request("DELETE", "/sms/messages", None).status_code == 204
    assert sms.get("/sms/messages").json() == []
    assert sms.post("/sms/send", MESSAGE | {"text": "another"}).json()["deliveries"] == 1


def test_the_inbox_bounds_itself() -> None:
    inbox = Inbox()
    for number in range(CAPACITY + 2):
        inbox.receive(Message(f"m-{number}", PHONE, "verification_code", "text"))
    kept = inbox.messages()
    assert (len(kept), kept[-1].message_id) == (CAPACITY, "m-2")


@pytest.mark.parametrize("key", [None, "", "wrong", "key-of-the-test", "k\xe9y"])
def test_senders_need_the_key(sms: Client, key: str | None) -> None:
    answer = sms.post("/sms/send", MESSAGE, key)
    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})
    assert sms.get("/sms/messages").json() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message_id", ""),
        ("message_id", "a b"),
        ("message_id", 7),
        ("phone", "138-0013"),
        ("phone", None),
        ("template", "Not A Code"),
        ("params", ["code"]),
        ("params", {"code": 402913}),
        ("text", ""),
        ("text", "x" * 1001),
        ("text", "nul\x00"),
    ],
)
def test_a_message_that_cannot_be_names_the_field(sms: Client, field: str, value: object) -> None:
    answer = sms.post("/sms/send", MESSAGE | {field: value})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request", "reason": field})
    assert sms.get("/sms/messages").json() == []


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"[]", 400, "invalid_request"),
        (b'{"params": {"code": "\\ud800"}}', 400, "invalid_request"),
        (b'{"text": ', 400, "bad_request"),
        (b'{"text": "' + b"x" * 70_000 + b'"}', 413, "request_entity_too_large"),
    ],
)
def test_a_body_that_is_no_object_of_text_is_refused(sms: Client, body: bytes, status: int, error: str) -> None:
    answer = sms.request("POST", "/sms/send", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_form_from_another_site_sends_nothing(sms: Client) -> None:
    """A browser may post a form to another site's server; only JSON counts here."""
    assert sms.request("POST", "/sms/send", data={"message_id": "m-1"}).status_code == 415
    assert sms.request("POST", "/faults", None, data='{"mode": "down"}').status_code == 415


def test_there_is_nothing_to_start_an_inbox_with() -> None:
    with pytest.raises(ValueError, match="takes no data"):
        create_app("key", [])
