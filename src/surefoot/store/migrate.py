"""Bringing a database up to date. Alembic is only imported when there is something to do: start-up stays quick."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, inspect, text

from surefoot.errors import StoreError
from surefoot.store.schema import HEAD


def version(connection: Connection) -> str | None:
    """The migration that the database is at; None when it has none of our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def migrate(connection: Connection, lock: Callable[[Connection], None]) -> bool:
    """Bring the database to HEAD within the connection's open transaction; returns whether anything had to be done.

    Args:
        connection: in a transaction that the caller commits.
        lock: keeps other processes from migrating at the same time, until the transaction ends.
    Raises: StoreError when the database was written by a newer program.
    """
    if version(connection) == HEAD:
        return False
    lock(connection)
    current = version(connection)  # another process may have been first
    if current is not None and current > HEAD:
        raise StoreError(f"the database is at schema {current}, this program knows {HEAD}: use the newer program")
    if current != HEAD:
        _upgrade(connection)
    return current != HEAD


def _upgrade(connection: Connection) -> None:
    from alembic import command  # start-up time: 0.2 s that an up-to-date database need not pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "surefoot.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
