"""Fixtures for the device flow: a browser and a device that share nothing but the database."""

import pytest
from flask import Flask

from tests.oidc.device.scene import Scene


@pytest.fixture
def scene(sqlite_app: Flask) -> Scene:
    """On SQLite, for what cannot depend on the database."""
    return Scene.set(sqlite_app)


@pytest.fixture
def either(app: Flask) -> Scene:
    """Once on SQLite and once on PostgreSQL."""
    return Scene.set(app)
