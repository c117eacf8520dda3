"""Fixtures for the journeys."""

import pytest
from flask import Flask, g


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
