"""Choosing a store by how the configuration names its database."""

from __future__ import annotations

from surefoot.store import Store
from surefoot.store.memory import MemoryStore
from surefoot.store.postgres import PostgresStore
from surefoot.store.sqlite import SqliteStore


def open_store(database: str, *, durability: str = "acknowledged", key_file: str | bytes = "surefoot.key") -> Store:
    """A store that is not started yet.

    Args:
        database: "memory", "postgresql://user@host/name", or a path for SQLite.
        durability: "acknowledged" (durable before a commit is done) or "batched" (soon after).
        key_file: the master key's file, "env:NAME", or the key itself; "memory" needs none.
    Raises: StoreError when the durability is unknown. Whatever is wrong with the database shows at `start`.
    """
    if database == "memory":
        return MemoryStore()
    if database.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        return PostgresStore(database, durability=durability, key=key_file)
    return SqliteStore(database, durability=durability, key=key_file)
