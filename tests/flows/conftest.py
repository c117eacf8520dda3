"""Fixtures for the journeys."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug import Response

from sandbox.serving import Server
from tests.flows.inside import forgetful


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application, whose requests know nothing of each other."""
    return forgetful(app)


@pytest.fixture
def callback() -> Iterator[str]:
    """Where a portal waits for a browser. It says that it was reached, and nothing else."""
    with Server(Response("at the portal")) as portal:
        yield f"{portal.url}/callback"
