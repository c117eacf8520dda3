"""Fixtures for the journeys."""

from collections.abc import Iterator

import pytest
from flask import Flask, g
from werkzeug import Response

from sandbox.serving import Server


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application, whose requests know nothing of each other.

    Inside the test's own application context they would share `g`, and with it who is signed in.
    """

    def forget() -> None:
        for name in list(g):
            g.pop(name)

    app.before_request_funcs.setdefault(None, []).insert(0, forget)
    return app


@pytest.fixture
def callback() -> Iterator[str]:
    """Where a portal waits for a browser. It says that it was reached, and nothing else."""
    with Server(Response("at the portal")) as portal:
        yield f"{portal.url}/callback"
