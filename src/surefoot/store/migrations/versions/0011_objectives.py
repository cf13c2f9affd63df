"""Histograms of deliveries, filled from the journal so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KEYS = ("feature", "step_seconds", "slot", "tenant", "measure", "bucket", "shard")
_TEXTS = ("feature", "tenant", "measure")
_MANY = 5000
_Place = tuple[str, int, int, str, str, int, int]


def upgrade() -> None:
    """Make the table and fill it."""
    op.create_table(
        "histograms",
        *(
            sa.Column(name, sa.Text if name in _TEXTS else sa.BigInteger, nullable=False, autoincrement=False)
            for name in _KEYS
        ),
        sa.Column("answers", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*_KEYS),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind())


def downgrade() -> None:
    """Drop the table: it can be filled again."""
    op.drop_table("histograms")


def _fill(connection: sa.Connection) -> None:
    """Count all that was journaled so far. Read as a stream: only the counts are held."""
    counts: Counter[_Place] = Counter()
    streamed = {"stream_results": True, "yield_per": _MANY}
    for (body,) in connection.execute(sa.text("SELECT body FROM journal"), execution_options=streamed):
        counts.update(_places(msgspec.json.decode(body)))
    table = sa.table("histograms", *(sa.column(name) for name in (*_KEYS, "answers")))
    rows = [dict(zip((*_KEYS, "answers"), (*place, count), strict=True)) for place, count in counts.items()]
    if rows:
        connection.execute(table.insert(), rows)


def _places(entry: dict[str, Any]) -> Iterator[_Place]:
    """Where an entry as it was written so far counts."""
    if entry["surface"] != "chat" or entry.get("shadow_of"):
        return
    hour, day = entry["at_ns"] // 3_600_000_000_000, entry["at_ns"] // 86_400_000_000_000
    if entry["action"] == "deliver":
        asked = [step["value"] for step in entry["steps"] if step["value"].get("type") in ("draft", "no-draft")]
        micros = entry.get("own_us", 0) + sum(value.get("upstream_us", 0) for value in asked)
        bucket = max(0, math.floor(8 * math.log2(max(micros, 1) / 1000)))
        yield entry["feature"], 86_400, day, entry["tenant"], "latency", bucket, 0
        yield entry["feature"], 3600, hour, "", "latency", bucket, 0
    scores = _scores(entry["steps"])
    if scores is not None:
        for measure, signal in (("grounding", "grounded"), ("judge", "judge")):
            score = scores.get(signal)
            bucket = -1 if score is None else round((1 - score) * 20)
            yield entry["feature"], 86_400, day, entry["tenant"], measure, bucket, 0


def _scores(steps: list[dict[str, Any]]) -> dict[str, float | None] | None:
    """The signals of what the policy delivered, or held back for want of a certificate; None for nothing."""
    last = steps[-1] if steps else None
    if last is None or last["rung"] is None:
        return None
    kind = last["value"].get("type")
    if kind != "deliver" and not (kind == "escalate" and last["value"].get("withheld")):
        return None
    for step in steps:
        if step["rung"] == last["rung"] and step["value"].get("type") == "checked":
            return {signal["name"]: signal.get("score") for signal in step["value"]["evidence"].get("signals", ())}
    return None
