"""Brings the database to the newest structure (`migrations/`).

Only who migrates imports this: Alembic is a quarter of what a process loads, and a server needs none of it.
"""

import flask_migrate
from flask import current_app

from idp import paths
from idp.store.db import db


def upgrade() -> None:
    """Migrate the database of the current application."""
    flask_migrate.Migrate(current_app, db, directory=str(paths.migrations()))
    flask_migrate.upgrade()
