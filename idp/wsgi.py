"""Entry point for WSGI servers: granian by `jingban serve`, or `gunicorn "idp.wsgi:application()"`."""

import gc

from flask import Flask

from idp.app import create_app
from idp.settings import Settings

NEW_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS = 10_000, 20, 50
"""When Python looks for cycles among new objects, and how often among older ones (`gc.set_threshold`).

Python's own 700 is met by every page, and what a request makes goes without it: it has hardly any cycles.
"""


def application() -> Flask:
    """Build the provider from the settings in the environment."""
    app = create_app(Settings())
    gc.collect()
    gc.freeze()  # modules, tables and routes stay as long as the process: they need not be looked through again
    gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
    return app
