"""How Alembic runs our migrations: inside the application, in one transaction, on SQLite by table copies."""

from alembic import context
from flask import current_app

from idp.tables import metadata


def run() -> None:
    """Migrate the database that the application is set to use."""
    engine = current_app.extensions["sqlalchemy"].engine
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata(),
            render_as_batch=True,
            compare_type=True,
            transaction_per_migration=True,
            render_item=_render_item,
        )
        with context.begin_transaction():
            context.run_migrations()


def _render_item(kind, item, autogen_context):
    """Write our column types as what they are in the database, so that a migration never imports the application."""
    plain = {"Instant": "sa.BigInteger()", "EncryptedText": "sa.LargeBinary()", "JsonText": "sa.Text()"}
    if kind == "type":
        return plain.get(type(item).__name__, False)
    return False


run()
