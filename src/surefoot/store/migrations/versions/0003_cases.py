"""Cases are claimed, answered and delivered: leases, fences, deadlines, ranks; events say who, and in which state they left it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and what the queue is read by. A case that waits keeps its place: by its age."""
    for column in _case_columns():
        op.add_column("cases", column)
    for column in _event_columns():
        op.add_column("case_events", column)
    op.execute("UPDATE cases SET rank_ns = opened_at_ns")
    op.create_index("cases_queue", "cases", ["state", "rank_ns", "id", "role", "snoozed_until_ns"])
    op.create_index("cases_question", "cases", ["fingerprint"])
    op.create_index("cases_request", "cases", ["request_id"])
    op.create_index("cases_subject", "cases", ["subject"])
    op.create_index("cases_over", "cases", ["state", "delivered_at_ns", "deadline_ns"])


def downgrade() -> None:
    """Refused: what people answered is not dropped by a command."""
    raise NotImplementedError("answers are not dropped; restore a backup instead")


def _case_columns() -> list[sa.Column[object]]:
    return [
        *(_number(name) for name in ("risk", "weight")),
        *(_flag(name) for name in ("red_flag", "two_persons")),
        *(_text(name) for name in ("wait", "webhook")),
        *(_time(name) for name in ("rank_ns", "due_at_ns", "deadline_ns", "fence")),
        _text("claimed_by"),
        *(_time(name) for name in ("lease_until_ns", "lease_ns", "snoozed_until_ns")),
        *(_sealed(name) for name in ("autosave", "note")),
        _text("verb"),
        _flag("general"),
        _text("answered_by"),
        _time("answered_at_ns"),
        _text("approved_by"),
        *(_time(name) for name in ("deliver_at_ns", "delivered_at_ns")),
        _sealed("label"),
    ]


def _event_columns() -> list[sa.Column[object]]:
    return [_text("by"), _text("state"), sa.Column("generation", sa.BigInteger, nullable=True), _sealed("text")]


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=False, server_default="poll" if name == "wait" else "")


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Double, nullable=False, server_default="1")


def _flag(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _sealed(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.LargeBinary, nullable=True)
