"""Entry point for WSGI servers: granian by `python -m relying_parties.recruitment`, or gunicorn."""

import logging

from flask import Flask

from relying_parties.recruitment.app import create_app
from relying_parties.recruitment.settings import Settings


def application() -> Flask:
    """Build the portal from the settings in the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    return create_app(Settings.from_environment())
