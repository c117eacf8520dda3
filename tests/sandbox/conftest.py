"""One stand-in per test, served for real on a free port."""

from collections.abc import Iterator

import pytest

from sandbox import company_register, face_check, province, sms_gateway, unionpay
from sandbox.serving import Server
from tests.sandbox.client import KEY, Client
from tests.sandbox.province import SEED


@pytest.fixture
def sms() -> Iterator[Client]:
    with Server(sms_gateway.create_app(KEY)) as server:
        yield Client(server.url)


@pytest.fixture
def bank() -> Iterator[Client]:
    with Server(unionpay.create_app(KEY)) as server:
        yield Client(server.url)


@pytest.fixture
def register() -> Iterator[Client]:
    with Server(company_register.create_app(KEY)) as server:
        yield Client(server.url)


@pytest.fixture
def upstream() -> Iterator[Client]:
    """The province, with the accounts of `tests.sandbox.province`."""
    with Server(province.create_app(KEY, SEED)) as server:
        yield Client(server.url)


@pytest.fixture
def social_card() -> Iterator[Client]:
    """电子社保卡, with the persons of `tests.sandbox.province`."""
    with Server(province.create_social_card(KEY, {"persons": SEED["persons"]})) as server:
        yield Client(server.url)


@pytest.fixture
def face() -> Iterator[Client]:
    with Server(face_check.create_app(KEY)) as server:
        yield Client(server.url)
