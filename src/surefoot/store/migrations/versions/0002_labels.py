"""Labels, revisions of what they taught, promotions and incidents; cases learn their kind, keys their scopes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_APPEND_ONLY = ("labels", "revisions", "promotions", "incidents")


def upgrade() -> None:
    """Make the tables, then the triggers."""
    _columns()
    _labels()
    _learned()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Refused: labels certify promises, and a certificate's ground is not dropped by a command."""
    raise NotImplementedError("labels are not dropped; restore a backup instead")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _columns() -> None:
    op.add_column("cases", sa.Column("kind", sa.Text, nullable=False, server_default="question"))
    op.add_column("cases", sa.Column("rung", sa.Text, nullable=False, server_default=""))
    op.add_column("cases", sa.Column("propensity", sa.Double, nullable=True))
    op.add_column("keys", sa.Column("scopes", sa.Text, nullable=False, server_default="[]"))


def _labels() -> None:
    op.create_table(
        "labels",
        *_texts("id", "request_id"),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *_texts("tenant", "feature", "rung", "edition", "verdict", "source", "grouped"),
        sa.Column("propensity", sa.Double, nullable=True),
        *_texts("reason", "by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("labels_feature", "labels", ["feature", "at_ns"])
    op.create_index("labels_request", "labels", ["request_id"])


def _learned() -> None:
    op.create_table(
        "revisions",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *_texts("note"),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "promotions",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "incidents",
        *_texts("id"),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *_texts("feature", "rung", "kind", "detail"),
        sa.PrimaryKeyConstraint("id"),
    )


def _guard_sqlite() -> None:
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guard_postgres() -> None:
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION surefoot_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION surefoot_append_only()"
        )
