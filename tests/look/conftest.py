"""The design catalogue as a running server."""

import threading
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from werkzeug.serving import make_server

from tests.look.catalogue import create_app
from tests.support.ports import free_port


@pytest.fixture(scope="session")
def catalogue() -> Iterator[str]:
    """Base address of the catalogue."""
    port = free_port()
    server = make_server("127.0.0.1", port, create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    """The catalogue without a browser."""
    return create_app().test_client()


@pytest.fixture
def still_page(new_page: Callable[..., Page]) -> Page:
    """A page without transitions, so that colours are what they will be."""
    return new_page(reduced_motion="reduce")
