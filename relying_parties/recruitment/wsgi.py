"""Entry point for WSGI servers: granian by `python -m relying_parties.recruitment`, or gunicorn."""

from flask import Flask

from relying_parties.recruitment.app import create_app
from relying_parties.shared import serving


def application() -> Flask:
    """Build the portal from the settings in the environment."""
    return serving.build("recruitment", create_app)
