"""The tables of the roll-ups: sums by series and day, and histograms of deliveries."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table

from surefoot.records.units import DIMENSIONS
from surefoot.store.columns import SERIAL, integer, metadata, text


def _place() -> tuple[Column[int], ...]:
    """The key of a roll-up: a series, a UTC day since the epoch, and a shard, so that replicas rarely wait for each other."""
    names = ("series", "day", "shard")
    return tuple(Column(name, BigInteger, primary_key=True, autoincrement=False, nullable=False) for name in names)


series = Table(
    "series",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    *(text(name) for name in DIMENSIONS),
    Index("series_values", *DIMENSIONS, unique=True),
)

daily_costs = Table(
    "daily_costs",
    metadata,
    *_place(),
    integer("entries"),
    integer("quantity"),
    integer("nanodollars"),
    integer("estimated_nanodollars"),
    sqlite_with_rowid=False,
)

daily_requests = Table(
    "daily_requests",
    metadata,
    *_place(),
    integer("requests"),
    integer("earnings"),
    integer("revenue_nanodollars"),
    integer("baseline_requests"),
    integer("baseline_nanodollars"),
    integer("compared_nanodollars"),
    sqlite_with_rowid=False,
)

histograms = Table(
    "histograms",
    metadata,
    text("feature", key=True),
    Column("step_seconds", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),  # steps since the epoch
    text("tenant", key=True),  # "" in hours
    text("measure", key=True),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("shard", BigInteger, primary_key=True, autoincrement=False),
    integer("answers"),
    sqlite_with_rowid=False,
)
