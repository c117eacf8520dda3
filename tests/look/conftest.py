"""The design catalogue as a running server."""

import sys
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.look.catalogue import create_app
from tests.support.ports import free_port
from tests.support.processes import spawn


@pytest.fixture(scope="session")
def catalogue() -> Iterator[str]:
    """Base address of the catalogue, in a process of its own: a browser that hangs up is not this one's trouble."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with spawn([sys.executable, "-m", "tests.look.catalogue", str(port)], health=f"{address}/"):
        yield address


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    """The catalogue without a browser."""
    return create_app().test_client()
