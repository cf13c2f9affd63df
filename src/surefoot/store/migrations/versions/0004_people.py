"""Accounts, sessions, one-time links and failed attempts to log in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. None is append-only: what people did is in the audit trail."""
    op.create_table(
        "accounts",
        *_texts("name", "shown", "role", "password"),
        *_times("created_at_ns"),
        sa.Column("disabled_at_ns", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sa.CheckConstraint("name = lower(name)", name="accounts_name_lower"),
    )
    op.create_table(
        "sessions",
        *_texts("id", "account"),
        *_times("opened_at_ns", "seen_at_ns"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_account", "sessions", ["account"])
    op.create_table(
        "links",
        *_texts("id", "purpose", "account"),
        *_times("expires_at_ns"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "knocks",
        *_texts("door"),
        *_times("failures", "until_ns", "last_ns"),
        sa.PrimaryKeyConstraint("door"),
    )


def downgrade() -> None:
    """Refused: a person's account is disabled, never dropped."""
    raise NotImplementedError("accounts are not dropped; restore a backup instead")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
