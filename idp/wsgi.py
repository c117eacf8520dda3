"""Entry point for WSGI servers: granian by `jingban serve`, or `gunicorn "idp.wsgi:application()"`."""

from flask import Flask

from idp.app import create_app
from idp.settings import Settings


def application() -> Flask:
    """Build the provider from the settings in the environment."""
    return create_app(Settings())
