"""The ledger is looked up by time: the bill reads its hours, the watch over spend every two minutes."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ledger_time", "ledger", ["at_ns"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ledger_time", "ledger")
