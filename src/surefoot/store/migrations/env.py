"""Alembic's way in: it runs on the connection that `migrate` hands over, in that connection's transaction."""

from alembic import context
from sqlalchemy import Connection

from surefoot.store.schema import metadata


def run(connection: Connection) -> None:
    """Run the steps that are asked for."""
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
