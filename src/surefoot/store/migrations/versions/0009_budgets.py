"""Keys learn budgets over all features; warnings that a budget nears its end, and what each minute was granted to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, then the tables."""
    op.add_column("keys", sa.Column("budgets", sa.Text, nullable=False, server_default="[]"))
    op.create_table(
        "budget_warnings",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("scope", "window")),
        *_ints("limit_nanodollars", "level_ppm", "at_ns", "spent", "told_at_ns", "attempts", "due_at_ns"),
        sa.PrimaryKeyConstraint("scope", "window", "limit_nanodollars", "level_ppm"),
    )
    op.create_index("budget_warnings_due", "budget_warnings", ["told_at_ns", "due_at_ns"])
    op.create_table(
        "rates",
        sa.Column("scope", sa.Text, nullable=False),
        *_ints("minute", "requests", "tokens"),
        sa.PrimaryKeyConstraint("scope", "minute"),
    )


def downgrade() -> None:
    """Drop the tables, then the column."""
    op.drop_table("rates")
    op.drop_table("budget_warnings")
    op.drop_column("keys", "budgets")


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False) for name in names]
