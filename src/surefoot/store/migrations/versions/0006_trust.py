"""The audit trail and the stops of features, append-only; case events, labels and promotions are vouched for by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_APPEND_ONLY = ("audit_events", "stops")

# SQLite's INSERT OR REPLACE deletes the old row without asking its DELETE trigger. Where a taken id is taken for "known
# already" the new row is left out, as it would be anyway.
_NO_REPLACE = (
    ("journal", "chain = NEW.chain AND position = NEW.position OR request_id = NEW.request_id", "ABORT"),
    ("ledger", "id = NEW.id", "ABORT"),
    ("case_events", "id = NEW.id", "ABORT"),
    ("labels", "id = NEW.id", "IGNORE"),
    ("revisions", "number = NEW.number", "ABORT"),
    ("promotions", "id = NEW.id", "ABORT"),
    ("incidents", "id = NEW.id", "IGNORE"),
    ("audit_events", "chain = NEW.chain AND position = NEW.position", "ABORT"),
    ("stops", "id = NEW.id", "ABORT"),
)


def upgrade() -> None:
    """Make the tables, then the triggers."""
    op.create_table(
        "audit_events",
        *_texts("chain"),
        sa.Column("position", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *_texts("kind", "by", "on"),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("body", "prev_hash", "hash")),
        sa.PrimaryKeyConstraint("chain", "position"),
    )
    op.create_index("audit_events_time", "audit_events", ["at_ns"])
    op.create_index("audit_events_on", "audit_events", ["on"])
    op.create_table(
        "stops",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *_texts("feature", "verb", "by", "reason"),
        sa.Column("refuse", sa.Boolean, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Refused: an audit trail is not dropped by a command."""
    raise NotImplementedError("the audit trail is not dropped; restore a backup instead")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _guard_sqlite() -> None:
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    for table, same, what in _NO_REPLACE:
        raised = "RAISE(IGNORE)" if what == "IGNORE" else f"RAISE(ABORT, '{table} is append-only')"
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN SELECT {raised}; END"
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
