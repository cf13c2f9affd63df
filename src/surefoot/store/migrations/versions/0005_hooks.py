"""Webhooks: who is to be called about which case, and the log of calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_LOG = "hook_attempts"


def upgrade() -> None:
    """Make the tables, then the log's triggers."""
    op.create_table(
        "hooks",
        *_texts("id", "case_id", "tenant", "feature", "url"),
        *_numbers("at_ns"),
        *_texts("state"),
        *_numbers("attempts", "due_at_ns", "fence", "leased_until_ns"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hooks_due", "hooks", ["state", "due_at_ns"])
    op.create_index("hooks_case", "hooks", ["case_id"])
    op.create_table(
        _LOG,
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True, nullable=False),
        *_texts("hook_id"),
        *_numbers("at_ns", "number"),
        *_texts("outcome"),
        sa.Column("status", sa.BigInteger, nullable=True),
        *_texts("detail"),
        *_numbers("milliseconds"),
    )
    op.create_index("hook_attempts_hook", _LOG, ["hook_id"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Refused: the log says who was told what."""
    raise NotImplementedError("the log of calls is not dropped; restore a backup instead")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _guard_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {_LOG}_no_{verb.lower()} BEFORE {verb} ON {_LOG} "
            f"BEGIN SELECT RAISE(ABORT, '{_LOG} is append-only'); END"
        )


def _guard_postgres() -> None:
    op.execute(
        f"CREATE TRIGGER {_LOG}_no_change BEFORE UPDATE OR DELETE ON {_LOG} "
        "FOR EACH ROW EXECUTE FUNCTION surefoot_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER {_LOG}_no_truncate BEFORE TRUNCATE ON {_LOG} "
        "FOR EACH STATEMENT EXECUTE FUNCTION surefoot_append_only()"
    )
