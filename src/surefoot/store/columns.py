"""What the tables are made of: the columns' kinds, and the one `metadata` that all tables are in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Text

metadata = MetaData()

SERIAL = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER is an alias of SQLite's row id


def text(name: str, *, key: bool = False) -> Column[str]:
    """A column of text."""
    return Column(name, Text, primary_key=key, nullable=False)


def integer(name: str, *, null: bool = False) -> Column[int]:
    """A column of whole numbers, 64 bits."""
    return Column(name, BigInteger, nullable=null)


def octets(name: str, *, null: bool = False) -> Column[bytes]:
    """A column of bytes."""
    return Column(name, LargeBinary, nullable=null)
