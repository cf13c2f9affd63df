"""Cached answers learn which near questions they may be given to; proposals, their verdicts, accounts and maps are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, then the tables. Answers that are cached already serve their own question only."""
    for name in ("context", "answer"):
        op.add_column("cache", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("cache", sa.Column("near", sa.LargeBinary, nullable=True))
    op.create_index("cache_answer", "cache", ["tenant", "feature", "answer"])
    op.create_table(
        "near_proposals",
        *_texts("request_id"),
        *_ints("at_ns"),
        *_texts("tenant", "feature", "answer", "item", "inputs"),
        sa.Column("p", sa.Double, nullable=True),
        *_texts("action"),
        sa.Column("vetoed", sa.Boolean, nullable=False),
        sa.Column("right", sa.Boolean, nullable=True),
        *_texts("source"),
        *_ints("judged_at_ns", "nanodollars"),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index("near_proposals_time", "near_proposals", ["feature", "at_ns"])
    op.create_index("near_proposals_judged", "near_proposals", ["feature", "judged_at_ns"])
    op.create_table(
        "near_accounts",
        *_texts("feature"),
        *_ints("requests", "hits", "explored", "seen_wrong", "pending"),
        sa.PrimaryKeyConstraint("feature"),
    )
    op.create_table(
        "near_maps",
        *_texts("feature"),
        sa.Column("labels", sa.BigInteger, nullable=False, autoincrement=False),
        *_ints("at_ns"),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("feature", "labels"),
    )


def downgrade() -> None:
    """Drop the tables, then the columns."""
    for name in ("near_maps", "near_accounts", "near_proposals"):
        op.drop_table(name)
    op.drop_index("cache_answer", "cache")
    for name in ("near", "answer", "context"):
        op.drop_column("cache", name)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
