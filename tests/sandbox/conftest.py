"""One stand-in per test, served for real on a free port."""

from collections.abc import Iterator

import pytest

from sandbox import company_register, sms_gateway, unionpay
from sandbox.serving import Server
from tests.sandbox.client import KEY, Client


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
