"""The gateways against the sandbox, served for real, and servers that misbehave in ways the sandbox does not."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from sandbox import company_register, face_check, sms_gateway, unionpay
from sandbox.serving import Server
from tests.gateways.world import World, gateways_to
from tests.sandbox.client import Client

SMS_KEY, UNIONPAY_KEY, REGISTER_KEY, FACE_KEY = "sms-key", "unionpay-key", "register-key", "face-key"


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh sandbox, each system with a key of its own, asked with a short timeout."""
    with (
        Server(sms_gateway.create_app(SMS_KEY)) as sms,
        Server(unionpay.create_app(UNIONPAY_KEY)) as bank,
        Server(company_register.create_app(REGISTER_KEY)) as register,
        Server(face_check.create_app(FACE_KEY)) as face,
    ):
        gateways = gateways_to(
            sms_url=sms.url,
            sms_key=SMS_KEY,
            unionpay_url=bank.url,
            unionpay_key=UNIONPAY_KEY,
            company_register_url=register.url + "/",
            company_register_key=REGISTER_KEY,
            face_check_url=face.url,
            face_check_key=FACE_KEY,
        )
        yield World(Client(sms.url), Client(bank.url), Client(register.url), Client(face.url), gateways)


RawServer = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    """Return a function that serves connections with `answer`, which is given each socket, and returns the address.

    The request is read before; what `answer` leaves open is closed after it.
    """
    listeners: list[socket.socket] = []

    def serve(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        answer(connection)

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
