"""Building the gateways from settings: nothing is silently pretended, nothing personal goes out in clear."""

from collections.abc import Callable

import pytest

from idp.gateways import Gateways, GatewayUnavailable, build_gateways
from tests.gateways.test_sandbox_faults import PERSON
from tests.gateways.world import NOWHERE, gateways_to
from tests.support import fictional

USES: dict[str, Callable[[Gateways], object]] = {
    "sms": lambda gateways: gateways.sms.send(
        "m-1", fictional.mobile(), "verification_code", {"code": "1", "purpose": "sign_in", "minutes": 5}
    ),
    "unionpay": lambda gateways: gateways.unionpay.verify(**PERSON),
    "company_register": lambda gateways: gateways.company_register.look_up(fictional.uscc()),
    "face_check": lambda gateways: gateways.face_check.result("0123456789"),
}


@pytest.mark.parametrize("gateway", list(USES))
def test_a_gateway_without_an_address_says_which_one_it_is(gateway: str) -> None:
    with pytest.raises(GatewayUnavailable) as caught:
        USES[gateway](gateways_to())
    assert caught.value.facts == {"gateway": gateway, "reason": "not_configured"}


@pytest.mark.parametrize("gateway", list(USES))
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://sms.example.cn", "must be https"),
        ("http://10.0.0.8:9000", "must be https"),
        ("http://127.0.0.1.example.cn", "must be https"),
        ("ftp://127.0.0.1", "must be http"),
        ("127.0.0.1:8000", "must be http"),
        ("https://", "must be http"),
        ("https://example.cn/?key=1", "without query"),
        ("https://example.cn/#x", "without query"),
        ("https://user:secret@example.cn", "credentials"),
    ],
)
def test_an_address_that_cannot_be_used_stops_the_start(gateway: str, url: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{gateway}: .*{said}") as caught:
        build_gateways(**(NOWHERE | {f"{gateway}_url": url}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://sms.example.cn/api/", "http://localhost:9", "http://[::1]:9"])
def test_https_anywhere_and_http_on_this_machine_are_taken(url: str) -> None:
    gateways_to(sms_url=url, sms_key="key")


@pytest.mark.parametrize("key", ["schlüssel", "line\nbreak"])
def test_a_key_that_no_header_can_carry_stops_the_start(key: str) -> None:
    with pytest.raises(ValueError, match=r"^sms: the key") as caught:
        gateways_to(sms_url="https://sms.example.cn", sms_key=key)
    assert key not in str(caught.value)
