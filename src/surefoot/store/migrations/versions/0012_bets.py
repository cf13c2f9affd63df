"""Events of bets, append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its triggers."""
    op.create_table(
        "bet_events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True, nullable=False
        ),
        sa.Column("bet_id", sa.Text, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "by", "body")),
    )  # fmt: skip
    op.create_index("bet_events_bet", "bet_events", ["bet_id"])
    if op.get_bind().dialect.name == "postgresql":
        for verb, each in (("change BEFORE UPDATE OR DELETE", "ROW"), ("truncate BEFORE TRUNCATE", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER bet_events_no_{verb} ON bet_events FOR EACH {each} EXECUTE FUNCTION surefoot_append_only()"
            )
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER bet_events_no_{verb.lower()} BEFORE {verb} ON bet_events "
                "BEGIN SELECT RAISE(ABORT, 'bet_events is append-only'); END"
            )
        op.execute(
            "CREATE TRIGGER bet_events_no_replace BEFORE INSERT ON bet_events "
            "WHEN EXISTS (SELECT 1 FROM bet_events WHERE id = NEW.id) "
            "BEGIN SELECT RAISE(ABORT, 'bet_events is append-only'); END"
        )


def downgrade() -> None:
    """Refused: bets are a record of decisions."""
    raise NotImplementedError("bets are not dropped; restore a backup instead")
