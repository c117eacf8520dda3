"""Entry point for WSGI servers: granian by `python -m relying_parties.service_hall`, or gunicorn."""

from flask import Flask

from relying_parties.service_hall.app import create_app
from relying_parties.shared import serving


def application() -> Flask:
    """Build the portal from the settings in the environment."""
    return serving.build("service_hall", create_app)
