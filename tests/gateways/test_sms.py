"""Sending SMS: what arrives, and that it arrives once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug import Request, Response

from idp.gateways import GatewayRefused, GatewayUnavailable, SmsSender
from sandbox.serving import Server
from tests.gateways.world import World, gateways_to
from tests.support import fictional

PHONE = fictional.mobile()
PARAMS: dict[str, str | int] = {"code": "402913", "purpose": "unit_registration", "minutes": 5}


def send(sender: SmsSender, message_id: str = "m-1", **change: str) -> None:
    sender.send(message_id, PHONE, "verification_code", PARAMS | change)


def test_the_text_arrives_with_signature_code_and_purpose(world: World) -> None:
    send(world.gateways.sms)
    listed = world.sms.get("/sms/messages", params={"phone": PHONE}).json()
    text = "【经办】您正在办理单位注册，验证码402913，5分钟内有效。验证码请勿告诉他人，非本人操作请忽略。"
    assert [(message["text"], message["code"]) for message in listed] == [(text, "402913")]


def test_template_and_parameters_go_out_too() -> None:
    """Real providers fill an approved template themselves; they take values as strings."""
    bodies: list[bytes] = []

    @Request.application
    def provider(request: Request) -> Response:
        bodies.append(request.get_data())
        return Response('{"message_id": "m-1", "status": "accepted"}', content_type="application/json; charset=utf-8")

    with Server(provider) as server:
        send(sender_to(server.url))
    body = json.loads(bodies[0])
    assert body["template"] == "verification_code"
    assert body["params"] == {"code": "402913", "purpose": "单位注册", "minutes": "5"}


def sender_to(url: str, key: str = "key") -> SmsSender:
    return gateways_to(sms_url=url, sms_key=key).sms


def test_a_message_sent_from_many_threads_arrives_once(world: World) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: send(world.gateways.sms), range(48)))
    listed = world.sms.get("/sms/messages").json()
    assert [(message["message_id"], message["deliveries"]) for message in listed] == [("m-1", 48)]


def test_a_retry_after_a_lost_answer_does_not_double(world: World) -> None:
    world.sms.fault("slow", seconds=20)
    with pytest.raises(GatewayUnavailable):
        send(world.gateways.sms)
    world.sms.fault("none")
    send(world.gateways.sms)
    listed = world.sms.get("/sms/messages").json()
    assert [(message["message_id"], message["deliveries"]) for message in listed] == [("m-1", 2)]


def test_an_id_used_for_another_message_is_refused(world: World) -> None:
    send(world.gateways.sms)
    with pytest.raises(GatewayRefused) as caught:
        send(world.gateways.sms, code="111111")
    assert caught.value.reason == "message_id_reused"


def test_a_wrong_key_is_a_matter_of_ours_and_may_be_retried(world: World) -> None:
    with pytest.raises(GatewayUnavailable) as caught:
        send(sender_to(world.sms.url, key="wrong"))
    assert caught.value.reason == "credentials"


@pytest.mark.parametrize(
    "answer",
    [b"{}", b'{"message_id": "m-2", "status": "accepted"}', b'{"message_id": "m-1", "status": "queued?"}', b"[]"],
)
def test_only_an_acknowledgement_of_this_message_counts(answer: bytes) -> None:
    provider = Response(answer, content_type="application/json")
    with Server(provider) as server, pytest.raises(GatewayUnavailable) as caught:
        send(sender_to(server.url))
    assert caught.value.reason == "bad_answer"


def test_a_mistaken_template_sends_nothing(world: World) -> None:
    with pytest.raises(ValueError, match="takes"):
        world.gateways.sms.send("m-1", PHONE, "verification_code", {"code": "402913"})
    assert world.sms.get("/sms/messages").json() == []
