"""The check of a face (U18): begun, decided on the phone, and answers that are none."""

import json
from urllib.parse import urlsplit

import pytest
from werkzeug import Response

from idp.gateways import FaceResult, FaceState, GatewayUnavailable
from sandbox.serving import Server
from tests.gateways.world import World, gateways_to
from tests.support import fictional

PERSON = {"name": fictional.person_name(), "document_number": fictional.resident_id(), "purpose": "稳岗返还"}


def test_a_check_is_followed_to_its_end(world: World) -> None:
    begun = world.gateways.face_check.begin(**PERSON)
    assert world.gateways.face_check.result(begun.id) == FaceResult(FaceState.PENDING, None)
    world.face_check.request("POST", urlsplit(begun.url).path, None, data={"result": "passed"})
    result = world.gateways.face_check.result(begun.id)
    assert result.state is FaceState.PASSED
    assert result.reference
    assert begun.url not in repr(begun)  # whoever opens it takes the check


@pytest.mark.parametrize("check_id", ["unknown-check", "", "../faults", "a/b"])
def test_a_check_that_nobody_knows_has_expired(world: World, check_id: str) -> None:
    assert world.gateways.face_check.result(check_id) == FaceResult(FaceState.EXPIRED, None)


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "0123456789", "url": "http://elsewhere.example/check"},
        {"id": "0123456789", "url": "javascript:alert(1)"},
        {"id": "0123456789"},
        {"id": "x", "url": "https://face.example/check"},
        {"state": "probably", "reference": "r1"},
        {"state": "passed"},
        {"state": "passed", "reference": None},
    ],
)
def test_an_unreadable_answer_is_no_verdict(answer: dict[str, object]) -> None:
    there = Response(json.dumps(answer), content_type="application/json")
    with Server(there) as server:
        gateway = gateways_to(face_check_url=server.url).face_check
        with pytest.raises(GatewayUnavailable, match="gateway_unavailable"):
            gateway.result("0123456789") if "state" in answer else gateway.begin(**PERSON)
