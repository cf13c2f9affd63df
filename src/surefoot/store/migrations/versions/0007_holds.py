"""Webhooks' addresses are sealed, the log of calls cannot be replaced, and legal holds keep what a subject said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NO_REPLACE = ("hook_attempts", "holds")  # see 0006


def upgrade() -> None:
    """Add columns and a table, then the triggers. Addresses in clear are sealed when the store is opened: that takes a key."""
    op.add_column("hooks", sa.Column("subject", sa.Text, nullable=False, server_default=""))
    op.add_column("hooks", sa.Column("generation", sa.BigInteger, nullable=True))
    op.add_column("hooks", sa.Column("sealed", sa.LargeBinary, nullable=True))
    op.execute("UPDATE cases SET webhook = '' WHERE webhook <> ''")
    op.create_table(
        "holds",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("subject", "verb", "by", "reason")),
    )
    op.create_index("holds_subject", "holds", ["subject"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Refused: a legal hold is not dropped by a command."""
    raise NotImplementedError("legal holds are not dropped; restore a backup instead")


def _guard_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER holds_no_{verb.lower()} BEFORE {verb} ON holds "
            "BEGIN SELECT RAISE(ABORT, 'holds is append-only'); END"
        )
    for table in _NO_REPLACE:
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _guard_postgres() -> None:
    op.execute(
        "CREATE TRIGGER holds_no_change BEFORE UPDATE OR DELETE ON holds "
        "FOR EACH ROW EXECUTE FUNCTION surefoot_append_only()"
    )
    op.execute(
        "CREATE TRIGGER holds_no_truncate BEFORE TRUNCATE ON holds "
        "FOR EACH STATEMENT EXECUTE FUNCTION surefoot_append_only()"
    )
